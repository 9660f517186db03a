"""Keyed hashes: all that the store learns of recipients and contents.

BLAKE2b with the secret as its key (RFC 7693 §2.8), a few bytes of it: enough to tell
apart what one customer has, too little to be an address.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b

from outgate.policy.questions import HASH_BYTES

BAND_BYTES = 3
BANDS = 12
RETRY_BYTES = 12
SUBSCRIBER_BYTES = 8
SHARED_BAND_BYTES = 6
ERASED_BYTES = 8


class Hashes:
    """Hashes under one secret; a purpose of its own for each kind."""

    def __init__(self, secret: bytes) -> None:
        self._item = blake2b(key=secret, digest_size=HASH_BYTES, person=b"item")
        self._band = blake2b(key=secret, digest_size=BAND_BYTES, person=b"band")
        self._retry = blake2b(key=secret, digest_size=RETRY_BYTES)
        self._shared = blake2b(
            key=secret, digest_size=SHARED_BAND_BYTES, person=b"shared"
        )
        self._subscriber = blake2b(
            key=secret, digest_size=SUBSCRIBER_BYTES, person=b"optin"
        )
        self._subscription = blake2b(
            key=secret, digest_size=SUBSCRIBER_BYTES, person=b"optin of"
        )
        self._challenged = blake2b(
            key=secret, digest_size=SUBSCRIBER_BYTES, person=b"challenged"
        )
        self._subscriptions = lru_cache(maxsize=1024)(self._of_customer)
        self._complainant = blake2b(
            key=secret, digest_size=SUBSCRIBER_BYTES, person=b"complainant"
        )
        self._erased = blake2b(key=secret, digest_size=ERASED_BYTES, person=b"erased")
        self.item = lru_cache(maxsize=65536)(self._hash_item)

    def items(self, items: Iterable[str]) -> bytes:
        """Hashes of different ones, in a row."""
        return b"".join(map(self.item, items))

    def without(self, hashes: bytes, items: Iterable[str]) -> bytes:
        """Leave these items out of hashes in a row."""
        left_out = set(map(self.item, items))
        each = (
            hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)
        )
        return b"".join(one for one in each if one not in left_out)

    def only(self, hashes: bytes, items: Iterable[str]) -> bytes:
        """Of hashes in a row, those of these items."""
        wanted = set(map(self.item, items))
        if not wanted:
            return b""
        each = (
            hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)
        )
        return b"".join(one for one in each if one in wanted)

    def bands(self, bands: Sequence[bytes]) -> bytes:
        """Hashes of the bands of a content, always `BANDS` of them, in a row.

        Equal bands at different places differ. What is compared as a whole has one
        band, and stands at all places.
        """
        whole = len(bands) == 1
        hashed = []
        for place in range(BANDS):
            digest = self._band.copy()
            digest.update(b"%d " % place)
            digest.update(bands[0 if whole else place])
            hashed.append(digest.digest())
        return b"".join(hashed)

    def subscriber(self, list_id: str, mailbox: str) -> bytes:
        """One subscriber of one list: the same person is another one elsewhere."""
        digest = self._subscriber.copy()
        digest.update(f"{list_id}\n{mailbox}".encode("utf-8", "surrogateescape"))
        return digest.digest()

    def subscription(self, customer: str, subscriber: bytes) -> bytes:
        """One customer's subscriber: nobody else's, though the list's id be the same.

        Args:
            customer: whose list it is.
            subscriber: as `subscriber` gives it.
        """
        digest = self._subscriptions(customer).copy()
        digest.update(subscriber)
        return digest.digest()

    def subscriptions(
        self, customer: str, list_id: str, mailboxes: Iterable[str]
    ) -> list[tuple[bytes, bytes]]:
        """Of each what `subscriber` gives, and `subscription`; for a thousand at a time."""
        of_list = self._subscriber.copy()
        of_list.update(f"{list_id}\n".encode("utf-8", "surrogateescape"))
        start, of_customer = of_list.copy, self._subscriptions(customer).copy
        found = []
        for mailbox in mailboxes:
            digest = start()
            digest.update(mailbox.encode("utf-8", "surrogateescape"))
            subscriber = digest.digest()
            digest = of_customer()
            digest.update(subscriber)
            found.append((subscriber, digest.digest()))
        return found

    def _of_customer(self, customer: str) -> blake2b:
        digest = self._subscription.copy()
        digest.update(f"{customer}\n".encode("utf-8", "surrogateescape"))
        return digest

    def challenged(self, mailbox: str) -> str:
        """Whoever is asked to confirm subscriptions, whatever the list."""
        digest = self._challenged.copy()
        digest.update(mailbox.encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def complainant(self, customer: str, who: str) -> str:
        """Whoever complains about a customer: somebody else where it is about another."""
        digest = self._complainant.copy()
        digest.update(f"{customer}\n{who}".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def erased(self, mailbox: str) -> str:
        """A recipient in the audit: comparable with nothing else that is kept."""
        digest = self._erased.copy()
        digest.update(mailbox.encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def shared_band(self, place: int, band: bytes) -> bytes:
        """One band, for contents of all customers."""
        digest = self._shared.copy()
        digest.update(b"%d " % place)
        digest.update(band)
        return digest.digest()

    def retry(self, material: bytes) -> str:
        """What identifies a retry."""
        digest = self._retry.copy()
        digest.update(material)
        return digest.hexdigest()

    def _hash_item(self, item: str) -> bytes:
        digest = self._item.copy()
        digest.update(item.encode("utf-8", "surrogateescape"))
        return digest.digest()
