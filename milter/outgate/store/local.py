"""Counters of this host alone, for as long as the store is away.

An SQLite file in the runtime directory is shared by the host's workers, so that the
limit holds for the host and not for each process. Each host grants its share: the limit
divided by the hosts that were last seen. What is counted here is not carried over when
the store comes back.

Mail that is held meanwhile is counted, too, or one customer could fill the disk. What
was held before is in the store, and not known here. Nor is how a customer behaved: where
its profile lets limits follow conduct, it has what a new one has, and never more than the
limits as they are written.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from outgate.model.gcra import Charge, check_all, refund, rescale
from outgate.model.limit import Count
from outgate.model.standing import WHOLE, scaled_burst, scaled_interval_us
from outgate.policy.questions import Answers, Plan, PlannedCharge, Source

_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS counter (
    key TEXT PRIMARY KEY, tat_us INTEGER NOT NULL, interval_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS held (
    customer TEXT PRIMARY KEY, messages INTEGER NOT NULL, bytes INTEGER NOT NULL,
    last_us INTEGER NOT NULL
) WITHOUT ROWID;
COMMIT;
"""
# Another worker's transaction takes well under a millisecond.
_BUSY_TIMEOUT_S = 0.25
# A count that nobody forgot when the store came back, since no worker lived to see it.
_HELD_TTL_US = 86_400_000_000


class LocalCounters:
    """Limits on this host, charged all or none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None

    def look_up(self, plan: Plan, now_us: int, hosts: int, *, commit: bool) -> Answers:
        """Check and charge this host's share of each limit.

        Args:
            plan: the questions; only its customer and charges are looked at.
            now_us: this machine's time.
            hosts: how many hosts share the limits.
            commit: False looks without charging.

        Raises:
            sqlite3.Error: the file cannot be used.
        """
        charges = [_share(charge, hosts) for charge in _charges(plan)]
        keys = _keys(plan)
        with self._lock, self._transaction() as database:
            tats = _read(database, keys, charges, now_us)
            allowed, levels, after = check_all(tats, charges, now_us)
            if commit:
                _write(database, keys, charges, tats, after)
            messages, size = _held(database, plan.customer, now_us)
        return Answers(
            now_us=now_us,
            source=Source.LOCAL,
            allowed=allowed,
            levels=levels,
            held_messages=messages,
            held_bytes=size,
            standing=_standing(plan),
        )

    def settle(self, plan: Plan, answers: Answers, hosts: int) -> None:
        """Give a charge back.

        Raises:
            sqlite3.Error: the file cannot be used.
        """
        if not answers.allowed:
            return
        charges = [_share(charge, hosts) for charge in _charges(plan)]
        keys = _keys(plan)
        with self._lock, self._transaction() as database:
            tats = _read(database, keys, charges, answers.now_us)
            after = [
                refund(tat, charge) if level.fits else tat
                for tat, charge, level in zip(
                    tats, charges, answers.levels, strict=True
                )
            ]
            _write(database, keys, charges, tats, after)

    def hold(self, customer: str, size_bytes: int, now_us: int) -> None:
        """Count a message that is held now.

        Raises:
            sqlite3.Error: the file cannot be used.
        """
        with self._lock, self._transaction() as database:
            messages, size = _held(database, customer, now_us)
            database.execute(
                "INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?)",
                (customer, messages + 1, size + size_bytes, now_us),
            )

    def held(self, customer: str, now_us: int) -> tuple[int, int]:
        """How many messages of a customer are held, and their bytes.

        Raises:
            sqlite3.Error: the file cannot be used.
        """
        if not self._path.exists():
            return 0, 0
        with self._lock, self._transaction() as database:
            return _held(database, customer, now_us)

    def forget_held(self) -> None:
        """Count anew: the store knows what is held.

        Raises:
            sqlite3.Error: the file cannot be used.
        """
        if self._path.exists():
            with self._lock, self._transaction() as database:
                database.execute("DELETE FROM held")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction; a file that is damaged is thrown away, and begun anew."""
        try:
            with self._open() as database:
                database.execute("BEGIN IMMEDIATE")
                yield database
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            self._database = None
            self._path.unlink(missing_ok=True)
            raise

    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            database = sqlite3.connect(
                self._path,
                timeout=_BUSY_TIMEOUT_S,
                isolation_level=None,
                check_same_thread=False,
            )
            # The file is worthless after a crash, so nothing waits for the disk. WAL
            # would be faster, but workers that open it at once may find it locked.
            database.execute("PRAGMA journal_mode=PERSIST")
            database.execute("PRAGMA synchronous=OFF")
            database.executescript(_SCHEMA)
            self._database = database
        return self._database


def _charges(plan: Plan) -> list[Charge]:
    standing = _standing(plan)
    return [
        Charge(
            scaled_interval_us(charge.rate.interval_us, standing),
            scaled_burst(charge.burst, standing),
            _cost(plan, charge),
            charge.binding,
        )
        if charge.earned
        else Charge(
            charge.rate.interval_us,
            charge.burst,
            _cost(plan, charge),
            charge.binding,
        )
        for charge in plan.charges
    ]


def _standing(plan: Plan) -> int:
    return plan.conduct.growth.start if plan.conduct is not None else WHOLE


def _cost(plan: Plan, charge: PlannedCharge) -> int:
    """Nobody here knows who is a stranger: all recipients are taken for one.

    Different ones are not counted, nor who asked for a registered list.
    """
    count = charge.limit.count
    if count.is_distinct or (count is Count.STRANGERS and not plan.greeting):
        return 0
    return charge.cost


def _keys(plan: Plan) -> list[str]:
    return [
        f"{plan.customer}\x00{charge.limit.name}\x00{charge.identity}"
        for charge in plan.charges
    ]


def _share(charge: Charge, hosts: int) -> Charge:
    """This host's part of a limit; at least one unit, or small limits would be none."""
    if hosts <= 1:
        return charge
    return Charge(
        charge.interval_us * hosts,
        max(1, charge.burst // hosts),
        charge.cost,
        charge.binding,
    )


def _read(
    database: sqlite3.Connection, keys: list[str], charges: list[Charge], now_us: int
) -> list[int]:
    tats = []
    for key, charge in zip(keys, charges, strict=True):
        row = database.execute(
            "SELECT tat_us, interval_us FROM counter WHERE key = ?", (key,)
        ).fetchone()
        tat_us, counted_us = row or (0, 0)
        tats.append(rescale(tat_us, counted_us, charge.interval_us, now_us))
    return tats


def _held(database: sqlite3.Connection, customer: str, now_us: int) -> tuple[int, int]:
    row = database.execute(
        "SELECT messages, bytes FROM held WHERE customer = ? AND last_us > ?",
        (customer, now_us - _HELD_TTL_US),
    ).fetchone()
    messages, size = row or (0, 0)
    return messages, size


def _write(
    database: sqlite3.Connection,
    keys: list[str],
    charges: list[Charge],
    before: list[int],
    after: list[int],
) -> None:
    database.executemany(
        "INSERT OR REPLACE INTO counter VALUES (?, ?, ?)",
        [
            (key, new, charge.interval_us)
            for key, charge, old, new in zip(keys, charges, before, after, strict=True)
            if new != old
        ],
    )
