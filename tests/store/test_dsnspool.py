"""The spool of delivery status notifications: private, durable, bounded."""

import stat
from pathlib import Path

import pytest

from outgate.store import dsnspool
from outgate.store.dsnspool import DsnSpool


@pytest.fixture
def spool(tmp_path: Path) -> DsnSpool:
    """An empty one."""
    return DsnSpool(tmp_path / "dsn")


def test_what_is_put_is_taken_and_dropped(spool: DsnSpool, tmp_path: Path) -> None:
    """Oldest first; for the daemon's account alone."""
    spool.put("2-b", {"to": "b"})
    spool.put("1-a", {"to": "a"})
    files = sorted((tmp_path / "dsn").iterdir())
    assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "dsn").stat().st_mode) == 0o700
    assert spool.names() == ["1-a.json", "2-b.json"]
    with spool.take("1-a.json") as found:
        assert found == {"to": "a"}
        spool.drop("1-a.json")
    assert spool.waiting() == 1


def test_nothing_is_there_at_first(spool: DsnSpool) -> None:
    """Not even the directory."""
    assert spool.names() == []
    with spool.take("1-a.json") as found:
        assert found is None
    spool.drop("1-a.json")


def test_two_keepers_do_not_send_the_same(spool: DsnSpool, tmp_path: Path) -> None:
    """During a reload there are two."""
    spool.put("1-a", {"to": "a"})
    other = DsnSpool(tmp_path / "dsn")
    with spool.take("1-a.json") as found:
        assert found is not None
        with other.take("1-a.json") as second:
            assert second is None
        spool.drop("1-a.json")
    with other.take("1-a.json") as second:
        assert second is None


def test_it_is_bounded(spool: DsnSpool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nobody is taken out any more."""
    monkeypatch.setattr(dsnspool, "MOST_WAITING", 2)
    spool.put("1", {})
    spool.put("2", {})
    with pytest.raises(OSError, match="2 notifications wait"):
        spool.put("3", {})


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff"])
def test_what_no_worker_wrote_is_empty(
    spool: DsnSpool, tmp_path: Path, raw: bytes
) -> None:
    """A torn file is no notification."""
    (tmp_path / "dsn").mkdir()
    (tmp_path / "dsn" / "1.json").write_bytes(raw)
    with spool.take("1.json") as found:
        assert found == {}
