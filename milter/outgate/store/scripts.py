"""Lua scripts: one file each, with a contract in its first comment.

`Script.load` reads the file and its digest; who calls it takes the order of keys and
arguments from the contract, and a test compares both.
"""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Self

NAMES = ("charge", "settle", "replace_order")


@dataclass(frozen=True, slots=True)
class Script:
    """One script.

    Attributes:
        name: of its file.
        text: its source.
        sha: SHA-1 of the source, by which the server knows it.
    """

    name: str
    text: bytes
    sha: bytes

    @classmethod
    def load(cls, name: str) -> Self:
        """Read `store/lua/<name>.lua`."""
        text = files("outgate.store").joinpath("lua", f"{name}.lua").read_bytes()
        # The server's name for a script, not a safeguard.
        digest = hashlib.sha1(text, usedforsecurity=False).hexdigest()
        return cls(name, text, digest.encode())
