"""Counters outlive their workers; gauges do not."""

import math
from pathlib import Path

import pytest

from metrics.samples import scrape
from metrics.worker import work
from outgate.metrics import names
from outgate.metrics.metric import Metric
from outgate.metrics.recorder import forget_gauges, fresh_directory

_MESSAGE = {
    "class": "personal",
    "action": "accept",
    "disposition": "accept",
    "reason": "none",
}
_HELD = {
    "class": "personal",
    "action": "quarantine",
    "disposition": "quarantine",
    "reason": "limit-exceeded",
}


@pytest.fixture(scope="module")
def unused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of a worker that has seen nothing yet."""
    directory = tmp_path_factory.mktemp("metrics")
    work(directory, 0)
    return directory


@pytest.mark.parametrize(
    "metric",
    [
        *(names.RECIPIENTS, names.RETRIES, names.STORE_ERRORS, names.ANSWERS),
        *(names.CALLBACK_ERRORS, names.DECISION_SECONDS, names.STORE_SECONDS),
        *(names.SESSIONS, names.TRANSACTIONS, names.MESSAGES),
    ],
    ids=lambda metric: metric.name,
)
def test_what_a_worker_records_is_born_at_0(metric: Metric, unused: Path) -> None:
    """`increase()` never sees a series that begins with its first event."""
    name = metric.name if not metric.buckets else f"{metric.name}_count"
    found = scrape(unused)[name]

    assert set(found.values()) == {0}
    for label, words in metric.labels:
        assert {dict(labels)[label] for labels in found} == set(words)


def test_a_histogram_has_the_buckets_of_the_table(unused: Path) -> None:
    """And the one for everything beyond."""
    found = scrape(unused)["outgate_store_seconds_bucket"]

    bounds = [float(dict(labels)["le"]) for labels in found]
    assert bounds == [*names.STORE_SECONDS.buckets, math.inf]


def test_an_observation_falls_into_its_bucket(tmp_path: Path) -> None:
    """Buckets are cumulative: 30 ms is more than 25 ms and no more than 50."""
    work(tmp_path, 0, "slow")

    found = {
        float(dict(labels)["le"]): value
        for labels, value in scrape(tmp_path)["outgate_store_seconds_bucket"].items()
    }
    assert (found[0.025], found[0.05], found[math.inf]) == (0, 1, 1)


def test_a_worker_goes_on_where_its_predecessor_ended(tmp_path: Path) -> None:
    """The same slot is the same file: no counter ever falls."""
    work(tmp_path, 0, "message", "timeout")
    first = scrape(tmp_path)
    work(tmp_path, 0, "message", "message")
    second = scrape(tmp_path)

    key = tuple(sorted(_MESSAGE.items()))
    assert first["outgate_messages_total"][key] == 1
    assert second["outgate_messages_total"][key] == 3
    assert second["outgate_store_errors_total"][("kind", "timeout"),] == 1
    assert all(
        value >= first[name][labels]
        for name, rows in second.items()
        for labels, value in rows.items()
        if labels in first.get(name, {})
    )
    assert len(list(tmp_path.glob("counter_*.db"))) == 1


def test_slots_are_summed(tmp_path: Path) -> None:
    """A scrape sees one daemon, however many workers it has."""
    work(tmp_path, 0, *["message"] * 4, "session")
    work(tmp_path, 11, "message", "session")

    found = scrape(tmp_path)
    key = tuple(sorted(_MESSAGE.items()))
    assert found["outgate_messages_total"][key] == 4
    assert found["outgate_messages_total"][tuple(sorted(_HELD.items()))] == 1
    assert (
        found["outgate_recipients_total"][
            ("direction", "external"), ("disposition", "accept")
        ]
        == 4
    )
    assert found["outgate_sessions"][()] == 2


def test_what_a_dead_worker_said_of_the_moment_is_forgotten(tmp_path: Path) -> None:
    """Its sessions ended with it; what it counted stays."""
    work(tmp_path, 1, "message", "session")
    work(tmp_path, 11, "session")

    forget_gauges(tmp_path, 1)

    found = scrape(tmp_path)
    assert found["outgate_sessions"][()] == 1
    assert found["outgate_messages_total"][tuple(sorted(_MESSAGE.items()))] == 1


def test_a_daemon_begins_at_0(tmp_path: Path) -> None:
    """Prometheus knows a restart by counters that fall to 0, all at once."""
    directory = tmp_path / "run/metrics"
    fresh_directory(directory)
    work(directory, 0, "message")
    other = directory / "README"
    other.touch()

    fresh_directory(directory)

    assert list(directory.iterdir()) == [other]
    fresh_directory(directory)
