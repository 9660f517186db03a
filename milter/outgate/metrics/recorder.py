"""A worker's counters, kept in files so that they outlive the process.

prometheus_client's multiprocess mode names its files by process id; here a worker's
*slot* takes that place: a worker that is started again goes on in its predecessor's
files, and no counter ever falls. A slot belongs to one living process at a time.
"""

import os
from pathlib import Path
from typing import Any

from outgate.metrics import names
from outgate.metrics.metric import Kind, Metric

_DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


class Recorder:
    """All metrics that workers record, born at 0."""

    def __init__(self, directory: Path, slot: int) -> None:
        os.environ[_DIRECTORY_VARIABLE] = str(directory)
        # The library decides between files and memory when it is first imported.
        from prometheus_client import CollectorRegistry, values

        values.ValueClass = values.MultiProcessValue(lambda: slot)
        self._registry = CollectorRegistry()
        self.messages = self._make(names.MESSAGES)
        self.recipients = self._make(names.RECIPIENTS)
        self.strangers = self._make(names.STRANGERS)
        self.removed_recipients = self._make(names.REMOVED_RECIPIENTS)
        self.refused_recipients = self._make(names.REFUSED_RECIPIENTS)
        self.limit_exceeded = self._make(names.LIMIT_EXCEEDED)
        self.near_limit = self._make(names.NEAR_LIMIT)
        self.retries = self._make(names.RETRIES)
        self.decision_seconds = self._make(names.DECISION_SECONDS)
        self.store_seconds = self._make(names.STORE_SECONDS)
        self.store_errors = self._make(names.STORE_ERRORS)
        self.answers = self._make(names.ANSWERS)
        self.optin_tokens = self._make(names.OPTIN_TOKENS)
        self.challenges = self._make(names.CHALLENGES)
        self.optin_contradictions = self._make(names.OPTIN_CONTRADICTIONS)
        self.dkim_signatures = self._make(names.DKIM_SIGNATURES)
        self.callback_errors = self._make(names.CALLBACK_ERRORS)
        self.log_lines_lost = self._make(names.LOG_LINES_LOST)
        self.sessions = self._make(names.SESSIONS)
        self.transactions = self._make(names.TRANSACTIONS)

    def _make(self, metric: Metric) -> Any:
        from prometheus_client import Counter, Gauge, Histogram

        labels = metric.label_names
        common = (metric.name, metric.text, labels)
        match metric.kind:
            case Kind.COUNTER:
                made = Counter(*common, registry=self._registry)
                # The product of all message labels would be thousands of series:
                # `Observer` bears those that can occur.
                if len(labels) == 1:
                    for word in metric.labels[0][1]:
                        made.labels(word)
                return made
            case Kind.GAUGE:
                return Gauge(
                    *common, registry=self._registry, multiprocess_mode="livesum"
                )
            case Kind.HISTOGRAM:
                return Histogram(
                    *common, registry=self._registry, buckets=metric.buckets
                )


def fresh_directory(directory: Path) -> None:
    """Empty the directory at the daemon's start: counters begin at 0 with it.

    Raises:
        OSError: the directory cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for file in directory.glob("*.db"):
        file.unlink()


def forget_gauges(directory: Path, slot: int) -> None:
    """Drop what a dead worker said of the moment; its counters stay."""
    for file in directory.glob(f"gauge_live*_{slot}.db"):
        file.unlink(missing_ok=True)
