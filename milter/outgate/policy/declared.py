"""How a setting is declared: one key of a table, with the text that explains it.

The classes of settings are the configuration reference, so a key's text stands where
its type and its default stand.
"""

from typing import Any

import attrs


@attrs.frozen
class Without:
    """Annotates a key that does not take one word which its type has.

    It is not offered to whoever misspells another one.
    """

    word: str


def setting(doc: str, default: Any = attrs.NOTHING, *, example: str = "") -> Any:
    """Declare one key: its text, its default, an example as it stands in TOML."""
    if isinstance(default, (dict, list)):
        raise TypeError("a default is shared: use a tuple or a factory")
    return attrs.field(default=default, metadata={"doc": doc, "example": example})


def table(doc: str, kind: type) -> Any:
    """Declare a sub-table that may be left out."""
    return attrs.field(factory=kind, metadata={"doc": doc, "example": ""})
