"""What the settings of complaints say together."""

import re
from collections.abc import Iterator

from outgate.config.settings import Settings
from outgate.config.wording import no_address, one_of, twice
from outgate.model.errors import Problem
from outgate.policy.complaint_settings import BY_ADDRESS, VERIFICATIONS

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")
_SENDER = re.compile(r"(?:[^\s@]+@)?[^\s@*:/.]+(?:\.[^\s@*:/.]+)+")


def complaints(settings: Settings) -> Iterator[Problem]:
    """Names, senders, and that each loop can be verified."""
    loops = settings.feedback_loop
    yield from twice("feedback-loop", "name", [one.name for one in loops])
    for index, one in enumerate(loops):
        key = f"feedback-loop[{index}]"
        if not _NAME.fullmatch(one.name):
            yield Problem(
                f"{key}.name",
                f"got {one.name!r}: expected lower case letters, digits and hyphens",
            )
        if not one.sender:
            yield Problem(f"{key}.sender", "is empty: nothing would be its report")
        for sender in one.sender:
            if not _SENDER.fullmatch(sender):
                yield Problem(
                    f"{key}.sender",
                    f"got {sender!r}: expected an address, or a domain with a dot",
                )
        if one.verify not in VERIFICATIONS:
            yield Problem(f"{key}.verify", one_of(one.verify, VERIFICATIONS))
        if one.verify == BY_ADDRESS and not one.deliver_to:
            yield Problem(
                f"{key}.deliver-to", 'is empty: `verify = "address"` needs one'
            )
        for address in one.deliver_to:
            if not _ADDRESS.fullmatch(address):
                yield Problem(f"{key}.deliver-to", no_address(address))
