"""Who asked for which list: the registry of consent, for commands and importers.

Records stand in small hashes beside each other (`consents` reads them for messages),
evidence apart from them, sealed. Addresses are nowhere.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import redis

from outgate.model.consent import Grade
from outgate.model.errors import EvidenceError, UnreadableRecord
from outgate.model.optin import OptIn, Permission, Record
from outgate.model.optin_order import (
    PRECEDENCE_BYTES,
    is_record,
    pack,
    permission,
    read_record,
)
from outgate.model.optin_proof import Proof, proof_of
from outgate.store.consents import BUCKETS, Place, place_of
from outgate.store.durability import Flushing
from outgate.store.evidence import Sealer, seal, text_of, unseal
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.ledger import Ledger
from outgate.store.steps import Mode, Step
from outgate.store.subscriptions import Progress, Subscriptions, Tally
from outgate.store.trouble import Client, as_store_error, run

# Mail is looked up between any two of them.
_BUCKETS_A_ROUND = 200
_ERASED_AT = slice(8, 9)


@dataclass(frozen=True, slots=True)
class Found:
    """What is kept of one subscription.

    Attributes:
        record: the one that counts.
        has_evidence: whether there is any, of this consent or of an older one.
    """

    record: Record
    has_evidence: bool


@dataclass(frozen=True, slots=True)
class Count:
    """How many records a list has.

    Attributes:
        by_permission: without those that were erased.
        erased: marks of erasures.
    """

    by_permission: Counter[Permission]
    erased: int

    @property
    def subscribers(self) -> int:
        """How many have not withdrawn, whatever stands behind them."""
        others = (Permission.WITHDRAWN, Permission.UNKNOWN)
        return self.by_permission.total() - sum(
            map(self.by_permission.__getitem__, others)
        )


Packed = tuple[str, str, str, bytes, bytes]
"""Customer, list, mailbox, packed record, and what is to be sealed, b"" for nothing."""


def packed(optin: OptIn) -> Packed:
    """A consent in the fewest objects: a tenth of the time to hand to another process."""
    record = optin.record
    text = text_of(record, optin.evidence) if optin.evidence else b""
    return optin.customer, optin.list_id, optin.mailbox, pack(record), text


class Registry:
    """Writes and reads subscriptions of lists."""

    def __init__(
        self,
        client: Client,
        keys: Keys,
        hashes: Hashes,
        *,
        flushing: Flushing | None = None,
        sealer: Sealer | None = None,
        progress: Progress | None = None,
        ledger: Ledger | None = None,
        test_now_us: Callable[[], int] | None = None,
    ) -> None:
        """Nothing is sent yet.

        Args:
            client: of the store, with the patience of `durability.PATIENCE_S`.
            keys: of our namespace.
            hashes: under this host's secret.
            flushing: of the client; by default for a server that is not embedded.
            sealer: where evidence is written or read.
            progress: told after each batch what is on disk now; or None.
            ledger: with which claimed confirmations are compared; or None.
            test_now_us: another time than the server's.
        """
        self._client = client
        self._keys = keys
        self._hashes = hashes
        self._sealer = sealer
        self.ledger = ledger
        self._known: set[tuple[str, str]] = set()
        self.writer = Subscriptions(
            client,
            keys,
            flushing or Flushing(client, keys),
            progress,
            test_now_us=test_now_us,
        )

    def register(self, optins: Iterable[OptIn]) -> Tally:
        """Write consents with what stands behind them.

        Raises:
            StoreError: the store did not answer; what was told to `progress` is on disk,
                and registering again does no harm.
        """
        return self.register_packed(map(packed, optins))

    def register_packed(self, optins: Iterable[Packed]) -> Tally:
        """Write consents that `packed` gave, here or in another process.

        Raises:
            StoreError: as `register`.
        """
        ledger = self.ledger
        if ledger is None:
            return self.writer.run(map(self._step, optins), Mode.APPLY)
        ledger.found.clear()
        steps = map(self._step, ledger.compared(optins))
        tally = self.writer.run(steps, Mode.APPLY)
        tally.witnesses = Counter(ledger.found)
        return tally

    def load(
        self, customer: str, list_id: str, mailboxes: Iterable[str], grade: Grade
    ) -> Tally:
        """Register subscribers on an operator's word: without time and evidence.

        Everything that has a time counts more, but an address in a file.

        Raises:
            StoreError: as `register`.
        """
        return self._apply(customer, list_id, mailboxes, Record(grade=grade))

    def withdraw(
        self, customer: str, list_id: str, mailboxes: Iterable[str], record: Record
    ) -> Tally:
        """Note that they do not want the list's mail any more.

        Args:
            customer: whose list it is.
            list_id: lower case.
            mailboxes: canonical.
            record: of the withdrawal.

        Raises:
            StoreError: as `register`.
        """
        return self._apply(customer, list_id, mailboxes, record)

    def remove(self, customer: str, list_id: str, mailboxes: Iterable[str]) -> Tally:
        """Take consents out, as if they had never been; `changed` are gone.

        Withdrawals and marks of erasures stay: they are the recipients', not ours.

        Raises:
            StoreError: as `register`.
        """
        steps = self._steps(customer, list_id, mailboxes, b"")
        return self.writer.run(steps, Mode.REMOVE)

    def find(self, customer: str, list_id: str, mailbox: str) -> Found | None:
        """What is kept of one subscription, None where there is nothing.

        Raises:
            UnreadableRecord: what is there is no record: somebody wrote it by hand, or a
                newer Outgate did.
            StoreError: the store did not answer.
        """
        place = place_of(self._hashes, customer, list_id, mailbox)
        pipeline = self._client.pipeline(transaction=False)
        key = self._keys.optin(list_id, place.bucket)
        pipeline.hget(key, place.field)
        pipeline.hexists(self._keys.evidence(list_id, place.bucket), place.field)
        packed, has_evidence = _run(pipeline)
        if packed is None:
            return None
        record = read_record(packed)
        if record is None:
            raise UnreadableRecord(f"{key} {place.field.hex()}")
        return Found(record, bool(has_evidence))

    def evidence(
        self, customer: str, list_id: str, mailbox: str, *, actor: str, why: str
    ) -> tuple[Record, bytes] | None:
        """The evidence that is kept, and the consent it stands behind; it is audited.

        Args:
            customer: whose list it is.
            list_id: lower case.
            mailbox: canonical.
            actor: who wants to see it.
            why: in a few words.

        Raises:
            EvidenceError: it cannot be opened.
            StoreError: the store did not answer; nothing is shown without an audit.
        """
        if self._sealer is None:
            raise EvidenceError("cannot be opened without a key")
        place = place_of(self._hashes, customer, list_id, mailbox)
        self.note("evidence-read", f"{list_id} {place.field.hex()}", actor, why)
        return self._open(self._sealer, list_id, place)

    def verify(self, customer: str, list_id: str, mailbox: str) -> Proof:
        """Whether the evidence that is kept is what the record says; nobody sees it.

        Args:
            customer: whose list it is.
            list_id: lower case.
            mailbox: canonical.

        Raises:
            EvidenceError: there is no key to open any with.
            UnreadableRecord: as `find`.
            StoreError: the store did not answer.
        """
        if self._sealer is None:
            raise EvidenceError("cannot be opened without a key")
        found = self.find(customer, list_id, mailbox)
        if found is None:
            return Proof.NONE
        place = place_of(self._hashes, customer, list_id, mailbox)
        try:
            opened = self._open(self._sealer, list_id, place)
        except EvidenceError:
            return Proof.UNREADABLE
        return proof_of(found.record, opened and opened[0])

    def count(self, list_id: str) -> Count:
        """How many records a list has, of all its customers.

        Raises:
            StoreError: the store did not answer.
        """
        by_permission: Counter[Permission] = Counter()
        erased = 0
        for values in self._values(list_id):
            by_permission.update(map(permission, values))
            erased += sum(
                value[_ERASED_AT] == b"x" and is_record(value) for value in values
            )
        by_permission[Permission.UNKNOWN] -= erased
        return Count(+by_permission, erased)

    def _open(
        self, sealer: Sealer, list_id: str, place: Place
    ) -> tuple[Record, bytes] | None:
        pipeline = self._client.pipeline(transaction=False)
        pipeline.hget(self._keys.evidence(list_id, place.bucket), place.field)
        (value,) = _run(pipeline)
        return unseal(sealer, list_id, place.field, value) if value else None

    def _values(self, list_id: str) -> Iterator[list[bytes]]:
        buckets = iter(range(BUCKETS))
        while some := list(islice(buckets, _BUCKETS_A_ROUND)):
            pipeline = self._client.pipeline(transaction=False)
            for bucket in some:
                pipeline.hvals(self._keys.optin(list_id, bucket))
            yield from _run(pipeline)

    def lists(self) -> set[tuple[str, str]]:
        """Customer and id of each list that ever had subscribers.

        Raises:
            ValueError: no grade: somebody wrote it by hand.
            StoreError: the store did not answer.
        """
        pipeline = self._client.pipeline(transaction=False)
        pipeline.smembers(self._keys.optin_lists)
        (members,) = _run(pipeline)
        found = (self._keys.list_of(one.decode("utf-8", "replace")) for one in members)
        return {one for one in found if one is not None}

    def introduce(self, customer: str, list_id: str) -> None:
        """Note that the customer's list has subscribers.

        Raises:
            StoreError: the store did not answer.
        """
        if (customer, list_id) in self._known:
            return
        pipeline = self._client.pipeline(transaction=False)
        pipeline.sadd(self._keys.optin_lists, self._keys.list_member(customer, list_id))
        _run(pipeline)
        self._known.add((customer, list_id))

    def note(self, event: str, name: str, actor: str, text: str) -> None:
        """Write into the audit what was done.

        Raises:
            StoreError: the store did not answer.
        """
        pipeline = self._client.pipeline(transaction=False)
        fields = {
            "event": event,
            "name": name,
            "actor": actor,
            "until": "",
            "text": text,
            "value": "",
        }
        pipeline.xadd(self._keys.audit, fields)
        _run(pipeline)

    def _apply(
        self, customer: str, list_id: str, mailboxes: Iterable[str], record: Record
    ) -> Tally:
        steps = self._steps(customer, list_id, mailboxes, pack(record))
        return self.writer.run(steps, Mode.APPLY)

    def _steps(
        self, customer: str, list_id: str, mailboxes: Iterable[str], packed: bytes
    ) -> Iterator[Step]:
        for mailbox in mailboxes:
            self.introduce(customer, list_id)
            place = place_of(self._hashes, customer, list_id, mailbox)
            yield Step(list_id, *place, packed)

    def _step(self, optin: Packed) -> Step:
        customer, list_id, mailbox, record, text = optin
        self.introduce(customer, list_id)
        place = place_of(self._hashes, customer, list_id, mailbox)
        sealed = b""
        if text:
            if self._sealer is None:
                raise EvidenceError("cannot be written without a key")
            precedence = record[:PRECEDENCE_BYTES]
            sealed = seal(self._sealer, list_id, place.field, precedence, text)
        return Step(list_id, *place, record, sealed)


def _run(pipeline: Client) -> list[Any]:
    try:
        return run(pipeline)
    except redis.RedisError as error:
        raise as_store_error(error) from error
