"""The MTA's side of a milter session, behaving as Postfix or Sendmail does.

`MilterMta` offers the protocol, honours what the filter picks, sends the macros that
the real MTA would send at that moment, and turns the answers into an `Outcome`:

    with MilterMta("inet:127.0.0.1:8891", login="anne") as mta:
        outcome = mta.send(headers=[(b"Subject", b" hello")], body=b"hi\\r\\n")
        assert outcome.action == "accept"

Every event is also a method of its own, to stop anywhere (`lab.miltersession`). A
filter that goes away or stays silent gives the outcome "error", for the rest of the
session; as a step it raises `MilterLostError`. One that breaks the protocol raises
`ProtocolViolation`. An answer that nobody awaits is noticed at the latest in `quit`,
which reads until the filter closes, and `with` quits.

Limits: one filter, no STARTTLS, no recipients that the MTA itself refuses.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from lab.milterevents import (
    Actions,
    MilterLostError,
    ProtocolViolation,
    Reply,
    Steps,
)
from lab.miltermail import BODY_CHUNK, Header, Message, Outcome, split_message
from lab.miltersession import MilterSession

__all__ = [
    "Actions",
    "Message",
    "MilterLostError",
    "MilterMta",
    "Outcome",
    "ProtocolViolation",
    "Reply",
    "Steps",
    "run_parallel",
]

_A_MESSAGE = Message()
# A burst of connections waits for its turn in the filter, not for the network.
PARALLEL_TIMEOUT = 60.0


class MilterMta(MilterSession):
    """Whole messages, on top of the single events of a session."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if error is None:
            self.quit()
        else:
            self.close()

    def send(
        self,
        *,
        sender: bytes = _A_MESSAGE.sender,
        recipients: Sequence[bytes] = _A_MESSAGE.recipients,
        headers: Sequence[Header] = (),
        body: bytes = b"",
        message: bytes | None = None,
        mail_args: Sequence[bytes] = (),
        queue_id: str = "",
        chunk: int = BODY_CHUNK,
    ) -> Outcome:
        """Send one message, in parts or, as `message`, the bytes of all its content."""
        if message is not None:
            headers, body = split_message(message)
        return self.deliver(
            Message(
                sender=sender,
                recipients=recipients,
                headers=headers,
                body=body,
                mail_args=mail_args,
                queue_id=queue_id,
                chunk=chunk,
            )
        )

    def deliver(self, message: Message) -> Outcome:
        """Send one message, and before it whatever of the session is still missing."""
        started = time.monotonic()
        self.outcome = Outcome()
        self._corked = True
        try:
            self._transact(message)
        except MilterLostError as lost:
            self.outcome.fail(self._at, str(lost))
        finally:
            self._corked = False

        outcome = self.outcome
        outcome.elapsed_s = time.monotonic() - started
        if self._lost is None and self._verdict is None:
            self._after_message()
        return outcome

    def _transact(self, message: Message) -> None:
        if not self._connected:
            self.connect()
        if not self._greeted:
            self.helo()
        if self._verdict is not None:
            self._decide(*self._verdict)
            return

        args, queue_id = message.mail_args, message.queue_id
        if self.mail(message.sender, *args, queue_id=queue_id).final:
            return
        accepted = False
        for recipient in message.recipients:
            reply = self.rcpt(recipient)
            if self.outcome.action != "open":
                return
            accepted |= not reply.refuses
        if accepted:
            any(reply.final for reply in self._content(message))
        elif refusals := list(self.outcome.refused_recipients.values()):
            # The client comes again if there is hope for one of its recipients.
            hope = [text for text in refusals if text.startswith(b"4")]
            kind = Reply(kind="tempfail" if hope else "reject")
            self.outcome.decide(kind, "rcpt", (hope or refusals)[-1])

    def _content(self, message: Message) -> Iterator[Reply]:
        yield self.data()
        for name, value in message.headers:
            yield self.header(name, value)
        yield self.eoh()
        for chunk in message.chunks:
            yield self.body(chunk)
        yield self.eom()

    def _after_message(self) -> None:
        if self.flavour == "postfix-local":
            self.quit()  # cleanup(8) opens a session for each message
            return

        # smtpd(8) resets after each message. Sendmail does so only while it thinks
        # that the filter is in a message: from its answer to MAIL to the content.
        stopped = self.outcome.stage in {"rcpt", "data"}
        stopped &= self.outcome.action != "accept"
        answered = not self.terms.steps & (Steps.NOMAIL | Steps.NR_MAIL)
        if self.flavour == "postfix" or (stopped and answered):
            with contextlib.suppress(MilterLostError):
                self.abort()
        self._in_mail = False


def run_parallel(
    address: str,
    connections: int,
    messages: int,
    make_message: Callable[[int], Message],
    *,
    make_mta: Callable[[int], MilterMta] | None = None,
) -> list[Outcome]:
    """Send messages 0, 1, ... over so many sessions at once; outcomes in that order.

    Session k sends the messages k, k + connections, ..., and all sessions are open
    before the first message is sent. After an error the session starts anew, as the
    next SMTP client would. `make_mta` builds session k its own way.
    """

    def plain(_number: int) -> MilterMta:
        return MilterMta(address, timeout=PARALLEL_TIMEOUT, transcript=False)

    outcomes: dict[int, Outcome] = {}
    all_open = threading.Barrier(connections, timeout=PARALLEL_TIMEOUT)

    def session(number: int) -> None:
        try:
            with (make_mta or plain)(number) as mta:
                with contextlib.suppress(MilterLostError):
                    mta.open()  # if that fails, the first outcome says so
                all_open.wait()
                for index in range(number, messages, connections):
                    outcomes[index] = mta.deliver(make_message(index))
                    if outcomes[index].action == "error":
                        mta.close()
        except BaseException:
            all_open.abort()
            raise

    with ThreadPoolExecutor(connections) as pool:
        for done in [pool.submit(session, number) for number in range(connections)]:
            done.result()
    return [outcomes[index] for index in range(messages)]
