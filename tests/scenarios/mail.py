"""A message of a simulated day: a plain value, whose text is written when it is sent.

Most of a flood is never played, and a plain limiter reads no text; so a message keeps
the seed of its text, and `write` gives the same text each time.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from functools import partial
from heapq import merge
from random import Random
from typing import NamedTuple

from outgate.model.identity import Path

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86_400
# Midnight before a simulated day: a Monday.
EPOCH_S = 1_772_409_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What the MTA knows about who hands a message over.

    Attributes:
        login: SASL login, "" without.
        client: IP address, "" for a local submission.
        local_user: whose socket it is, for a local submission.
        path: which kind of socket.
    """

    login: str = ""
    client: str = ""
    local_user: str = ""
    path: Path = Path.SMTP

    @property
    def name(self) -> str:
        """By which a simple limiter counts: login, else client, else local user."""
        return self.login or self.client or self.local_user


@dataclass(frozen=True, slots=True)
class Content:
    """What is in a message.

    Attributes:
        headers: name and value, in order.
        body: as it is sent, at most 64 KiB.
    """

    headers: tuple[tuple[str, bytes], ...]
    body: bytes


class Heading(NamedTuple):
    """What a writer has to know of the envelope.

    Attributes:
        at_s: when, in seconds since the midnight before the day.
        author: address of header From.
        readers: addresses that the text may name; not those of a blind copy.
        number: unique in its traffic.
    """

    at_s: float
    author: str
    readers: tuple[str, ...]
    number: int


Writer = Callable[[Random, Heading], Content]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message on its way out.

    Attributes:
        at_s: when, in seconds since the midnight before the day; history is negative.
        origin: who hands it over.
        sender: envelope sender, "" for the null sender.
        recipients: envelope recipients.
        unwanted: whether it is what the gate is there for.
        write: gives its content; always the same.
    """

    at_s: float
    origin: Origin
    sender: str
    recipients: tuple[str, ...]
    unwanted: bool
    write: Callable[[], Content]


Traffic = Iterator[Message]


def post(
    rng: Random,
    at_s: float,
    origin: Origin,
    author: str,
    recipients: tuple[str, ...],
    writer: Writer,
    *,
    sender: str | None = None,
    blind: bool = False,
    unwanted: bool = False,
) -> Message:
    """Make a message.

    Args:
        rng: gives the seed of its text, and nothing else.
        at_s: when it is sent.
        origin: who hands it over.
        author: address of header From.
        recipients: of the envelope.
        writer: of its text.
        sender: of the envelope, where it is not the author.
        blind: whether header To names the author instead of the recipients.
        unwanted: whether nobody asked for it.
    """
    seed = rng.getrandbits(48)
    heading = Heading(at_s, author, (author,) if blind else recipients, seed)
    return Message(
        at_s=at_s,
        origin=origin,
        sender=author if sender is None else sender,
        recipients=recipients,
        unwanted=unwanted,
        write=partial(_write, seed, heading, writer),
    )


def _write(seed: int, heading: Heading, writer: Writer) -> Content:
    return writer(Random(seed), heading)


def compose(
    heading: Heading,
    subject: str,
    body: str,
    *,
    kind: str = 'text/plain; charset="utf-8"',
    extra: Iterable[tuple[str, str]] = (),
) -> Content:
    """Put headers before a body.

    Args:
        heading: of the message.
        subject: as it is read.
        body: lines ended by LF.
        kind: value of Content-Type.
        extra: further headers; they replace ours of the same name.
    """
    domain = heading.author.rpartition("@")[2] or "localhost"
    headers = {
        "Date": formatdate(EPOCH_S + heading.at_s),
        "From": f"<{heading.author}>",
        "To": ", ".join(f"<{reader}>" for reader in heading.readers),
        "Message-ID": f"<{heading.number:x}@{domain}>",
        "Subject": subject,
        "MIME-Version": "1.0",
        "Content-Type": kind,
        "Content-Transfer-Encoding": "8bit",
        **dict(extra),
    }
    return Content(
        tuple((name, value.encode()) for name, value in headers.items()),
        body.replace("\n", "\r\n").encode(),
    )


def together(*streams: Iterable[Message]) -> Traffic:
    """Several streams as one, in order of time."""
    return merge(*streams, key=_time)


def _time(message: Message) -> float:
    return message.at_s
