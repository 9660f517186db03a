"""The list of headers, here and in the files for other signers."""

import re
from pathlib import Path

from outgate.message.dkim.coverage import (
    ALWAYS_OVERSIGNED,
    OF_LISTS,
    SIGNED_HEADERS,
    cover,
)

CONTRIB = Path(__file__).parents[3] / "contrib"
DATE_AND_ID = {"date", "message-id"}


def test_a_missing_date_and_message_id_are_left_to_mtas() -> None:
    """Sendmail adds them behind the milter; those that are there let no other in."""
    bare = cover({"from": [b"a@example.org"]}, oversign_lists=False)
    full = cover(
        {"from": [b"a@x"], "date": [b"now"], "message-id": [b"<1@x>"]},
        oversign_lists=False,
    )
    assert bare is not None
    assert full is not None
    assert DATE_AND_ID.isdisjoint(bare.names)
    assert [full.names.count(name) for name in sorted(DATE_AND_ID)] == [2, 2]


def test_copies_are_signed_from_the_last_to_the_first() -> None:
    """RFC 6376 §5.4.2."""
    found = cover({"from": [b"a@x"], "to": [b"one", b"two"]}, oversign_lists=False)

    assert found is not None
    assert found.names.count("to") == 3
    assert b"to:two\r\nto:one\r\n" in found.data


def test_opendkim_is_told_the_same_headers() -> None:
    """Each of ours signed, and named once more where we do."""
    text = (CONTRIB / "opendkim.conf").read_text()
    signed = re.search(r"^SignHeaders\s+(\S+)$", text, re.MULTILINE)
    oversigned = re.search(r"^OversignHeaders\s+(\S+)$", text, re.MULTILINE)

    assert signed is not None
    assert oversigned is not None
    assert {name.lower() for name in signed[1].split(",")} == SIGNED_HEADERS
    always = {name.lower() for name in ALWAYS_OVERSIGNED}
    assert {name.lower() for name in oversigned[1].split(",")} == always - DATE_AND_ID


def test_rspamd_is_told_the_same_headers() -> None:
    """With its marks for naming once more."""
    text = (CONTRIB / "rspamd/dkim_signing.conf").read_text()
    found = re.search(r'^sign_headers = "(\S+)";$', text, re.MULTILINE)

    assert found is not None
    entries = {
        name: mark
        for mark, name in re.findall(r"(?:\((.)\))?([a-z-]+)(?::|$)", found[1])
    }
    assert entries.keys() == SIGNED_HEADERS
    assert {name for name, mark in entries.items() if mark == "x"} == DATE_AND_ID
    assert {name for name, mark in entries.items() if not mark} == {
        name.lower() for name in OF_LISTS
    }


def test_the_manual_names_every_header() -> None:
    """All of them, and nothing that is not signed."""
    text = (CONTRIB.parent / "docs/dkim.md").read_text()

    for name in (*ALWAYS_OVERSIGNED, *OF_LISTS):
        assert re.search(rf"\b{name}\b", text), name
