"""Who asked for a list's mail: the question, for the hot path, and what it learns.

A list's subscribers are in many small hashes over all slots of a Cluster, read by plain
HGET beside the limits, one for each recipient. A field is a keyed hash of the customer,
the list and the recipient: nobody mails by another one's consents, though the List-Id be
the same.
"""

from collections.abc import Sequence
from typing import NamedTuple

from outgate.model.optin import SOLICITED, Permission
from outgate.model.optin_order import pack as pack_record
from outgate.policy.questions import Registration
from outgate.store.hashes import SUBSCRIBER_BYTES, Hashes
from outgate.store.keys import Keys
from outgate.store.resp import known, pack
from outgate.store.scripts import Script
from outgate.store.steps import KEY_COUNT, Mode, Step
from outgate.store.wire import Reply

# With a million subscribers of a list, 61 in each: small enough for Redis to keep them
# packed (hash-max-listpack-entries is 128 or more).
BUCKETS = 16_384
_BUCKET_NAMES = [b"%d" % bucket for bucket in range(BUCKETS)]
_HGET = known("HGET")


class Place(NamedTuple):
    """Where a subscription is kept.

    Attributes:
        bucket: which of the list's hashes.
        field: in the hash.
    """

    bucket: int
    field: bytes


def place_of(hashes: Hashes, customer: str, list_id: str, mailbox: str) -> Place:
    """Where one customer's subscriber of one list is kept."""
    subscriber = hashes.subscriber(list_id, mailbox)
    return Place(bucket_of(subscriber), hashes.subscription(customer, subscriber))


def bucket_of(subscriber: bytes) -> int:
    """Which of a list's hashes a subscriber is in, whoever's list it is."""
    return int.from_bytes(subscriber[:2], "big") % BUCKETS


class Consents:
    """The question about recipients of a registered list."""

    def __init__(self, keys: Keys, hashes: Hashes) -> None:
        self._keys = keys
        self._hashes = hashes
        self._script = Script.load("optin")

    def ask(self, customer: str, list_id: str, people: Sequence[str]) -> list[bytes]:
        """One command for each recipient."""
        # Packed by hand: a message to a thousand people has a thousand of these.
        prefix = self._keys.optin_prefix(list_id)
        form = b"*3\r\n%b$%%d\r\n%b%%b}\r\n$%d\r\n%%b\r\n" % (
            _HGET,
            prefix.replace(b"%", b"%%"),
            SUBSCRIBER_BYTES,
        )
        size = len(prefix) + 1
        return [
            form % (size + len(bucket), bucket, field)
            for bucket, field in (
                (_BUCKET_NAMES[bucket_of(subscriber)], field)
                for subscriber, field in self._hashes.subscriptions(
                    customer, list_id, people
                )
            )
        ]

    def read(self, replies: Sequence[Reply]) -> list[bytes | None]:
        """The packed record of each, b"" for none, in the order of the question.

        None where there is trouble with the key: it says nothing of its subscribers.
        """
        return [_packed(reply) for reply in replies]

    def without(
        self, strangers: bytes, people: Sequence[str], permissions: Sequence[Permission]
    ) -> bytes:
        """Those of the strangers who have not asked for the list.

        Args:
            strangers: keyed hashes, as `charge` gives them.
            people: in the order of the question.
            permissions: of each, with what tokens say.
        """
        return self._hashes.only(
            strangers,
            (
                mailbox
                for mailbox, one in zip(people, permissions, strict=True)
                if one not in SOLICITED
            ),
        )

    def write(
        self, customer: str, list_id: str, news: Sequence[Registration], now: str
    ) -> list[bytes]:
        """Commands that put what tokens say into the registry.

        What was written there meanwhile stays where it counts more.

        Args:
            customer: whose list it is.
            list_id: lower case.
            news: of whom.
            now: microseconds since the epoch; "" for the server's time.
        """
        if not news:
            return []
        keys = self._keys
        # An erasure finds the list by this, even when no setting names it any more.
        member = keys.list_member(customer, list_id)
        commands = [pack((b"SADD", keys.optin_lists.encode(), member.encode()))]
        call = (b"EVAL", self._script.text)
        for one in news:
            place = place_of(self._hashes, customer, list_id, one.mailbox)
            step = Step(list_id, *place, pack_record(one.record))
            words = step.arguments(keys, Mode.APPLY, now)
            commands.append(pack((*call, b"%d" % KEY_COUNT, *words)))
            # The first one has taught it to the server.
            call = (b"EVALSHA", self._script.sha)
        return commands


def _packed(reply: Reply) -> bytes | None:
    if reply is None:
        return b""
    return reply if isinstance(reply, bytes) else None
