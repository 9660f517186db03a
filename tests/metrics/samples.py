"""What a scrape says, read by Prometheus's own parser."""

from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from outgate.metrics.endpoint import exposition
from outgate.metrics.status import Status

Samples = dict[str, dict[tuple[tuple[str, str], ...], float]]
"""By name, and by labels in their alphabetical order."""


def families(text: str) -> list[Any]:
    """Families with name, type, documentation and samples."""
    return list(text_string_to_metric_families(text))


def samples(text: str) -> Samples:
    """All samples of an exposition."""
    found: Samples = {}
    for family in families(text):
        for sample in family.samples:
            labels = tuple(sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


def scrape(directory: Path, status: Status | None = None) -> Samples:
    """What a scrape of these files gives."""
    return samples(exposition(directory, status or Status())[0].decode())
