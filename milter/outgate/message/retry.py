"""What makes a second attempt the same message as the first.

A message that was refused for the time being comes again, and must not be counted
twice. The store keeps a keyed hash of what this module writes; nothing of it can be
read back.

Part of it: envelope sender, all recipients, Date, Subject, the body's digest, and the
Message-ID unless the MTA itself made it. Postfix (`date.queue-id@host`) and Sendmail
(`date.queue-id@host`) build one from the queue id where the client sent none, and a
retry has another queue id. Without a queue id one can't tell, so it stays out.

Limits: an MTA also adds a missing Date, and that one differs at the next attempt: a
client that sends neither Date nor Message-ID is counted for each of its attempts.
"""

from outgate.message.cfws import unfold
from outgate.message.headers import first_value
from outgate.model.transaction import Transaction

RETRY_HEADERS = frozenset({"date", "message-id", "subject"})

# Changes with what follows it, so that two versions never compare each other's.
_VERSION = b"retry-1"


def retry_material(transaction: Transaction) -> bytes:
    """Write the identity of a message as unambiguous bytes: netstrings.

    The order of RCPT commands, folds and angle brackets are no part of it.
    """
    recipients = [_without_brackets(path) for path in transaction.recipients]
    recipients.sort()
    parts = [
        _VERSION,
        _without_brackets(transaction.sender),
        b"%d" % transaction.recipient_count,
        b"%d" % len(recipients),
        *recipients,
    ]
    for name in ("date", "subject"):
        values = transaction.headers.get(name, ())
        parts.append(b"%d" % len(values))
        parts.extend(map(unfold, values))
    parts += (_own_message_id(transaction), transaction.body_digest)
    return b"".join([b"%d:%b," % (len(part), part) for part in parts])


def _without_brackets(path: bytes) -> bytes:
    # Postfix's local submission gives none, its SMTP server does.
    return path.strip().removeprefix(b"<").removesuffix(b">")


def _own_message_id(transaction: Transaction) -> bytes:
    """Give the Message-ID, or b"" where the MTA may have made it."""
    message_id = first_value(transaction.headers, "message-id") or b""
    queue_id = transaction.queue_id.encode("utf-8", "replace")
    local = message_id.rpartition(b"@")[0]
    return b"" if not queue_id or queue_id in local else message_id
