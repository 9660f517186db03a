"""One milter connection, sans-io: events in, replies out.

The engine that speaks the protocol (`libmilter` today) calls one method for each event
and tells the MTA what it gives back. Events may come in any order and stop at any
point: a probe that says nothing, ABORT at any stage, two messages in one session. What
makes no sense (end-of-message without MAIL) is answered like an error of ours.
"""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from outgate.message.dkim.canonical import EMPTY_BODY_SHA256, BodyHash
from outgate.message.wanted import WANTED_HEADERS
from outgate.model.client import Client, parse_client
from outgate.model.identity import Path
from outgate.model.trace import TRACE_HEADERS
from outgate.model.transaction import (
    MAX_HEADER_BYTES,
    Session,
    Transaction,
)
from outgate.model.verdict import Reply
from outgate.mta.effects import Effects, effects_of
from outgate.policy.at_recipient import RecipientCheck
from outgate.policy.gate import Gate

_SIZE = re.compile(rb"SIZE=(\d{1,15})", re.IGNORECASE)
# RFC 3461 §4.4 allows 100 characters, and §4.2 500.
_ENVELOPE_ID = re.compile(rb"ENVID=([!-~]{1,100})", re.IGNORECASE)
_OPTION = re.compile(rb"(?:NOTIFY|ORCPT)=[!-~]{1,500}", re.IGNORECASE)
_MOST_OPTIONS = 2
_DIGEST_BYTES = 16


# Each is its own key of the cache of sessions, and hashed as an object at no cost.
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Socket:
    """What is the same for all sessions of one listening socket.

    Attributes:
        path: smtp or local-submission.
        login_realm: for logins without one.
        local_user: whose socket it is, where the MTA does not tell.
        bodies: whether rules look at bodies.
        replies: `end-of-message`, `mail` or `recipient`.
    """

    path: Path = Path.SMTP
    login_realm: str = ""
    local_user: str = ""
    bodies: bool = True
    replies: str = "end-of-message"


@lru_cache(maxsize=4096)
def _session(
    socket: Socket,
    client: Client | None,
    version: str,
    mta_name: str,
    *,
    removes_recipients: bool,
) -> Session:
    """The value that all sessions of one client share."""
    return Session(
        client=client,
        path=socket.path,
        login_realm=socket.login_realm,
        local_user=socket.local_user,
        bodies=socket.bodies,
        # Sendmail gives a bare number.
        mta="postfix" if version.startswith("Postfix") else "sendmail",
        mta_name=mta_name,
        removes_recipients=removes_recipients,
    )


def wanted_headers(
    own_header: str, signed: AbstractSet[str] = frozenset()
) -> AbstractSet[str]:
    """Lower-case names of the headers that a transaction keeps.

    Args:
        own_header: the one that `tag` adds.
        signed: those that a signer covers, lower case.
    """
    return WANTED_HEADERS | TRACE_HEADERS | {own_header.lower()} | signed


class MilterSession:
    """From connect to close."""

    __slots__ = (
        "_asked",
        "_body_began",
        "_body_hash",
        "_check",
        "_gate",
        "_judged",
        "_named",
        "_own_header",
        "_refused",
        "_removes_recipients",
        "_session",
        "_socket",
        "_wanted",
        "transaction",
    )

    def __init__(
        self, socket: Socket, gate: Gate, wanted: AbstractSet[str], own_header: str
    ) -> None:
        self._socket = socket
        self._gate = gate
        self._wanted = wanted
        self._own_header = own_header
        self._removes_recipients = True
        self._session = _session(socket, None, "", "", removes_recipients=True)
        self._asked = False
        self._check: RecipientCheck | None = None
        self._refused: Reply | None = None
        self._named: set[bytes] = set()
        self._body_began = False
        self._body_hash: BodyHash | None = None
        self._judged: Transaction | None = None
        self.transaction: Transaction | None = None

    def negotiate(self, *, removes_recipients: bool) -> None:
        """Note what the MTA offers: some take no recipient out."""
        self._removes_recipients = removes_recipients

    def connect(self, address: str | None, version: str, mta_name: str) -> None:
        """Note the client.

        Args:
            address: the client's IP address, None where it has none.
            version: macro `v`: "Postfix 3.7.11" or a bare number.
            mta_name: macro `j`.
        """
        client: Client | None = None
        if address is not None and self._socket.path is Path.SMTP:
            client = parse_client(address)
        self._session = _session(
            self._socket,
            client,
            version,
            mta_name,
            removes_recipients=self._removes_recipients,
        )

    def mail(
        self, arguments: tuple[bytes, ...], login: str, certificate: str
    ) -> Reply | None:
        """Begin a transaction; a refusal only where the socket replies at MAIL."""
        self.abort()
        transaction = Transaction(
            session=self._session,
            sender=arguments[0] if arguments else b"",
            login=login,
            certificate=certificate,
        )
        for argument in arguments[1:]:
            if found := _SIZE.fullmatch(argument):
                transaction.declared_size_bytes = int(found[1])
            elif found := _ENVELOPE_ID.fullmatch(argument):
                transaction.envelope_id = found[1]
        self.transaction = transaction
        self._asked = False
        self._check = None
        self._refused = None
        self._named = set()
        self._body_began = False
        self._body_hash = None
        if self._socket.replies == "mail":
            return self._early()
        return None

    def recipient(
        self, arguments: tuple[bytes, ...], queue_id: str = ""
    ) -> Reply | None:
        """Note a recipient; a refusal only where the socket replies at RCPT.

        Args:
            arguments: of RCPT, as sent.
            queue_id: for the reply, "" where the MTA has none yet.
        """
        transaction = self.transaction
        if transaction is None:
            return None
        if self._socket.replies == "recipient":
            transaction.queue_id = queue_id
            reply = self._answer(transaction, arguments)
            if reply is not None:
                return reply
        self._note(transaction, arguments)
        return None

    def _answer(
        self, transaction: Transaction, arguments: tuple[bytes, ...]
    ) -> Reply | None:
        """Refuse all recipients of who is suspended, or one who has withdrawn."""
        if not self._asked:
            # Whom a message goes to changes nothing: the first answer is that of
            # all, and the observers hear of one refusal.
            self._asked = True
            self._note(transaction, arguments)
            self._refused = self._early()
            self._check = self._gate.recipient_check(transaction)
            transaction.recipient_count = 0
            transaction.recipients.clear()
            transaction.recipient_options.clear()
            self._named.clear()
        if self._refused is not None or self._check is None:
            return self._refused
        path = arguments[0] if arguments else b""
        reply = self._check.refusal(path, transaction)
        if reply is not None:
            transaction.refused_count += 1
        return reply

    def _note(self, transaction: Transaction, arguments: tuple[bytes, ...]) -> None:
        """Keep a recipient, who is one however often he is named."""
        path = arguments[0] if arguments else b""
        if path in self._named:
            return
        transaction.recipient_count += 1
        if not transaction.too_many_recipients:
            self._named.add(path)
            transaction.recipients.append(path)
            if len(arguments) > 1:
                options = tuple(filter(_OPTION.fullmatch, arguments[1:]))
                if options:
                    transaction.recipient_options[path] = options[:_MOST_OPTIONS]

    def header(self, name: str, value: bytes) -> None:
        """Keep a header if a fact is read from it."""
        transaction = self.transaction
        if transaction is None:
            return
        size = transaction.header_bytes + len(name) + len(value) + 4
        transaction.header_bytes = size
        key = name.lower()
        if key in self._wanted:
            if size > MAX_HEADER_BYTES:
                transaction.headers_cut = True
                value = b""
            kept = transaction.headers.get(key)
            if kept is None:
                transaction.headers[key] = [value]
            else:
                kept.append(value)

    def body(self, chunk: bytes) -> bool:
        """Look at a chunk (64 KiB at most); True if no more is needed.

        Rules look at the first one; all are hashed where the message may be signed.
        """
        transaction = self.transaction
        if transaction is None:
            return True
        if not self._body_began:
            self._body_began = True
            if self._gate.wants_body(transaction):
                self._body_hash = BodyHash()
        if self._socket.bodies or self._body_hash is not None:
            transaction.body_bytes += len(chunk)
        if self._socket.bodies and not transaction.body_digest:
            transaction.body = chunk
            transaction.body_digest = blake2b(chunk, digest_size=_DIGEST_BYTES).digest()
        if self._body_hash is None:
            return True
        self._body_hash.feed(chunk)
        return False

    def end_of_message(self, queue_id: str) -> Effects:
        """Judge the message."""
        transaction = self.transaction
        if transaction is None:
            transaction = Transaction(session=self._session, failed=True)
        transaction.queue_id = queue_id
        if self._body_hash is not None:
            transaction.relaxed_body_sha256 = self._body_hash.digest()
        elif not self._body_began:
            transaction.relaxed_body_sha256 = EMPTY_BODY_SHA256
        if transaction.failed:
            decision = self._gate.fail(transaction)
        else:
            decision = self._gate.judge(transaction)
        # Only now: if judging raises, or the MTA does not do what it is told, `fail`
        # still knows whose message it was.
        self._judged, self.transaction = transaction, None
        return effects_of(decision, self._own_header)

    def answered(self) -> None:
        """Forget the message: the MTA was told everything."""
        self._judged = None

    def fail(self, queue_id: str) -> Effects:
        """Answer for a message that an exception of ours got in the way of."""
        transaction = self.transaction or self._judged
        if transaction is None:
            transaction = Transaction(session=self._session)
        self._judged = self.transaction = None
        transaction.queue_id = queue_id
        return effects_of(self._gate.fail(transaction), self._own_header)

    def mark_failed(self) -> None:
        """Note an exception in a stage that gets no reply; the answer comes at the end."""
        if self.transaction is None:
            self.transaction = Transaction(session=self._session)
        self.transaction.failed = True

    def abort(self) -> None:
        """Forget the transaction; the session goes on."""
        transaction, self.transaction = self.transaction, None
        if transaction is not None and transaction.refused_count:
            self._gate.give_up(transaction)

    def _early(self) -> Reply | None:
        if self.transaction is None or self._socket.path is Path.LOCAL_SUBMISSION:
            return None
        return self._gate.refusal(self.transaction)
