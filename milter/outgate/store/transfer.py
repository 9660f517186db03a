"""The registry as lines of JSON, out of one store and into another one.

First a line that says what follows, then one for each subscription, then one that says
how many there were, with a digest of all before it: a file that was cut off is told.
Nothing is decrypted, and nothing is read whole: both ways take one batch of memory. What
comes in obeys the order of records as everything else does, so again does no harm, and
an old file takes back no withdrawal.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from itertools import islice
from typing import Any

import redis

from outgate.model.errors import EX_CONFIG, EvidenceError, StartError
from outgate.model.optin_order import PRECEDENCE_BYTES, is_record
from outgate.store.consents import BUCKETS
from outgate.store.hashes import SUBSCRIBER_BYTES
from outgate.store.keys import Keys
from outgate.store.registry import Registry
from outgate.store.steps import Mode, Step
from outgate.store.subscriptions import Tally
from outgate.store.trouble import Client, as_store_error, run

FORM = "outgate-optin"
VERSION = 1
MAX_LINE_BYTES = 16_384
"""A row with the largest evidence, as base64, has half of it."""

# 64 hashes of 61 subscribers and their evidence: 1.5 MB.
_BUCKETS_A_ROUND = 64


def export(
    client: Client,
    keys: Keys,
    lists: Iterable[tuple[str, str]],
    secret_id: str,
    unreadable: Callable[[str], None],
) -> Iterator[bytes]:
    """Yield the lines, each with its end.

    Args:
        client: of the store.
        keys: of our namespace.
        lists: customer and id of each.
        secret_id: of the secret under which they are kept.
        unreadable: told where something stands that is no record: it is left out.

    Raises:
        StoreError: the store did not answer.
    """
    lists = sorted(lists)
    digest = sha256()
    rows = 0
    head = {FORM: VERSION, "secret-id": secret_id, "lists": lists}
    line = _line(head)
    digest.update(line)
    yield line
    for list_id in sorted({list_id for _, list_id in lists}):
        for row in _rows(client, keys, list_id, unreadable):
            line = _line(row)
            digest.update(line)
            rows += 1
            yield line
    yield _line({"rows": rows, "sha256": digest.hexdigest()})


def _rows(
    client: Client, keys: Keys, list_id: str, unreadable: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    buckets = iter(range(BUCKETS))
    while some := list(islice(buckets, _BUCKETS_A_ROUND)):
        pipeline = client.pipeline(transaction=False)
        for bucket in some:
            # Evidence first: what is written between the two has its record, too.
            pipeline.hgetall(keys.evidence(list_id, bucket))
            pipeline.hgetall(keys.optin(list_id, bucket))
        try:
            replies = iter(run(pipeline))
        except redis.RedisError as error:
            raise as_store_error(error) from error
        for bucket, evidence, records in zip(some, replies, replies, strict=True):
            for field, record in sorted(records.items()):
                if not is_record(record) or len(field) != SUBSCRIBER_BYTES:
                    unreadable(f"{keys.optin(list_id, bucket)} {field.hex()}")
                    continue
                row = {
                    "list": list_id,
                    "bucket": bucket,
                    "field": _text(field),
                    "record": _text(record),
                }
                if field in evidence:
                    row["evidence"] = _text(evidence[field])
                yield row


class Restore:
    """Reads an export, and writes what it says."""

    def __init__(self, registry: Registry, secret_id: str) -> None:
        self._registry = registry
        self._secret_id = secret_id
        self._lists: set[str] = set()
        self._rows = 0
        self._digest = sha256()
        self._end: dict[str, Any] = {}

    def run(self, lines: Iterable[bytes]) -> Tally:
        """Write all rows.

        Args:
            lines: of the export; none longer than `MAX_LINE_BYTES`.

        Raises:
            EvidenceError: a line is not what it must be, or the last one is missing;
                what was told to the registry's `progress` is written.
            StartError: it was kept under another secret.
            StoreError: the store did not answer; again does no harm.
        """
        left = iter(lines)
        first = next(left, b"")
        self._digest.update(first)
        self._begin(_read(first, 1))
        tally = self._registry.writer.run(self._steps(left), Mode.APPLY)
        if not self._end:
            raise EvidenceError(f"ends after {self._rows} rows, before its end")
        if self._end != {"rows": self._rows, "sha256": self._digest.hexdigest()}:
            raise EvidenceError(
                f"its last line does not fit the {self._rows} rows before it"
            )
        return tally

    def _begin(self, head: dict[str, Any]) -> None:
        if FORM not in head:
            raise EvidenceError("line 1: is no export of `outgate optin export`")
        if head[FORM] != VERSION:
            raise EvidenceError(
                f"line 1: is of version {head[FORM]!r}, this Outgate knows {VERSION}"
            )
        if head.get("secret-id") != self._secret_id:
            raise StartError(
                f"secrets.file: its id is {self._secret_id}, the export was made under "
                f"another secret ({head.get('secret-id')!r}): copy that one to this host",
                EX_CONFIG,
            )
        try:
            for customer, list_id in head["lists"]:
                if not isinstance(customer, str) or not isinstance(list_id, str):
                    raise TypeError  # noqa: TRY301 - what stands there is no name
                self._registry.introduce(customer, list_id)
                self._lists.add(list_id)
        except (KeyError, TypeError, ValueError):
            raise EvidenceError("line 1: lists: expected pairs of names") from None

    def _steps(self, lines: Iterator[bytes]) -> Iterator[Step]:
        for number, line in enumerate(lines, 2):
            if self._end:
                raise EvidenceError(f"line {number}: stands behind the last one")
            row = _read(line, number)
            if "rows" in row:
                self._end = row
                continue
            self._digest.update(line)
            self._rows += 1
            yield self._step(row, number)

    def _step(self, row: dict[str, Any], number: int) -> Step:
        try:
            step = Step(
                row["list"],
                range(BUCKETS)[row["bucket"]],
                b64decode(row["field"], validate=True),
                b64decode(row["record"], validate=True),
                b64decode(row.get("evidence", ""), validate=True),
            )
        except (LookupError, TypeError, ValueError):
            raise EvidenceError(f"line {number}: is no subscription") from None
        if (
            step.list_id not in self._lists
            or len(step.field) != SUBSCRIBER_BYTES
            or not is_record(step.record)
            or 0 < len(step.evidence) <= PRECEDENCE_BYTES
        ):
            raise EvidenceError(f"line {number}: is no subscription")
        return step


def _line(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def _read(line: bytes, number: int) -> dict[str, Any]:
    if len(line) > MAX_LINE_BYTES:
        raise EvidenceError(f"line {number}: is longer than {MAX_LINE_BYTES} bytes")
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise EvidenceError(f"line {number}: is no JSON object")
    return row


def _text(value: bytes) -> str:
    return b64encode(value).decode()
