"""Delivery status notifications: from the removal of a recipient to the mail.

A worker writes them to disk before the MTA is told whom to leave out; the keeper sends
them. One that could not be sent is tried again for five days, as long as an MTA tries.
"""

import socket
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from outgate.config.checks import parse_host_port
from outgate.config.settings import Settings
from outgate.daemon.digests import BUDGET_S, PAUSE_AFTER_FAILURE_S
from outgate.log.lines import Log
from outgate.message.dsn_options import (
    decode_xtext,
    original_recipient,
    wants_failures,
)
from outgate.message.facts import Facts
from outgate.metrics import names
from outgate.metrics.status import Status
from outgate.model.errors import MtaError
from outgate.model.transaction import Transaction
from outgate.model.units import SECOND_US
from outgate.model.verdict import Disposition, Reason, Removal
from outgate.notify.dsn import MAX_HEADER_CHARS, Failed, Returned, render
from outgate.notify.letter import send
from outgate.store.dsnspool import DsnSpool, Notification

RECIPIENTS_EACH = 500
"""Of one notification; a message with more of them has several."""

_GIVEN_UP_AFTER_US = 5 * 24 * 3600 * SECOND_US
_NULL_SENDERS = frozenset({"", "<>"})
# What tells a list's software, and its maintainer, which message it was.
_RETURNED = {
    "date": "Date",
    "from": "From",
    "subject": "Subject",
    "message-id": "Message-ID",
    "list-id": "List-Id",
}
_WHY: Mapping[Reason, str] = {
    Reason.CONSENT_WITHDRAWN: "Recipient withdrew consent from {list} ({reason})",
    Reason.LIST_WITHOUT_CONSENT: "No confirmed opt-in on file for {list} ({reason})",
}


class DsnWriter:
    """Writes down who is to be told of which recipients; the port `Reporter`."""

    def __init__(
        self, spool: DsnSpool, unique: Callable[[], str] | None = None
    ) -> None:
        self._spool = spool
        self._unique = unique or (lambda: uuid.uuid4().hex)

    def report(
        self,
        transaction: Transaction,
        facts: Facts,
        disposition: Disposition,
        now_us: int,
    ) -> None:
        """Write a notification for each `RECIPIENTS_EACH` removed recipients.

        Nobody is told where the message has the null sender (RFC 5321 §4.5.5), nor of
        recipients of whom the sender does not want to hear (RFC 3461 §4.1).

        Raises:
            OSError: the disk does not take it.
        """
        sender = _address(transaction.sender)
        if sender in _NULL_SENDERS:
            return
        headers = [
            (shown, values[0].decode("ascii", "replace")[:MAX_HEADER_CHARS])
            for name, shown in _RETURNED.items()
            if (values := transaction.headers.get(name))
        ]
        options = transaction.recipient_options
        wanted = [
            one
            for one in disposition.removed
            if wants_failures(options.get(one.path, ()))
        ]
        for part in _parts(wanted):
            self._spool.put(
                f"{now_us}-{self._unique()}",
                {
                    "to": sender,
                    "mta": transaction.session.mta_name,
                    "queue-id": transaction.queue_id,
                    "list": facts.list_id,
                    "arrived-us": now_us,
                    "envelope-id": decode_xtext(transaction.envelope_id),
                    "headers": headers,
                    "failed": [
                        [
                            _address(one.path),
                            one.reason.value,
                            original_recipient(options.get(one.path, ())),
                        ]
                        for one in part
                    ],
                },
            )


def _parts(removed: Sequence[Removal]) -> Iterator[list[Removal]]:
    left = iter(removed)
    while part := list(islice(left, RECIPIENTS_EACH)):
        yield part


def _address(path: bytes) -> str:
    text = path.decode("utf-8", "backslashreplace")
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text


class Dsns:
    """What waits to be sent; one thread of the keeper uses it."""

    def __init__(
        self,
        settings: Settings,
        spool: DsnSpool,
        status: Status,
        log: Log,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._notify = settings.notify
        self._spool = spool
        self._status = status
        self._log = log
        self._monotonic_s = monotonic_s
        self._not_before_s: dict[str, float] = {}

    def measure(self) -> str:
        """Tell the metric how many wait; gives the name of the newest, "" for none."""
        waiting = self._spool.names()
        self._status.put(names.DSNS_WAITING, len(waiting))
        return waiting[-1] if waiting else ""

    def send_due(self, now_us: int) -> None:
        """Send what is due, oldest first."""
        server = parse_host_port(self._notify.smtp)
        if server is None:
            return
        started_s = self._monotonic_s()
        waiting = self._spool.names()
        self._not_before_s = {
            name: until_s
            for name in waiting
            if (until_s := self._not_before_s.get(name, 0.0)) > started_s
        }
        for name in waiting:
            if self._monotonic_s() - started_s > BUDGET_S:
                self._log.warning("dsns-late", message="the others wait for a round")
                return
            if name in self._not_before_s:
                continue
            with self._spool.take(name) as notification:
                if notification is not None:
                    self._send(name, notification, server, now_us)

    def _send(
        self,
        name: str,
        notification: Notification,
        server: tuple[str, int],
        now_us: int,
    ) -> None:
        try:
            returned = _returned(notification)
        except (KeyError, TypeError, ValueError):
            self._log.error("dsn-unusable", name=name)
            self._spool.drop(name)
            return
        sender = self._notify.sender or f"MAILER-DAEMON@{returned.mta}"
        try:
            report = render(returned, sender=sender, now_us=now_us)
            send(report, *server, to=returned.to)
        except MtaError as error:
            late = returned.arrived_us + _GIVEN_UP_AFTER_US < now_us
            self._fail(name, returned.queue_id, _trouble(error), late=late)
        else:
            self._spool.drop(name)
            self._log.info(
                "dsn-sent",
                queue_id=returned.queue_id,
                recipients=len(returned.failed),
            )

    def _fail(self, name: str, queue_id: str, message: str, *, late: bool) -> None:
        self._status.count(names.NOTIFY_FAILURES, "dsn")
        if late:
            self._spool.drop(name)
            self._log.error("dsn-given-up", queue_id=queue_id, message=message)
        else:
            self._not_before_s[name] = self._monotonic_s() + PAUSE_AFTER_FAILURE_S
            self._log.warning("dsn-not-sent", queue_id=queue_id, message=message)


def _trouble(error: MtaError) -> str:
    """What is wrong, without addresses: a sender by VERP names the recipient."""
    cause = error.__cause__
    if isinstance(cause, ConnectionError | TimeoutError):
        return str(cause)
    return type(cause or error).__name__


def _returned(record: Notification) -> Returned:
    list_id = str(record["list"])
    return Returned(
        to=str(record["to"]),
        mta=str(record["mta"]) or socket.gethostname(),
        queue_id=str(record["queue-id"]),
        list_id=list_id,
        failed=[
            Failed(
                address=str(address),
                why=_WHY[Reason(reason)].format(list=list_id, reason=reason),
                original=str(original[0]) if original else "",
            )
            for address, reason, *original in record["failed"]
        ],
        headers=[(str(name), str(value)) for name, value in record["headers"]],
        arrived_us=int(record["arrived-us"]),
        envelope_id=str(record.get("envelope-id", "")),
    )
