"""How long the successor of a process that died waits."""

from outgate.daemon.backoff import Backoff


def pauses_s(lives_s: list[float]) -> list[float]:
    """How long each successor waits, by how long its predecessor lived."""
    backoff, now_s, pauses = Backoff(), 0.0, []
    for lived_s in lives_s:
        started_s, now_s = now_s, now_s + lived_s
        backoff.ended(started_s, now_s)
        died_s = now_s
        while not backoff.may_start(now_s):
            now_s += 0.5
        pauses.append(now_s - died_s)
    return pauses


def test_one_short_life_is_an_accident() -> None:
    """More of them are a habit, and the pauses grow up to a bound."""
    assert pauses_s([0.1] * 7) == [0, 2, 4, 8, 16, 30, 30]


def test_a_long_life_is_a_new_beginning() -> None:
    """What was before it is forgotten."""
    assert pauses_s([0.1, 0.1, 60.0, 0.1, 0.1]) == [0, 2, 0, 0, 2]


def test_one_accident_that_takes_many_is_one() -> None:
    """Their successors start at once; only if those die, too, it is a habit."""
    backoff = Backoff()
    for _ in range(8):
        backoff.ended(99.0, 100.0)
    assert backoff.may_start(100.0)

    for _ in range(8):
        backoff.ended(100.0, 101.0)
    assert not backoff.may_start(102.9)
    assert backoff.may_start(103.0)
