"""The real reports and bounces that lie beside a developer's checkout."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from message.material import material_folder

# How another parser's reasons (sisimai) are called here. Where it says `filtered` the
# replies say that the user is unknown.
CAUSES = {
    "userunknown": "unknown-user",
    "hostunknown": "unknown-user",
    "hasmoved": "unknown-user",
    "notaccept": "unknown-user",
    "filtered": "unknown-user",
    "spamdetected": "spam-block",
    "blocked": "spam-block",
    "policyviolation": "spam-block",
    "badreputation": "spam-block",
    "virusdetected": "spam-block",
    "authfailure": "spam-block",
    "requireptr": "spam-block",
    "notcompliantrfc": "spam-block",
    "toomanyconn": "rate-limit",
    "speeding": "rate-limit",
    "mailboxfull": "mailbox-full",
}


def content(name: str) -> bytes:
    """One message, as it lies there."""
    return (material_folder() / "messages" / name).read_bytes()


def table(name: str) -> list[dict[str, str]]:
    """Rows of a tab-separated table; lines that begin with `#` are remarks."""
    lines = (material_folder() / name).read_text("utf-8").splitlines()
    rows = csv.DictReader(
        (line for line in lines if not line.startswith("#")), delimiter="\t"
    )
    return list(rows)


def every_message() -> Iterator[Path]:
    """All real messages, of whatever kind."""
    folder = material_folder() / "messages"
    if not folder.is_dir():
        pytest.skip("no real messages")
    yield from sorted(folder.glob("*/*.eml"))
