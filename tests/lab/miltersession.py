"""A milter session event by event, from the MTA's side.

`MilterSession` knows when an event, its macros and its answer are due, given what the
filter picked and how Postfix or Sendmail go about it. `lab.miltermta` sends whole
messages with it.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
from collections.abc import Iterator, Mapping

from lab import milterevents as events
from lab.milterevents import (
    GO_ON,
    Actions,
    MilterLostError,
    ProtocolViolation,
    Reply,
    Stage,
    Steps,
    Terms,
    Text,
    packed,
    raw,
)
from lab.miltermacros import Flavour, Macros
from lab.miltermail import Outcome, smtp_text
from lab.milterwire import Packet, Wire, dial, negotiate, peer_payload

# libmilter closes at once; a filter that is stopped shall not hold up a test.
CLOSING_TIMEOUT = 2.0
NOT_AT_RCPT = (
    "milter configuration error: can't reject recipient in non-smtpd(8) submission"
)
_QUEUE_IDS = itertools.count(0x4A1B2C3D00)


class MilterSession:
    """One SMTP session after the other; each method is one event or one packet."""

    def __init__(
        self,
        address: str,
        *,
        flavour: Flavour = "postfix",
        client: tuple[str, int] | None = ("203.0.113.9", 4444),
        hostname: Text | None = "pc.example",
        helo: Text | None = None,
        login: Text = "",
        macros: Mapping[str, Text | None] | None = None,
        version: int = 6,
        actions: Actions = Actions.ALL,
        steps: Steps = Steps.ALL,
        timeout: float = 10.0,
        transcript: bool = True,
    ) -> None:
        if flavour == "postfix-local":
            client, hostname = ("127.0.0.1", 0), "localhost"
        self.address = address
        self.flavour = flavour
        self.client = client
        # Both MTAs write an address without a name like this.
        nameless = f"[{client[0]}]" if client else "unknown"
        self.hostname = raw(hostname or nameless)
        self.helo_name = raw(helo or self.hostname)
        self.login = raw(login)
        self.timeout = timeout
        self.outcome = Outcome()  # of the message under way
        self.transcript: list[Packet] = []
        steps &= events.OFFERED[version]
        self._offer = Terms(version=version, actions=actions, steps=steps)
        self._keep_transcript = transcript
        extra = {
            name.strip("{}"): None if value is None else raw(value)
            for name, value in (macros or {}).items()
        }
        self._macros = Macros(flavour, extra)
        self._reset()

    def _reset(self) -> None:
        self.terms = self._offer  # what the filter picked, once it has
        self._wire: Wire | None = None
        self._lost: MilterLostError | None = None
        self._verdict: tuple[Reply, Stage] | None = None  # on the whole session
        self._at = "negotiate"
        self._skipped: Stage | None = None
        self._connected = self._greeted = self._in_mail = self._corked = False

    def open(self) -> None:
        """Connect and negotiate; the first event does this by itself."""
        self._live()

    def connect(self) -> Reply:
        self._macros.connected(self.hostname, self.client)
        self._connected = True
        prefix = "IPv6:" if self.flavour == "sendmail" else ""
        payload = peer_payload(self.hostname, self.client, prefix)
        return self._step(events.CONNECT, payload)

    def helo(self) -> Reply:
        self._greeted = True
        return self._step(events.HELO, self.helo_name + b"\0")

    def mail(self, sender: bytes, *args: bytes, queue_id: str = "") -> Reply:
        self.outcome = Outcome(queue_id=queue_id or f"{next(_QUEUE_IDS):X}")
        self._in_mail = True
        if self.flavour == "postfix-local":
            sender, args = sender.strip(b"<>"), ()
        queued = self.outcome.queue_id.encode()
        self._macros.sender(sender, args, self.login, queued)
        return self._step(events.MAIL, packed(sender, *args))

    def rcpt(self, recipient: bytes, *args: bytes) -> Reply:
        given = recipient
        if self.flavour == "postfix-local":
            recipient, args = recipient.strip(b"<>"), ()
        self._macros.recipient(recipient)
        reply = self._step(events.RCPT, packed(recipient, *args))
        if not reply.refuses:
            self._macros.recipient_accepted()
        elif self.flavour == "postfix-local":
            # The message stays in the maildrop queue and is tried for ever.
            self.outcome.fail(events.RCPT.name, NOT_AT_RCPT)
        else:
            self.outcome.refused_recipients[given] = smtp_text(reply, self.flavour)
        return reply

    def data(self) -> Reply:
        return self._step(events.DATA)

    def unknown(self, command: bytes) -> Reply:
        return self._step(events.UNKNOWN, command + b"\0")

    def header(self, name: bytes, value: bytes) -> Reply:
        """One field; `value` is all that follows the colon, leading space and all."""
        self._macros.header(name, value)
        if not self.terms.steps & Steps.HDR_LEADSPC:
            value = value.removeprefix(b" ")
        return self._step(events.HEADER, packed(name, value))

    def eoh(self) -> Reply:
        return self._step(events.EOH)

    def body(self, chunk: bytes) -> Reply:
        return self._step(events.BODY, chunk)

    def eom(self) -> Reply:
        """The end of the message; what the filter asks for goes into `outcome`."""
        return self._step(events.EOM)

    def abort(self) -> None:
        self._in_mail = False
        self.send_packet(b"A")

    def quit_nc(self) -> None:
        """End the SMTP session, and keep the connection for the next one."""
        self._connected = self._greeted = self._in_mail = False
        self.send_packet(b"K")

    def quit(self) -> None:
        """End the session and wait for the filter to close, which shows strays."""
        try:
            if self._wire is not None and not self._verdict and not self._lost:
                # smtpd(8) undoes HELO and MAIL, whether they need it or not.
                undone = [self._greeted, self._in_mail].count(True)
                for _ in range(undone if self.flavour == "postfix" else 0):
                    self._wire.put(b"A")
                self._wire.put(b"Q")
                self._wire.flush()
                packet = self._wire.read(min(self.timeout, CLOSING_TIMEOUT))
                raise ProtocolViolation(f"nobody awaited {packet}")
        except MilterLostError:
            pass  # closed, as it should be by now
        finally:
            self.close()

    def close(self) -> None:
        """Drop the connection without a word, as an MTA that is killed does."""
        if self._wire is not None:
            self._wire.socket.close()
        self._reset()

    def probe(self) -> socket.socket:
        """Another connection, which says nothing; close it with `with`."""
        return dial(self.address, self.timeout)

    def send_packet(self, command: bytes, payload: bytes = b"") -> None:
        with self._losing():
            live = self._live()
            live.put(command, payload)
            live.flush()

    def read_packet(self) -> tuple[bytes, bytes]:
        with self._losing():
            return self._live().read(self.timeout)

    @contextlib.contextmanager
    def _losing(self) -> Iterator[None]:
        try:
            yield
        except MilterLostError as lost:
            self._lost = lost
            if self._wire is not None:
                self._wire.socket.close()
            raise

    def _live(self) -> Wire:
        if self._lost is not None:
            raise self._lost
        if self._wire is None:
            with self._losing():
                self._wire = self._dial()
        return self._wire

    def _dial(self) -> Wire:
        try:
            peer = dial(self.address, self.timeout)
        except OSError as error:
            raise MilterLostError(f"{self.address}: {error}") from error
        made = Wire(peer, self.transcript if self._keep_transcript else None)
        try:
            self.terms = negotiate(made, self._offer, self.timeout)
        except BaseException:
            peer.close()
            raise
        return made

    def _step(self, stage: Stage, payload: bytes = b"") -> Reply:
        if self._verdict is not None:
            return self._verdict[0]
        with self._losing():
            reply = self._event(self._live(), stage, payload)
        refused_recipient = stage is events.RCPT and reply.refuses
        if reply.kind == "skip":
            self._skipped = stage
        elif reply.final and stage in {events.CONNECT, events.HELO}:
            self._verdict = reply, stage
            self._hang_up()
        elif stage is events.EOM or (reply.final and not refused_recipient):
            self._decide(reply, stage)
        return reply

    def _decide(self, reply: Reply, stage: Stage) -> None:
        self.outcome.decide(reply, stage.name, smtp_text(reply, self.flavour))

    def _hang_up(self) -> None:
        """A verdict on the connection: Postfix just closes, Sendmail says QUIT."""
        live = self._live()
        if self.flavour == "sendmail":
            live.put(b"Q")
            live.flush()
        live.socket.close()

    def _event(self, live: Wire, stage: Stage, payload: bytes) -> Reply:
        self._at = stage.name
        if stage.since > self.terms.version or stage is self._skipped:
            return GO_ON  # not even the macros
        self._skipped = None
        awaited = not stage.unanswered & self.terms.steps
        if awaited:
            live.refuse_unasked(f"before {stage.name}")
        if (names := self._macros.wanted(stage, self.terms)) is not None:
            live.put(b"D", stage.command + self._macros.payload(stage, names))
        if not stage.declined & self.terms.steps:
            live.put(stage.command, payload)
            if awaited:
                return self._answer(live, stage)
        if not self._corked:
            live.flush()
        return GO_ON

    def _answer(self, live: Wire, stage: Stage) -> Reply:
        live.flush()
        while True:
            command, payload = live.read(self.timeout)
            if command == events.PROGRESS and not payload:
                continue  # it has all its time again
            if command not in events.EDITS:
                break
            if stage is not events.EOM:
                raise ProtocolViolation(f"{command!r} {payload!r} at {stage.name}")
            if not events.EDITS[command] & self.terms.actions:
                raise ProtocolViolation(f"{command!r}: not in {self.terms.actions!r}")
            self.outcome.edit(command, payload)

        reply = Reply.parse(command, payload, stage.name)
        if reply.kind == "discard" and stage in {events.CONNECT, events.HELO}:
            raise ProtocolViolation(f"discard at {stage.name}")
        # libmilter's manual allows SKIP in xxfi_body() only, and Sendmail means it:
        # elsewhere it stops asking the filter. Postfix takes it at each event.
        elsewhere = self.flavour == "sendmail" and stage is not events.BODY
        if reply.kind == "skip" and (elsewhere or not self.terms.steps & Steps.SKIP):
            raise ProtocolViolation(f"skip at {stage.name}")
        if stage is events.EOM:
            live.refuse_unasked("after the verdict")
        return reply
