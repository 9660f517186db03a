"""What is remembered of one recipient, and how it is forgotten (GDPR Art. 15 and 17).

Nothing leads from a recipient to the keys that hold its hash: all contacts, contents and
windows of different ones are looked through, a batch at a time, and one field of each
list. Where a list had the recipient, the mark of the erasure stays, with its time alone:
so the list's next import does not bring the recipient back. A window may be of domains, clients or networks; there no recipient's hash is, but
by chance, once in four billion records.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

import redis

from outgate.model.contacts import WEEK_US
from outgate.model.optin import Record, State
from outgate.model.optin_order import read_record
from outgate.store.challenges import bucket_of
from outgate.store.consents import place_of
from outgate.store.durability import Flushing
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys, safe
from outgate.store.scripts import Script
from outgate.store.steps import Mode, Step
from outgate.store.subscriptions import Subscriptions
from outgate.store.trouble import Client, as_store_error

# Mail is looked up between any two of them.
_BATCH = 200
_KEYS_A_ROUND = 500
_WEEKS = 256
# As `age_of` in records.lua: what is younger than now is of now.
_WEEKS_AHEAD = 4
_EXACT_BYTES = 4
_GLOB = re.compile(r"[*?\[\]\\^]")


ListName = tuple[str, str]
"""Customer and id of a list."""


class Kind(StrEnum):
    """Where a recipient is remembered: the second word of the key."""

    CONTACTS = "contacts"
    DISTINCT = "distinct"
    CONTENT = "content"
    OPTIN = "optin"


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a recipient is remembered.

    Attributes:
        kind: of the place.
        name: the customer, or the list.
        limit: of `DISTINCT`, limit and identity; else "".
        contents: of `CONTENT`, how many had reached it; else 0.
        week_us: of `CONTACTS`, when the week of the last message began, microseconds
            since the epoch; else None.
        exact: whether four bytes of the hash agree, or only two and the page: of
            100,000 contacts, one stranger in 300 looks the same there.
        customer: of `OPTIN`, whose list it is; else "".
        record: of `OPTIN`, what is kept of the subscription, None where nobody can read
            it; else None.
        has_evidence: of `OPTIN`, whether evidence is kept.
        unreadable: of `OPTIN`, key and field of what is no record; "" where one is.
    """

    kind: Kind
    name: str
    limit: str = ""
    contents: int = 0
    week_us: int | None = None
    exact: bool = True
    customer: str = ""
    record: Record | None = None
    has_evidence: bool = False
    unreadable: str = ""

    @property
    def is_mark(self) -> bool:
        """Whether it is what an earlier erasure has left."""
        return self.record is not None and self.record.state is State.ERASED


@dataclass(slots=True)
class Report:
    """What was looked at, and what was found.

    Attributes:
        looked: how many keys of each kind; of `OPTIN`, lists.
        findings: by key.
        unusable: keys that somebody else has written: of another type than ours.
    """

    looked: Counter[Kind] = field(default_factory=Counter)
    findings: dict[str, Finding] = field(default_factory=dict)
    unusable: list[str] = field(default_factory=list)

    def found(self, kind: Kind) -> int:
        """In how many keys of a kind it was found."""
        return sum(one.kind is kind for one in self.findings.values())


def arguments(kind: Kind, one: bytes, *, commit: bool) -> tuple[str, bytes, str]:
    """What `erase.lua` gets, in the order of its contract."""
    return kind.value, one, "1" if commit else "0"


class Erasure:
    """Looks for recipients, and erases them."""

    def __init__(
        self,
        client: Client,
        keys: Keys,
        hashes: Hashes,
        progress: Callable[[int], None] | None = None,
        flushing: Flushing | None = None,
        *,
        test_now_us: Callable[[], int] | None = None,
    ) -> None:
        """Nothing is sent yet.

        Args:
            client: of the store.
            keys: of our namespace.
            hashes: under this host's secret.
            progress: told how many keys were looked at, after each batch; or None.
            flushing: of the client; by default for a server that is not embedded.
            test_now_us: another time than the server's, for lists.
        """
        self._client = client
        self._keys = keys
        self._hashes = hashes
        self._progress = progress
        self._lists = Subscriptions(
            client, keys, flushing or Flushing(client, keys), test_now_us=test_now_us
        )
        self._erase = client.register_script(Script.load("erase").text.decode())

    def look(
        self, mailbox: str, lists: Iterable[ListName], customers: Sequence[str] = ()
    ) -> Report:
        """Find a recipient; changes nothing.

        Args:
            mailbox: canonical, as `model.recipient` reads it.
            lists: customer and id of each, lower case, beyond those that the store knows.
            customers: names of whom alone is asked; empty for all.

        Raises:
            StoreError: the store did not answer.
        """
        return self._go(mailbox, lists, customers, commit=False)

    def erase(
        self, mailbox: str, lists: Iterable[ListName], customers: Sequence[str] = ()
    ) -> Report:
        """Take a recipient out; the report says where it was.

        Marks that an earlier erasure has left are no findings.

        Args:
            mailbox: as in `look`.
            lists: as in `look`.
            customers: as in `look`.

        Raises:
            StoreError: the store did not answer; what was erased stays so, and
                erasing again does no harm.
        """
        return self._go(mailbox, lists, customers, commit=True)

    def note(self, mailbox: str, report: Report, actor: str, customer: str) -> str:
        """Write an erasure into the audit; gives the name of the recipient there.

        Args:
            mailbox: canonical; only a keyed hash of it is written.
            report: of the erasure.
            actor: who ordered it.
            customer: of whom alone it was asked, "" for all.

        Raises:
            StoreError: the store did not answer.
        """
        name = self._hashes.erased(mailbox)
        text = ", ".join(f"{kind} {report.found(kind)}" for kind in Kind)
        if report.unusable:
            text += f"; left out {len(report.unusable)}"
        try:
            self._client.xadd(
                self._keys.audit,
                {
                    "event": "recipient-erased",
                    "name": name,
                    "actor": actor,
                    "until": "",
                    "text": f"{text}; customer {customer}" if customer else text,
                    "value": "",
                },
            )
        except redis.RedisError as error:
            raise as_store_error(error) from error
        return name

    def _go(
        self,
        mailbox: str,
        lists: Iterable[ListName],
        customers: Sequence[str],
        *,
        commit: bool,
    ) -> Report:
        report, wanted = Report(), set(lists) | self._known(customers)
        one = self._hashes.item(mailbox)
        try:
            seconds, _ = self._client.time()
            week = seconds * 1_000_000 // WEEK_US
            keys = self._of(customers) if customers else self._all()
            while batch := list(islice(keys, _BATCH)):
                self._look_into(batch, one, week, report, commit=commit)
                self._tell(report)
            names = iter(sorted(wanted))
            while some := list(islice(names, _BATCH)):
                self._look_into_lists(some, mailbox, report, commit=commit)
                self._tell(report)
            if commit and not customers:
                # Of all lists together, for a day.
                self._client.delete(
                    self._keys.challenged(self._hashes.challenged(mailbox))
                )
        except redis.RedisError as error:
            raise as_store_error(error) from error
        return report

    def _tell(self, report: Report) -> None:
        if self._progress is not None:
            self._progress(report.looked.total())

    def _known(self, customers: Sequence[str]) -> set[ListName]:
        """Lists that ever had subscribers, of these customers or of all."""
        try:
            members = self._client.smembers(self._keys.optin_lists)
        except redis.RedisError as error:
            raise as_store_error(error) from error
        names = (self._keys.list_of(one.decode("utf-8", "replace")) for one in members)
        return {
            name for name in names if name and (not customers or name[0] in customers)
        }

    def _all(self) -> Iterator[bytes]:
        """Keys of all customers."""
        for raw in self._scan("*", "hash"):
            if self._parts(raw)[0] in {Kind.CONTACTS, Kind.CONTENT}:
                yield raw
        yield from self._windows("*")

    def _of(self, customers: Sequence[str]) -> Iterator[bytes]:
        """Keys of some customers."""
        for customer in map(safe, customers):
            for key in (self._keys.contacts(customer), self._keys.content(customer)):
                if self._client.exists(key):
                    yield key.encode()
            pattern = _GLOB.sub(r"\\\g<0>", customer)
            yield from self._windows(pattern)

    def _windows(self, customer: str) -> Iterator[bytes]:
        for raw in self._scan(f"distinct:{{{customer}}}:*", "string"):
            if self._parts(raw)[0] == Kind.DISTINCT:
                yield raw

    def _scan(self, pattern: str, kind: str) -> Iterator[bytes]:
        yield from self._client.scan_iter(
            match=f"{self._keys.namespace}:{pattern}", count=_KEYS_A_ROUND, _type=kind
        )

    def _parts(self, raw: bytes) -> tuple[str, str, str]:
        return self._keys.parts(raw.decode("utf-8", "backslashreplace"))

    def _look_into(
        self, batch: list[bytes], one: bytes, week: int, report: Report, *, commit: bool
    ) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for raw in batch:
            kind = Kind(self._parts(raw)[0])
            words = arguments(kind, one, commit=commit)
            self._erase(keys=[raw], args=words, client=pipeline)
        for raw, reply in zip(
            batch, pipeline.execute(raise_on_error=False), strict=True
        ):
            name, tag, rest = self._parts(raw)
            kind = Kind(name)
            report.looked[kind] += 1
            if _is_usable(reply, raw, report) and reply[0]:
                found, last, compared = reply
                report.findings[raw.decode("utf-8", "backslashreplace")] = Finding(
                    kind,
                    tag,
                    limit=rest,
                    contents=found if kind is Kind.CONTENT else 0,
                    week_us=_began_us(last, week) if last >= 0 else None,
                    exact=compared == _EXACT_BYTES,
                )

    def _look_into_lists(
        self, names: list[ListName], mailbox: str, report: Report, *, commit: bool
    ) -> None:
        places = [
            (list_id, place_of(self._hashes, customer, list_id, mailbox))
            for customer, list_id in names
        ]
        reading = self._client.pipeline(transaction=False)
        for list_id, place in places:
            key = self._keys.optin(list_id, place.bucket)
            reading.hget(key, place.field)
            reading.hexists(self._keys.evidence(list_id, place.bucket), place.field)
        replies = iter(reading.execute(raise_on_error=False))
        usable = []
        for name, (list_id, place), kept, has_evidence in zip(
            names, places, replies, replies, strict=True
        ):
            report.looked[Kind.OPTIN] += 1
            key = self._keys.optin(list_id, place.bucket)
            if not _is_usable(kept, key.encode(), report):
                continue
            vault = self._keys.evidence(list_id, place.bucket)
            if not _is_usable(has_evidence, vault.encode(), report):
                continue
            usable.append(Step(list_id, *place))
            record = read_record(kept)
            # A mark of an erasure is no news to whoever erases.
            is_news = not (commit and record and record.state is State.ERASED)
            if has_evidence or (kept is not None and is_news):
                report.findings[f"{vault} {name[0]}"] = Finding(
                    Kind.OPTIN,
                    list_id,
                    customer=name[0],
                    record=record,
                    has_evidence=bool(has_evidence),
                    unreadable="" if record else f"{key} {place.field.hex()}",
                )
        if commit:
            self._lists.run_batch(usable, Mode.ERASE)
            self._forget_challenges(usable)

    def _forget_challenges(self, steps: Sequence[Step]) -> None:
        """Whoever is erased was never asked to confirm, as far as anybody remembers."""
        forgetting = self._client.pipeline(transaction=False)
        for step in steps:
            bucket = bucket_of(step.bucket)
            forgetting.hdel(self._keys.challenge(step.list_id, bucket), step.field)
            forgetting.hdel(self._keys.contradiction(step.list_id, bucket), step.field)
        if steps:
            forgetting.execute(raise_on_error=False)


def _is_usable(reply: object, key: bytes, report: Report | None) -> bool:
    """Whether a key could be looked at.

    Raises:
        redis.RedisError: what the store says of more than this one key.
    """
    if not isinstance(reply, Exception):
        return True
    # Older servers name the script first.
    if "WRONGTYPE" not in str(reply):
        raise reply
    if report is not None:
        report.unusable.append(key.decode("utf-8", "backslashreplace"))
    return False


def _began_us(last: int, week: int) -> int:
    age = (week - last) % _WEEKS
    return (week - (age if age < _WEEKS - _WEEKS_AHEAD else 0)) * WEEK_US
