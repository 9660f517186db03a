"""The ledger of challenges, for commands and importers: read in batches, compared.

A consent with a claimed confirmation is worth more where a challenge to its address left
before: `corroborated`. Where the list is declared to send its challenges through us and
none left, the claim is kept as it is, `asserted`, and the contradiction is noted beside
it: it is evidence for a person, who may know of a lost challenge, and takes no mail from
anybody by itself.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import redis

from outgate.model.challenge import (
    COVERAGE_FIELDS,
    TOLERANCE_S,
    Coverage,
    Entry,
    Witness,
    read_coverage,
    read_entry,
    read_number,
    witness,
)
from outgate.model.optin_order import claim_us, corroborated
from outgate.model.units import SECOND_US
from outgate.store.challenges import BUCKETS, bucket_of
from outgate.store.consents import Place, place_of
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.trouble import Client, as_store_error, run

BATCH = 10_000
_NOTHING = Entry()

Packed = tuple[str, str, str, bytes, bytes]
"""Customer, list, mailbox, packed record and evidence of an opt-in, as in `registry`."""

ListName = tuple[str, str]
"""Customer and id of a list."""


class Asked(NamedTuple):
    """What the ledger knows of one subscriber.

    Attributes:
        entry: his challenges.
        contradicted_s: claimed time of a confirmation without one; 0 for none.
    """

    entry: Entry
    contradicted_s: int


class Ledger:
    """Reads challenges, and notes contradictions."""

    def __init__(
        self,
        client: Client,
        keys: Keys,
        hashes: Hashes,
        *,
        retention_s: int,
        through_us: frozenset[ListName] = frozenset(),
    ) -> None:
        """Nothing is sent yet.

        Args:
            client: of the store.
            keys: of our namespace.
            hashes: under this host's secret.
            retention_s: how long challenges are kept.
            through_us: lists that are declared to send their challenges through us.
        """
        self._client = client
        self._keys = keys
        self._hashes = hashes
        self._retention_s = retention_s
        self._through_us = through_us
        self.found: Counter[Witness] = Counter()

    def is_declared(self, customer: str, list_id: str) -> bool:
        """Whether the list's challenges are said to leave through us."""
        return (customer, list_id) in self._through_us

    def coverage(self, customer: str, list_id: str) -> Coverage:
        """What is known of a list's challenges.

        Raises:
            StoreError: the store did not answer.
        """
        pipeline = self._client.pipeline(transaction=False)
        self._ask(pipeline, customer, list_id)
        return read_coverage(_run(pipeline)[0])

    def find(self, customer: str, list_id: str, mailbox: str) -> Asked:
        """What is known of one subscriber.

        Raises:
            StoreError: the store did not answer.
        """
        place = self._place(customer, list_id, mailbox)
        bucket = bucket_of(place.bucket)
        pipeline = self._client.pipeline(transaction=False)
        pipeline.hget(self._keys.challenge(list_id, bucket), place.field)
        pipeline.hget(self._keys.contradiction(list_id, bucket), place.field)
        packed, claimed = _run(pipeline)
        return Asked(read_entry(packed), read_number(claimed))

    def contradictions(self, list_id: str) -> int:
        """How many of a list's claims are contradicted, of all its customers.

        Raises:
            StoreError: the store did not answer.
        """
        pipeline = self._client.pipeline(transaction=False)
        for bucket in range(BUCKETS):
            pipeline.hlen(self._keys.contradiction(list_id, bucket))
        return sum(_run(pipeline))

    def compared(self, optins: Iterable[Packed]) -> Iterator[Packed]:
        """The same opt-ins; those that a challenge went before with a better grade.

        `found` counts what was said of each claim.

        Raises:
            StoreError: the store did not answer.
        """
        left = iter(optins)
        while batch := list(islice(left, BATCH)):
            yield from self._compare(batch)

    def _compare(self, batch: Sequence[Packed]) -> list[Packed]:
        claims = {
            at: claimed_us
            for at, (_, _, _, packed, _) in enumerate(batch)
            if (claimed_us := claim_us(packed))
        }
        if not claims:
            return list(batch)
        lists = sorted({batch[at][:2] for at in claims})
        pipeline = self._client.pipeline(transaction=False)
        pipeline.time()
        for name in lists:
            self._ask(pipeline, *name)
        (now_s, _), *known = _run(pipeline)
        coverages = dict(zip(lists, map(read_coverage, known), strict=True))
        entries = self._entries(batch, claims, coverages)
        compared = list(batch)
        noting = self._client.pipeline(transaction=False)
        for at, claimed_us in claims.items():
            customer, list_id, mailbox, packed, text = batch[at]
            coverage = coverages[customer, list_id]
            if not _may_know(coverage, claimed_us):
                # Most of a large import: nothing more is to be weighed.
                self.found[Witness.UNWITNESSED] += 1
                continue
            said = witness(
                claimed_us,
                entries.get(at, _NOTHING),
                coverage,
                now_s * SECOND_US,
                self._retention_s,
                through_us=(customer, list_id) in self._through_us,
            )
            self.found[said] += 1
            if said is Witness.CORROBORATED:
                better = corroborated(packed)
                compared[at] = (customer, list_id, mailbox, better, text)
            elif said is Witness.CONTRADICTED:
                place = self._place(customer, list_id, mailbox)
                key = self._keys.contradiction(list_id, bucket_of(place.bucket))
                noting.hset(key, place.field, str(claimed_us // SECOND_US))
        if len(noting):
            _run(noting)
        return compared

    def _entries(
        self,
        batch: Sequence[Packed],
        claims: Mapping[int, int],
        coverages: Mapping[ListName, Coverage],
    ) -> dict[int, Entry]:
        """Of those claims of which the ledger can know; a question for each hash."""
        asked: dict[str, list[tuple[int, bytes]]] = {}
        for at, claimed_us in claims.items():
            customer, list_id, mailbox, _, _ = batch[at]
            if not _may_know(coverages[customer, list_id], claimed_us):
                continue
            place = self._place(customer, list_id, mailbox)
            key = self._keys.challenge(list_id, bucket_of(place.bucket))
            asked.setdefault(key, []).append((at, place.field))
        if not asked:
            return {}
        pipeline = self._client.pipeline(transaction=False)
        for key, those in asked.items():
            pipeline.hmget(key, [field for _, field in those])
        return {
            at: read_entry(packed)
            for those, values in zip(asked.values(), _run(pipeline), strict=True)
            for (at, _), packed in zip(those, values, strict=True)
        }

    def _ask(self, pipeline: Client, customer: str, list_id: str) -> None:
        key = self._keys.challenges(customer, list_id)
        pipeline.hmget(key, list(COVERAGE_FIELDS))

    def _place(self, customer: str, list_id: str, mailbox: str) -> Place:
        return place_of(self._hashes, customer, list_id, mailbox)


def _may_know(coverage: Coverage, claimed_us: int) -> bool:
    """Whether a challenge could have been seen before a claim."""
    latest_s = claimed_us // SECOND_US + TOLERANCE_S
    return 0 < coverage.first_s <= latest_s


def _run(pipeline: Client) -> list[Any]:
    try:
        return run(pipeline)
    except redis.RedisError as error:
        raise as_store_error(error) from error
