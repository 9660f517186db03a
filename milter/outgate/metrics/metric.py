"""What a metric is."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Prometheus metric types."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric.

    Attributes:
        name: as it is exported, with its unit and `_total`.
        text: one sentence, also its HELP line.
        rise: what a sustained rise suggests.
        labels: label name to the words it may have; empty words where they come from
            a closed set known only at run time.
        buckets: upper bounds of a histogram, in seconds.
    """

    name: str
    kind: Kind
    text: str
    rise: str
    labels: tuple[tuple[str, tuple[str, ...]], ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of its labels."""
        return tuple(name for name, _ in self.labels)
