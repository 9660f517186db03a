"""The archive of public keys judges old signatures without the DNS."""

from pathlib import Path

import dkim
import pytest

from outgate.model.errors import StartError
from outgate.signing.dkim_archive import ArchivedKey, KeyArchive
from signing.dkims import BOTH, BOTH_SIGN, ED25519, Desk, a_book, a_key

DAY_US = 86_400_000_000
START_US = 1_795_000_000_000_000


def a_record(
    number: int = 0, from_us: int = START_US, domain: str = "example.org"
) -> ArchivedKey:
    key = a_key(ED25519, number)
    return ArchivedKey(
        domain=domain,
        selector="2026a",
        algorithm=key.algorithm,
        public=key.public,
        from_us=from_us,
    )


@pytest.fixture
def archive(tmp_path: Path) -> KeyArchive:
    return KeyArchive(tmp_path / "keys.ndjson")


def test_an_old_signature_verifies_when_its_key_is_gone_everywhere_else(
    archive: KeyArchive,
) -> None:
    """dkimpy takes the archive in place of the DNS."""
    desk = Desk(a_book(BOTH, BOTH_SIGN))
    message = desk.send(b"From: anne@example.org\n\nold\n").message
    for one in desk.book.keys.values():
        archive.add(
            ArchivedKey(
                domain=one.domain,
                selector=one.selector,
                algorithm=one.key.algorithm,
                public=one.key.public,
                from_us=START_US,
            )
        )

    for index in (0, 1):
        assert dkim.DKIM(message).verify(index, dnsfunc=archive.dnsfunc())


def test_a_selector_that_was_used_again_gives_the_key_of_that_time(
    archive: KeyArchive,
) -> None:
    """By the moment of the signature; without one, the key that is in use."""
    first, second = a_record(1), a_record(2, START_US + 10 * DAY_US)
    archive.note_in_use([first], START_US)
    archive.note_in_use([second], START_US + 10 * DAY_US)

    def found(days: int | None) -> bytes | None:
        at_us = 0 if days is None else START_US + days * DAY_US
        return archive.dnsfunc(at_us)(b"2026a._domainkey.Example.org.", timeout=5)

    assert found(-1) == found(1) == found(9)
    assert found(11) == found(None) != found(1)
    assert archive.dnsfunc()(b"other._domainkey.example.org.") is None


def test_a_key_ends_when_it_is_configured_no_more(archive: KeyArchive) -> None:
    """One that was only made stays open: it may be published already."""
    archive.add(a_record(1))
    archive.note_in_use([a_record(2)], START_US)
    archive.note_in_use([], START_US + DAY_US)
    made, used = archive.all()

    assert (made.to_us, made.in_use) == (0, False)
    assert (used.from_us, used.to_us) == (START_US, START_US + DAY_US)


def test_nothing_is_written_twice_and_nothing_is_taken_away(
    archive: KeyArchive, tmp_path: Path
) -> None:
    """A start with the same keys adds no line; every line stays as it was."""
    file = tmp_path / "keys.ndjson"
    archive.note_in_use([a_record(1)], START_US)
    first = file.read_bytes()
    archive.note_in_use([a_record(1, START_US + DAY_US)], START_US + DAY_US)
    assert file.read_bytes() == first

    archive.note_in_use([], START_US + DAY_US)
    archive.note_in_use([a_record(1)], START_US + 2 * DAY_US)
    assert file.read_bytes().startswith(first)
    (key,) = archive.all()
    assert (key.from_us, key.to_us) == (START_US, 0)


def test_a_torn_line_spoils_no_other(archive: KeyArchive, tmp_path: Path) -> None:
    """The disk was full, or somebody wrote by hand."""
    archive.add(a_record(1))
    with (tmp_path / "keys.ndjson").open("ab") as file:
        file.write(b'not json\n[1]\n{"domain": "torn')
    archive.add(a_record(2, domain="example.net"))

    assert [one.domain for one in archive.all()] == ["example.org", "example.net"]


def test_a_key_of_the_senders_domain_answers_for_all(archive: KeyArchive) -> None:
    """Unless the domain has one of its own under that selector."""
    archive.add(a_record(1, domain="%"))
    archive.add(a_record(2))
    look_up = archive.dnsfunc()

    assert look_up(b"2026a._domainkey.shop.example") is not None
    assert look_up(b"2026a._domainkey.shop.example") != look_up(
        b"2026a._domainkey.example.org"
    )


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    """By name."""
    with pytest.raises(StartError, match="none/keys"):
        KeyArchive(tmp_path / "none" / "keys").add(a_record())
