"""The table of metrics keeps Prometheus's conventions, and names what there is."""

import re

import pytest

from outgate.metrics.metric import Kind, Metric
from outgate.metrics.names import METRICS, STORE_ERRORS
from outgate.model.errors import StoreError
from outgate.policy.operator import Order
from outgate.policy.questions import Source
from outgate.store.breaker import GivenUp

_BY_NAME = {metric.name: metric for metric in METRICS}
# A version, and names that stand in the configuration.
_KNOWN_AT_RUN_TIME = {
    ("outgate_build_info", "version"),
    ("outgate_limit_exceeded_total", "limit"),
    ("outgate_near_limit_total", "limit"),
}
_UNITS = ("_total", "_seconds", "_bytes", "_info")


def test_every_name_stands_once() -> None:
    """One place for each metric."""
    assert len(_BY_NAME) == len(METRICS)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_is_named_as_prometheus_advises(metric: Metric) -> None:
    """Prefix, unit, `_total` for what only rises."""
    assert re.fullmatch(r"outgate_[a-z_]+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert metric.name.endswith("_seconds") or not metric.buckets
    assert (metric.kind is Kind.HISTOGRAM) == bool(metric.buckets)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_says_what_it_is_and_what_a_rise_means(metric: Metric) -> None:
    """The manual's page is made of these sentences."""
    assert metric.text.endswith(".")
    assert "\n" not in metric.text
    assert metric.rise.endswith(".") or metric.rise == "-"


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_labels_are_closed_words(metric: Metric) -> None:
    """Never a login, an address or a list id: series would grow without bound."""
    for name, words in metric.labels:
        assert re.fullmatch(r"[a-z_]+", name)
        assert words or (metric.name, name) in _KNOWN_AT_RUN_TIME
        assert len(words) == len(set(words))
        assert all(
            re.fullmatch(r"[a-z][a-z0-9]*(-[a-z]+[0-9]*)*", word) for word in words
        )


def test_buckets_rise() -> None:
    """From well below a local round trip to well beyond an MTA's patience."""
    for metric in METRICS:
        assert list(metric.buckets) == sorted(set(metric.buckets))


def test_every_trouble_of_the_store_has_a_word() -> None:
    """A kind that the table forgot would be born at 1."""
    # Named, since a subclass is there only once somebody imported it.
    troubles: list[type[StoreError]] = [GivenUp, *StoreError.__subclasses__()]
    kinds = {trouble.kind for trouble in troubles}

    assert kinds | {"local"} == set(dict(STORE_ERRORS.labels)["kind"])


@pytest.mark.parametrize(
    ("metric", "label", "words"),
    [
        ("outgate_answers_total", "source", [source.value for source in Source]),
        ("outgate_operator_orders", "order", [order.value for order in Order]),
    ],
)
def test_words_are_those_of_the_model(
    metric: str, label: str, words: list[str]
) -> None:
    """A new kind of order or source is a new series, at 0 from the start."""
    assert dict(_BY_NAME[metric].labels)[label] == tuple(words)
