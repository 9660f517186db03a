"""What the keeper knows of the whole daemon, as gauges of its own process."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from outgate.metrics import names
from outgate.metrics.metric import Kind, Metric


@dataclass(slots=True)
class Status:
    """The keeper's last round.

    Attributes:
        values: metric name to label words to value.
        ready: whether mail is served as configured.
        detail: a line for /readyz.
    """

    values: dict[str, dict[tuple[str, ...], float]] = field(default_factory=dict)
    ready: bool = False
    detail: str = "starting"

    def __post_init__(self) -> None:
        """Bear what is counted at 0; what is unknown stays absent."""
        for metric in (
            names.WORKERS,
            names.WORKER_RESTARTS,
            names.RELOADS,
            names.KEEPER_ERRORS,
            names.NOTIFY_FAILURES,
        ):
            self.put_all(metric, {})

    def put(self, metric: Metric, value: float, *labels: str) -> None:
        """Note one value."""
        self.values.setdefault(metric.name, {})[labels] = value

    def count(self, metric: Metric, *labels: str) -> None:
        """Note that something happened once more."""
        before = self.values.get(metric.name, {}).get(labels, 0)
        self.put(metric, before + 1, *labels)

    def put_all(self, metric: Metric, by_label: Mapping[str, float]) -> None:
        """Note one value for each word of a metric with one label."""
        for word in metric.labels[0][1]:
            self.put(metric, by_label.get(word, 0), word)


class StatusCollector:
    """Gives the status to prometheus_client."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def collect(self) -> Iterator[Any]:
        """Yield one family for each metric that has values."""
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
        )

        for metric in names.METRICS:
            values = self._status.values.get(metric.name)
            if values is None:
                continue
            kind: Any = (
                CounterMetricFamily
                if metric.kind is Kind.COUNTER
                else GaugeMetricFamily
            )
            family = kind(metric.name, metric.text, labels=metric.label_names)
            # Other threads put values meanwhile.
            for labels, value in list(values.items()):
                family.add_metric(labels, value)
            yield family
