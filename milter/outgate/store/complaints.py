"""Complaints: kept for more than a year, found by id or by time, counted by person.

All counting is by sets of persons, so writing a complaint again changes nothing; the
record comes last, and only then a second delivery is a duplicate. A command that dies in
between is run again by the MTA, and counts nobody twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import redis

from outgate.model.complaint import (
    Attribution,
    Complaint,
    Outcome,
    Proof,
    Standing,
)
from outgate.store.keys import Keys
from outgate.store.trouble import Client, as_store_error, run

DAY_S = 86_400
KEPT_DAYS = 400
COUNTED_DAYS = 90
COPIES_DAYS = 30
MAX_COMPLAINTS = 100_000
MAX_COMPLAINANTS = 10_000
MAX_COPIES = 100
_US = 1_000_000
_WORDS = {
    "standing": Standing,
    "attribution": Attribution,
    "proof": Proof,
    "outcome": Outcome,
}


class Complaints:
    """The records, and who complained about whom."""

    def __init__(self, client: Client, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def find(self, complaint_id: str) -> Complaint | None:
        """One complaint, None where there is none that can be read.

        Raises:
            StoreError: the store did not answer.
        """
        (found,) = self._run([("hgetall", self._keys.complaint(complaint_id))])
        return _read(found)

    def latest(self, count: int) -> list[Complaint]:
        """The newest ones, newest first.

        Raises:
            StoreError: the store did not answer.
        """
        (ids,) = self._run([("zrevrange", self._keys.complaints, 0, count - 1)])
        calls = [
            ("hgetall", self._keys.complaint(one.decode("utf-8", "replace")))
            for one in ids
        ]
        return [one for one in map(_read, self._run(calls)) if one is not None]

    def write(self, complaint: Complaint, scopes: Iterable[str] = ()) -> bool:
        """Keep one, and count who complains.

        Args:
            complaint: the record.
            scopes: of its customer, `customer` and `list:<id>`: what it counts for.

        Returns:
            Whether it is new.

        Raises:
            StoreError: the store did not answer; writing it again does no harm.
        """
        keys, now_s = self._keys, complaint.time_us // _US
        calls: list[tuple[Any, ...]] = []
        for scope in scopes:
            place = keys.complained(complaint.customer, scope)
            calls += _add(
                place, complaint.complainant, now_s, COUNTED_DAYS, MAX_COMPLAINANTS
            )
        if complaint.outcome.is_strike and complaint.is_certain and complaint.customer:
            place = keys.strikes(complaint.customer)
            # One person is one strike, however often they complain.
            who = complaint.complainant
            calls += _add(place, who, now_s, KEPT_DAYS, MAX_COMPLAINANTS)
        if calls:
            self._run(calls)
        record = keys.complaint(complaint.id)
        new, *_ = self._run(
            [
                ("hsetnx", record, "id", complaint.id),
                ("hset", record, None, None, _packed(complaint)),
                ("expire", record, KEPT_DAYS * DAY_S),
                *_add(keys.complaints, complaint.id, now_s, KEPT_DAYS, MAX_COMPLAINTS),
            ]
        )
        if new:
            word = f"{complaint.attribution} {complaint.feed}"
            self._run([("hincrby", keys.complaint_totals, word, 1)])
        return bool(new)

    def copies(self, message: str, complainant: str, now_us: int) -> int:
        """Note who got a message from elsewhere; gives how many there are.

        Raises:
            StoreError: the store did not answer.
        """
        place = self._keys.copies(message)
        calls = _add(place, complainant, now_us // _US, COPIES_DAYS, MAX_COPIES)
        return int(self._run([*calls, ("zcard", place)])[-1])

    def complainants(
        self, customer: str, scopes: Sequence[str], now_us: int
    ) -> list[int]:
        """How many different people complained in the last 90 days, for each scope.

        Raises:
            StoreError: the store did not answer.
        """
        since_s = now_us // _US - COUNTED_DAYS * DAY_S
        return [
            int(count)
            for count in self._run(
                [
                    ("zcount", self._keys.complained(customer, one), since_s, "+inf")
                    for one in scopes
                ]
            )
        ]

    def cancel(self, complaint: Complaint, scopes: Iterable[str]) -> bool:
        """Take back what a person complained of: it is counted and held no more.

        Raises:
            StoreError: the store did not answer.
        """
        calls: list[tuple[Any, ...]] = [
            (
                "zrem",
                self._keys.complained(complaint.customer, scope),
                complaint.complainant,
            )
            for scope in scopes
        ]
        calls.append(
            ("zrem", self._keys.strikes(complaint.customer), complaint.complainant)
        )
        return any(self._run(calls))

    def totals(self) -> Mapping[tuple[str, str], int]:
        """How many there were, by attribution and feed.

        Raises:
            StoreError: the store did not answer.
        """
        (found,) = self._run([("hgetall", self._keys.complaint_totals)])
        totals = {}
        for word, count in found.items():
            attribution, _, feed = word.decode("utf-8", "replace").partition(" ")
            if count.isdigit():
                totals[attribution, feed] = int(count)
        return totals

    def _run(self, calls: Iterable[tuple[Any, ...]]) -> list[Any]:
        try:
            pipeline = self._client.pipeline(transaction=False)
            for name, *arguments in calls:
                getattr(pipeline, name)(*arguments)
            return run(pipeline)
        except redis.RedisError as error:
            raise as_store_error(error) from error


def _add(
    place: str, member: str, now_s: int, days: int, most: int
) -> list[tuple[Any, ...]]:
    """Calls that add a member, and drop what is too old or too much."""
    return [
        ("zadd", place, {member: now_s}),
        ("zremrangebyscore", place, "-inf", now_s - days * DAY_S),
        ("zremrangebyrank", place, 0, -most - 1),
        ("expire", place, days * DAY_S),
    ]


def _packed(complaint: Complaint) -> dict[str, str]:
    packed = {}
    for field in fields(complaint):
        value = getattr(complaint, field.name)
        if isinstance(value, bool):
            value = int(value)
        packed[field.name.replace("_", "-")] = str(value)
    return packed


def _read(found: Mapping[bytes, bytes]) -> Complaint | None:
    """A record, None where a person wrote something else there."""
    said = {
        name.decode("utf-8", "replace").replace("-", "_"): value.decode(
            "utf-8", "replace"
        )
        for name, value in found.items()
    }
    try:
        values: dict[str, Any] = {
            field.name: said[field.name] for field in fields(Complaint)
        }
        for name, words in _WORDS.items():
            values[name] = words(values[name])
        values["time_us"] = int(values["time_us"])
        values["incidents"] = int(values["incidents"])
        values["is_certain"] = values["is_certain"] == "1"
    except (KeyError, ValueError):
        return None
    return Complaint(**values)
