"""Lua scripts: one file each, with a contract in its first comment.

`Script.load` reads the file, the parts that it stands on, and their digest; who calls it
takes the order of keys and arguments from the contract, and a test compares both.
"""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Self

PARTS: dict[str, tuple[str, ...]] = {
    "charge": (
        "records",
        "pages",
        "contacts",
        "distinct",
        "content",
        "usual",
        "standing",
    ),
    "settle": (
        "records",
        "pages",
        "contacts",
        "distinct",
        "content",
        "usual",
        "standing",
    ),
    "share": ("records",),
    "erase": ("records", "pages", "contacts", "distinct", "content"),
    "optin": (),
    "challenge": ("records",),
    "ledger": (),
    "coverage": (),
    "replace_order": (),
}
"""Each script, with the files of functions that go before it."""

NAMES = tuple(PARTS)


@dataclass(frozen=True, slots=True)
class Script:
    """One script.

    Attributes:
        name: of its file.
        text: its source, with the parts that it stands on.
        sha: SHA-1 of the source, by which the server knows it.
    """

    name: str
    text: bytes
    sha: bytes

    @classmethod
    def load(cls, name: str) -> Self:
        """Read `store/lua/<name>.lua` and its parts."""
        folder = files("outgate.store").joinpath("lua")
        text = b"".join(
            folder.joinpath(f"{part}.lua").read_bytes() for part in (*PARTS[name], name)
        )
        # The server's name for a script, not a safeguard.
        digest = hashlib.sha1(text, usedforsecurity=False).hexdigest()
        return cls(name, text, digest.encode())
