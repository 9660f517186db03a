"""Sendmail's queue, read from its control files into the shape of Postfix's.

Not from mailq(1), which cuts every address after 38 characters. A control file is
`qf<id>`, or `hf<id>` where the message is quarantined; each line is a letter and a
value (op.me, appendix B):

    S<a@x.example>                    the sender
    MDeferred: 450 4.3.0 Not now      why the next recipient waits
    RPFD:<b@y.example>                flags and a recipient
    qbulk mail                        why it is quarantined

A file that is delivered meanwhile is left out.
"""

from contextlib import suppress
from pathlib import Path

from lab.queued import Queued, Recipient


def read_queue(directory: Path) -> list[Queued]:
    """List the messages of a queue directory, oldest first."""
    entries = []
    for path in sorted(directory.glob("[qh]f*"), key=lambda path: path.name[2:]):
        with suppress(FileNotFoundError):
            entries.append(_read(path))
    return entries


def _read(path: Path) -> Queued:
    queue_id = path.name[2:]
    entry = Queued(
        queue_name="hold" if path.name.startswith("h") else "deferred",
        queue_id=queue_id,
        sender="",
        recipients=[],
        message_size=path.with_name(f"df{queue_id}").stat().st_size,
    )
    delay = ""
    for line in path.read_text(errors="replace").splitlines():
        value = line[1:]
        match line[:1]:
            case "S":
                entry["sender"] = _address(value)
            case "T":
                entry["arrival_time"] = int(value)
            case "q":
                entry["reason"] = value
            case "M":
                delay = value
            case "R":
                recipient = Recipient(address=_address(value.partition(":")[2]))
                if delay:
                    recipient["delay_reason"] = delay
                    delay = ""
                entry["recipients"].append(recipient)
            case ".":
                break
            case _:
                pass
    return entry


def _address(value: str) -> str:
    return value.removeprefix("<").removesuffix(">")
