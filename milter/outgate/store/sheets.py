"""Evidence of paper: which of it is behind a recipient, and which is left at all.

Nothing leads from a scan to those who signed it: all evidence is looked through, a batch
at a time, and what is of paper is opened.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import redis

from outgate.model.consent import Grade
from outgate.model.errors import EvidenceError
from outgate.model.optin import Record
from outgate.model.optin_order import PRECEDENCE_BYTES, pack
from outgate.store.consents import BUCKETS, place_of
from outgate.store.evidence import Sealer, unseal
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.trouble import Client, as_store_error, run

# 64 hashes of 61 subscribers' evidence: 1 MB.
_BUCKETS_A_ROUND = 64
# The grade is the last byte of the precedence, which is not sealed.
_PAPER = pack(Record(grade=Grade.PAPER))[PRECEDENCE_BYTES - 1 : PRECEDENCE_BYTES]


class Sheets:
    """Reads evidence of paper."""

    def __init__(
        self, client: Client, keys: Keys, hashes: Hashes, sealer: Sealer
    ) -> None:
        """Nothing is sent yet."""
        self._client = client
        self._keys = keys
        self._hashes = hashes
        self._sealer = sealer

    def of(self, mailbox: str, lists: Iterable[tuple[str, str]]) -> Iterator[bytes]:
        """Raw records of paper behind a recipient; what cannot be opened is left out.

        Args:
            mailbox: canonical.
            lists: customer and id of each, lower case.

        Raises:
            StoreError: the store did not answer.
        """
        for customer, list_id in lists:
            place = place_of(self._hashes, customer, list_id, mailbox)
            pipeline = self._client.pipeline(transaction=False)
            pipeline.hget(self._keys.evidence(list_id, place.bucket), place.field)
            (value,) = _run(pipeline)
            if raw := self._opened(list_id, place.field, value or b""):
                yield raw

    def all(self, list_ids: Iterable[str]) -> Iterator[bytes | None]:
        """Raw records of paper on these lists; None for what cannot be opened.

        Raises:
            StoreError: the store did not answer.
        """
        for list_id in list_ids:
            buckets = iter(range(BUCKETS))
            while some := list(islice(buckets, _BUCKETS_A_ROUND)):
                pipeline = self._client.pipeline(transaction=False)
                for bucket in some:
                    pipeline.hgetall(self._keys.evidence(list_id, bucket))
                for found in _run(pipeline):
                    for field, value in found.items():
                        if _is_paper(value):
                            yield self._opened(list_id, field, value)

    def _opened(self, list_id: str, field: bytes, value: bytes) -> bytes | None:
        if not _is_paper(value):
            return None
        try:
            _, raw = unseal(self._sealer, list_id, field, value)
        except EvidenceError:
            return None
        return raw


def _is_paper(value: bytes) -> bool:
    return value[PRECEDENCE_BYTES - 1 : PRECEDENCE_BYTES] == _PAPER


def _run(pipeline: Client) -> list[Any]:
    try:
        return run(pipeline)
    except redis.RedisError as error:
        raise as_store_error(error) from error
