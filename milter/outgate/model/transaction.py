"""One message on its way out, as the MTA shows it.

`mta.session` fills a transaction from MAIL to end-of-message; after that everyone
only reads it. There is one such object per message, so it is a plain one.
"""

from dataclasses import dataclass, field

from outgate.model.client import Client
from outgate.model.identity import Path

# A message may have any number of headers; facts are read from this many bytes of
# those that matter. OpenDKIM and Postfix (header_size_limit) stop at 100 KiB too.
MAX_HEADER_BYTES = 128 * 1024
# Postfix takes 1,000 (smtpd_recipient_limit). The store's script looks at each of them
# while nobody else is answered: so many stay below the time-out of a look-up.
MAX_RECIPIENTS_KEPT = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One milter connection: what stays the same for all its messages.

    Attributes:
        client: the SMTP client; None for a local submission or a unix socket.
        path: which kind of socket the MTA used.
        login_realm: appended to a login that has no realm of its own.
        local_user: whose socket it is, where the MTA does not tell the user.
        bodies: whether the MTA was asked for bodies.
        mta: "postfix" or "sendmail".
        mta_name: the MTA's own name for itself (macro `j`).
        removes_recipients: whether the MTA takes recipients out when it is told to.
    """

    client: Client | None = None
    path: Path = Path.SMTP
    login_realm: str = ""
    local_user: str = ""
    bodies: bool = True
    mta: str = "postfix"
    mta_name: str = ""
    removes_recipients: bool = True


@dataclass(slots=True, kw_only=True)
class Transaction:
    """From MAIL to end-of-message.

    Attributes:
        session: the connection it came by.
        sender: argument of MAIL, as sent.
        login: `{auth_authen}`, as the MTA gives it; "" without SASL.
        certificate: `{cert_subject}` of a verified client certificate, or "".
        declared_size_bytes: SIZE= of MAIL (RFC 1870), 0 where absent.
        envelope_id: ENVID= of MAIL (RFC 3461 §4.4), still in xtext; b"" where absent.
        recipient_options: by argument of RCPT: its NOTIFY= and ORCPT= (RFC 3461), of
            those who have any.
        recipients: different arguments of RCPT, as sent; at most
            `MAX_RECIPIENTS_KEPT`.
        recipient_count: how many there were, a repeated one counted once; beyond what
            is kept, all are taken for different.
        refused_count: how many arguments of RCPT were refused, each as often as it was
            named; none of them is among the recipients.
        headers: the headers that facts are read from: lower-case name to values, in
            the order they came.
        header_bytes: size of all headers.
        headers_cut: whether some were dropped beyond `MAX_HEADER_BYTES`.
        body: the first chunk of the body (64 KiB at most), b"" where unseen.
        body_digest: digest of it, b"" where unseen.
        body_bytes: size of the body as far as it was seen.
        relaxed_body_sha256: digest of the whole body as DKIM hashes it, b"" where it was
            not seen to its end.
        queue_id: the MTA's id, "" where unknown.
        failed: an exception fell in an earlier stage; the message is not judged.
    """

    session: Session
    sender: bytes = b"<>"
    login: str = ""
    certificate: str = ""
    declared_size_bytes: int = 0
    envelope_id: bytes = b""
    recipient_options: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    recipients: list[bytes] = field(default_factory=list)
    recipient_count: int = 0
    refused_count: int = 0
    headers: dict[str, list[bytes]] = field(default_factory=dict)
    header_bytes: int = 0
    headers_cut: bool = False
    body: bytes = b""
    body_digest: bytes = b""
    body_bytes: int = 0
    relaxed_body_sha256: bytes = b""
    queue_id: str = ""
    failed: bool = False

    @property
    def too_many_recipients(self) -> bool:
        """Whether there were more than are kept: nobody knows who the others are."""
        return self.recipient_count > MAX_RECIPIENTS_KEPT

    @property
    def size_bytes(self) -> int:
        """Best known size: what was declared, or what was seen if that is more."""
        return max(self.declared_size_bytes, self.header_bytes + self.body_bytes)
