"""What the settings of traces say together."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from outgate.config.settings import Settings
from outgate.config.wording import no_address
from outgate.model.errors import Problem
from outgate.model.units import format_duration
from outgate.policy.trace_settings import NO_ADDRESS

_ADDRESS = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]+@[\w.-]+", re.ASCII)
_DOMAIN = re.compile(r"[^\s@*:/.]+(?:\.[^\s@*:/.]+)*\.?")
# RFC 5322 §2.2: printable ASCII; what is in braces is one of three words.
_FEEDBACK_ID = re.compile(r"(?:[!-z|~]|\{(?:customer|list|class)\})*")
_LEAST_KEEP, _MOST_KEEP = timedelta(days=1), timedelta(days=90)
_LEAST_MEMORY = 1 << 20
_MOST_FEEDBACK_ID = 200


def trace(settings: Settings) -> Iterator[Problem]:
    """Times, memory, addresses, and files of keys."""
    own = settings.trace
    if own.keep and not _LEAST_KEEP <= own.keep <= _MOST_KEEP:
        yield Problem(
            "trace.keep",
            f"got {format_duration(own.keep)}: expected 0s, or from "
            f"{_LEAST_KEEP.days}d to {_MOST_KEEP.days}d",
        )
    if own.memory < _LEAST_MEMORY:
        yield Problem("trace.memory", "expected at least 1MiB")
    if own.cfbl_address and not _ADDRESS.fullmatch(own.cfbl_address):
        yield Problem("trace.cfbl-address", no_address(own.cfbl_address))
    if (
        not _FEEDBACK_ID.fullmatch(own.feedback_id)
        or len(own.feedback_id) > _MOST_FEEDBACK_ID
    ):
        yield Problem(
            "trace.feedback-id",
            f"got {own.feedback_id!r}: expected printable ASCII without blanks, "
            "{customer}, {list} and {class}, up to "
            f"{_MOST_FEEDBACK_ID} characters",
        )
    yield from _names(settings)


def _names(settings: Settings) -> Iterator[Problem]:
    for name in settings.trace.signed:
        if not _DOMAIN.fullmatch(name):
            yield Problem(
                "trace.signed", f"got {name!r}: expected a domain such as example.org"
            )
    for index, customer in enumerate(settings.customer):
        address = customer.cfbl_address
        if address not in {"", NO_ADDRESS} and not _ADDRESS.fullmatch(address):
            yield Problem(f"customer[{index}].cfbl-address", no_address(address))
    for path in settings.secrets.trace:
        if not Path(path).is_absolute():
            yield Problem("secrets.trace", f"got {path!r}: expected an absolute path")
