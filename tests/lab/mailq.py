"""What Sendmail's mailq(1) prints, read into the shape of Postfix's queue.

    -----Q-ID----- --Size-- -----Q-Time----- ------------Sender/Recipient-----------
    6AO6QZ1A000123       14 Tue Nov 24 06:26 <a@x.example>
                     (Deferred: 450 4.3.0 Not now)
                                             <b@y.example>

Lines that belong to neither a message, a reason nor a recipient are passed over.
"""

import re

from lab.queued import Queued, Recipient

# op.me §1.3.1 (mailq): "*" is being processed, "X" and "-" are held back by age or load.
_MESSAGE = re.compile(
    r"^(?P<id>\w{14,})[*X-]?\s+(?P<size>\d+|\(.*?\))\s.*<(?P<from>.*)>$"
)
_QUARANTINE = re.compile(r"^\s+QUARANTINE: (?P<reason>.*)$")
_DELAY = re.compile(r"^\s+(?:\S+\s+)?\((?P<reason>.*)\)$")
_RECIPIENT = re.compile(r"^\s+<?(?P<address>[^<>\s]+@[^<>\s]+?)>?$")


def read_mailq(text: str) -> list[Queued]:
    """List the messages of a mailq listing."""
    entries: list[Queued] = []
    delay = ""
    for line in text.splitlines():
        if found := _MESSAGE.match(line):
            delay = ""
            entries.append(_message(found))
        elif not entries:
            continue
        elif found := _QUARANTINE.match(line):
            entries[-1]["queue_name"] = "hold"
            entries[-1]["reason"] = found["reason"]
        elif found := _DELAY.match(line):
            delay = found["reason"]
        elif found := _RECIPIENT.match(line):
            recipient = Recipient(address=found["address"])
            if delay:
                recipient["delay_reason"] = delay
            entries[-1]["recipients"].append(recipient)
    return entries


def _message(found: re.Match[str]) -> Queued:
    size = found["size"]
    return Queued(
        queue_name="deferred",
        queue_id=found["id"],
        sender=found["from"],
        recipients=[],
        message_size=int(size) if size.isdigit() else 0,
    )
