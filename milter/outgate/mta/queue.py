"""What an MTA holds, as its own commands tell.

`postqueue -j` gives a JSON object a line; `mailq -qQ` of Sendmail gives a table for
people. Both are read here into the same values; releasing and deleting is the MTA's
business (`postsuper -H`, `sendmail -qQ -Q`), since released mail is not seen again.
"""

import json
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from outgate.model.errors import MtaError

_TIMEOUT_S = 30
# A line of mailq: queue id, a mark, the size, the date, the sender.
_SENDMAIL_ENTRY = re.compile(r"^(?P<id>[0-9A-Za-z]{10,24})[*X?-]*\s+(?P<size>\d+)\s")
_SENDMAIL_REASON = re.compile(r"^\s+QUARANTINE:\s*(?P<reason>.*)$")


@dataclass(frozen=True, slots=True)
class HeldMessage:
    """One message in a hold queue.

    Attributes:
        queue_id: the MTA's id.
        size_bytes: as the MTA counts it.
        reason: as the MTA keeps it; Postfix keeps none.
    """

    queue_id: str
    size_bytes: int
    reason: str = ""


def list_held(command: Sequence[str]) -> list[HeldMessage]:
    """Run the MTA's listing command and read what is held.

    Raises:
        MtaError: the command failed or its output is not known.
    """
    try:
        done = subprocess.run(
            command, capture_output=True, check=False, timeout=_TIMEOUT_S
        )
    except OSError as error:
        raise MtaError(f"{command[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise MtaError(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        text = done.stderr.decode("utf-8", "replace").strip()
        raise MtaError(f"{' '.join(command)} exits {done.returncode}: {text}")
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    if any(line.startswith("{") for line in lines):
        return read_postfix(lines)
    return read_sendmail(lines)


def read_postfix(lines: Iterable[str]) -> list[HeldMessage]:
    """Read `postqueue -j`: one object a line; only queue `hold` counts.

    Raises:
        MtaError: a line is no such object.
    """
    held = []
    for line in filter(str.strip, lines):
        try:
            entry = json.loads(line)
            if entry["queue_name"] == "hold":
                held.append(HeldMessage(entry["queue_id"], int(entry["message_size"])))
        except (ValueError, KeyError, TypeError) as error:
            raise MtaError(f"postqueue: unknown line {line[:80]!r}") from error
    return held


def read_sendmail(lines: Iterable[str]) -> list[HeldMessage]:
    """Read `mailq -qQ`: an entry begins with its id, its reason follows."""
    held: list[HeldMessage] = []
    for line in lines:
        if found := _SENDMAIL_ENTRY.match(line):
            held.append(HeldMessage(found["id"], int(found["size"])))
        elif held and (found := _SENDMAIL_REASON.match(line)):
            last = held.pop()
            held.append(HeldMessage(last.queue_id, last.size_bytes, found["reason"]))
    return held
