"""The spool of delivery status notifications: private, durable, bounded."""

import stat
from pathlib import Path

import pytest

from outgate.store import dsnspool
from outgate.store.dsnspool import KEPT_S, DsnSpool


@pytest.fixture
def spool(tmp_path: Path) -> DsnSpool:
    """An empty one."""
    return DsnSpool(tmp_path / "dsn")


def put(spool: DsnSpool, name: str, *, customer: str = "a", day: int = 1) -> bool:
    return spool.put(customer, {name: {}}, day)


def now_s(tmp_path: Path) -> float:
    return (tmp_path / "dsn").stat().st_mtime


def test_what_is_put_is_taken_and_dropped(spool: DsnSpool, tmp_path: Path) -> None:
    """Oldest first; for the daemon's account alone."""
    spool.put("a", {"b": {"to": "b"}}, 1)
    spool.put("a", {"a": {"to": "a"}}, 1)
    files = sorted((tmp_path / "dsn" / "a").iterdir())
    assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "dsn").stat().st_mode) == 0o700
    assert spool.names() == ["a/b.json", "a/a.json"]
    with spool.take("a/b.json") as found:
        assert found == {"to": "b"}
        spool.drop("a/b.json")
    assert spool.names() == ["a/a.json"]


def test_nothing_is_there_at_first(spool: DsnSpool) -> None:
    """Not even the directory."""
    assert spool.names() == []
    with spool.take("a/1.json") as found:
        assert found is None
    spool.drop("a/1.json")


def test_two_keepers_do_not_send_the_same(spool: DsnSpool, tmp_path: Path) -> None:
    """During a reload there are two."""
    put(spool, "1")
    other = DsnSpool(tmp_path / "dsn")
    with spool.take("a/1.json") as found:
        assert found is not None
        with other.take("a/1.json") as second:
            assert second is None
        spool.drop("a/1.json")
    with other.take("a/1.json") as second:
        assert second is None


def test_it_is_bounded(spool: DsnSpool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nobody is taken out any more."""
    monkeypatch.setattr(dsnspool, "MOST_A_DAY", 2)
    assert put(spool, "1")
    assert put(spool, "2")
    assert not put(spool, "3")
    # The same again costs nothing, nor does another customer's.
    assert put(spool, "2")
    assert put(spool, "3", customer="b")
    assert put(spool, "3", day=2)
    assert not spool.put("a", {"4": {}, "5": {}}, 2)
    assert len(spool.names()) == 4


def test_what_was_sent_is_not_sent_again(spool: DsnSpool, tmp_path: Path) -> None:
    """As long as an MTA tries; then nobody knows of it."""
    assert put(spool, "1")
    spool.drop("a/1.json")
    assert put(spool, "1")
    assert spool.names() == []
    spool.tidy(now_s(tmp_path) + KEPT_S - 60)
    assert put(spool, "1")
    assert spool.names() == []
    spool.tidy(now_s(tmp_path) + KEPT_S + 60)
    assert put(spool, "1")
    assert spool.names() == ["a/1.json"]


def test_each_customer_in_turn(spool: DsnSpool) -> None:
    """Many of one hold up nobody."""
    for number in range(3):
        put(spool, f"{number}")
    put(spool, "9", customer="b")
    assert spool.names() == ["a/0.json", "b/9.json", "a/1.json", "a/2.json"]


def test_what_is_set_aside_is_out_of_the_way(spool: DsnSpool, tmp_path: Path) -> None:
    """For a person, who has as long as anything is kept."""
    put(spool, "1")
    spool.set_aside("a/1.json")
    spool.set_aside("a/1.json")
    unread = tmp_path / "dsn" / "unread"
    assert spool.names() == []
    assert [one.name for one in unread.iterdir()] == ["a-1.json"]
    spool.tidy(now_s(tmp_path) + KEPT_S + 60)
    assert list(unread.iterdir()) == []


@pytest.mark.parametrize("raw", [b"", b"x", b"1 x", b"\xff", b"1 2 3"])
def test_a_count_that_nobody_wrote(spool: DsnSpool, tmp_path: Path, raw: bytes) -> None:
    """Counts as none."""
    put(spool, "1")
    (tmp_path / "dsn" / "a" / ".day").write_bytes(raw)
    assert put(spool, "2")


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_what_no_worker_wrote_is_empty(
    spool: DsnSpool, tmp_path: Path, raw: bytes
) -> None:
    """A torn file is no notification."""
    (tmp_path / "dsn").mkdir()
    (tmp_path / "dsn" / "1.json").write_bytes(raw)
    with spool.take("1.json") as found:
        assert found == {}
