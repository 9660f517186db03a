"""Old signatures with archived keys, new ones with the DNS of whom we asked for."""

from pathlib import Path

import pytest

from outgate.model.errors import StartError
from outgate.signing.dkim_archive import ArchivedKey, KeyArchive
from outgate.signing.dkim_verify import verify_by_dns, verify_old
from signing.dkims import BOTH, BOTH_SIGN, Desk, a_book

MESSAGE = b"From: anne@example.org\n\nold\n"


def archived(path: Path, desk: Desk) -> KeyArchive:
    archive = KeyArchive(path / "keys.ndjson")
    for one in desk.book.keys.values():
        archive.add(
            ArchivedKey(
                domain=one.domain,
                selector=one.selector,
                algorithm=one.key.algorithm,
                public=one.key.public,
                from_us=1,
            )
        )
    return archive


@pytest.fixture
def desk() -> Desk:
    return Desk(a_book(BOTH, BOTH_SIGN))


def test_an_old_one_is_known(tmp_path: Path, desk: Desk) -> None:
    message = desk.send(MESSAGE).message
    archive = archived(tmp_path, desk)

    assert verify_old(message, archive) == ("example.org",)
    assert verify_old(message.replace(b"old", b"new"), archive) == ()
    assert verify_old(message, KeyArchive(tmp_path / "none")) == ()


def test_nobody_elses_dns_is_asked(tmp_path: Path, desk: Desk) -> None:
    message = desk.send(MESSAGE).message
    answer = archived(tmp_path, desk).dnsfunc()
    asked = []

    def dnsfunc(name: bytes, timeout: float = 5) -> bytes | None:
        asked.append(name)
        return answer(name, timeout=timeout)

    assert verify_by_dns(message, {"other.example"}.__contains__, dnsfunc) == ()
    assert not asked
    wanted = {"example.org"}.__contains__
    assert verify_by_dns(message, wanted, dnsfunc) == ("example.org",)


def test_trouble_of_the_dns_is_no_verdict(desk: Desk) -> None:
    """The MTA offers the report again."""

    def dnsfunc(name: bytes, timeout: float = 5) -> bytes | None:
        raise StartError(f"{name!r} {timeout}", 75)

    message = desk.send(MESSAGE).message
    with pytest.raises(StartError):
        verify_by_dns(message, lambda _: True, dnsfunc)


@pytest.mark.parametrize(
    "value", [b"", b"v=1", b"a=b;;;=", b"v=1; a=rsa-sha256; d=\xff; s=x; h=; b=; bh="]
)
def test_hostile_signatures_are_none(tmp_path: Path, value: bytes) -> None:
    message = b"DKIM-Signature: " + value + b"\n" + MESSAGE

    assert verify_old(message, KeyArchive(tmp_path / "none")) == ()
    assert verify_by_dns(message, lambda _: True, lambda *_, **__: None) == ()
