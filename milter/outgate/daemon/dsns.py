"""Delivery status notifications: from the removal of a recipient to the mail.

A worker writes them to disk before the MTA is told whom to leave out; the keeper sends
them. One that could not be sent is tried again for five days, as long as an MTA tries.
"""

import re
import smtplib
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import islice

from outgate.config.checks import parse_host_port
from outgate.config.settings import Settings
from outgate.daemon.digests import BUDGET_S, PAUSE_AFTER_FAILURE_S
from outgate.log.lines import Log
from outgate.message.dsn_options import (
    decode_xtext,
    original_recipient,
)
from outgate.message.facts import Facts
from outgate.message.retry import retry_material
from outgate.metrics import names
from outgate.metrics.status import Status
from outgate.model.errors import MtaError
from outgate.model.transaction import Transaction
from outgate.model.units import SECOND_US
from outgate.model.verdict import Disposition, Reason, Removal
from outgate.notify.dsn import Failed, Returned, render
from outgate.notify.letter import send
from outgate.store.dsnspool import DsnSpool, Notification

RECIPIENTS_EACH = 500
"""Of one notification; a message with more of them has several."""

_GIVEN_UP_AFTER_US = 5 * 24 * 3600 * SECOND_US
_DAY_US = 24 * 3600 * SECOND_US
_TIDY_EVERY_S = 3600.0
_MANY = "too many notifications today"
# What tells a list's software, and its maintainer, which message it was; nothing that
# people read, since it is the sender's text.
_RETURNED = (
    ("date", "Date", re.compile(rb"[\w ,:+()-]{1,80}", re.ASCII)),
    ("message-id", "Message-ID", re.compile(rb"<[!-;=?-~]{1,250}>")),
)
_NAME_BYTES = 16
_PERMANENT = 500
_WHY: Mapping[Reason, str] = {
    Reason.CONSENT_WITHDRAWN: "Recipient withdrew consent from {list} ({reason})",
    Reason.LIST_WITHOUT_CONSENT: "No confirmed opt-in on file for {list} ({reason})",
}


class DsnWriter:
    """Writes down who is to be told of which recipients; the port `Reporter`."""

    def __init__(self, spool: DsnSpool, secret: bytes) -> None:
        self._spool = spool
        self._key = blake2b(key=secret, digest_size=32, person=b"dsn").digest()

    def report(
        self,
        transaction: Transaction,
        facts: Facts,
        customer: str,
        disposition: Disposition,
        now_us: int,
    ) -> str:
        """Write a notification for each `RECIPIENTS_EACH` removed recipients.

        Raises:
            OSError: the disk does not take it.
        """
        headers = [
            (shown, values[0].strip().decode("ascii"))
            for name, shown, plain in _RETURNED
            if (values := transaction.headers.get(name))
            and plain.fullmatch(values[0].strip())
        ]
        headers.append(("List-Id", f"<{facts.list_id}>"))
        options = transaction.recipient_options
        message = retry_material(transaction)
        notifications: dict[str, Notification] = {}
        for part in _parts(disposition.removed):
            who = b"\n".join(sorted(one.path for one in part))
            notifications[self._hash(message, who)] = {
                "to": _address(transaction.sender),
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
            }
        home = self._hash(customer.encode("utf-8", "surrogateescape"))
        kept = self._spool.put(home, notifications, now_us // _DAY_US)
        return "" if kept else _MANY

    def _hash(self, *parts: bytes) -> str:
        digest = blake2b(key=self._key, digest_size=_NAME_BYTES)
        for part in parts:
            digest.update(b"%d:%b," % (len(part), part))
        return digest.hexdigest()


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
        self._known = frozenset[str]()
        self._tidy_at_s = monotonic_s()

    def measure(self) -> bool:
        """Tell the metric how many wait; whether some came since the last time."""
        before, self._known = self._known, frozenset(self._spool.names())
        self._status.put(names.DSNS_WAITING, len(self._known))
        return not self._known <= before

    def send_due(self, now_us: int) -> None:
        """Send what is due: oldest first, one of each customer in turn."""
        if self._monotonic_s() >= self._tidy_at_s:
            self._tidy_at_s = self._monotonic_s() + _TIDY_EVERY_S
            self._spool.tidy(now_us / SECOND_US)
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
                if notification is None:
                    continue
                try:
                    self._send(name, notification, server, now_us)
                except Exception as error:  # noqa: BLE001 - the others must leave
                    self._set_aside(name, error)

    def _set_aside(self, name: str, error: Exception) -> None:
        self._status.count(names.NOTIFY_FAILURES, "dsn")
        self._log.error("dsn-unusable", name=name, message=type(error).__name__)
        self._spool.set_aside(name)

    def _send(
        self,
        name: str,
        notification: Notification,
        server: tuple[str, int],
        now_us: int,
    ) -> None:
        returned = _returned(notification)
        sender = self._notify.sender or f"MAILER-DAEMON@{returned.mta}"
        report = render(returned, sender=sender, now_us=now_us)
        try:
            send(report, *server, to=returned.to)
        except MtaError as error:
            late = returned.arrived_us + _GIVEN_UP_AFTER_US < now_us
            late = late or _is_final(error)
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


def _is_final(error: MtaError) -> bool:
    """Whether the MTA refused it for good (RFC 5321 §4.2.1)."""
    cause = error.__cause__
    if isinstance(cause, smtplib.SMTPRecipientsRefused):
        return all(code >= _PERMANENT for code, _ in cause.recipients.values())
    if isinstance(cause, smtplib.SMTPResponseException):
        return cause.smtp_code >= _PERMANENT
    return False


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
