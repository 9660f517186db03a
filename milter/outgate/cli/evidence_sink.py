"""The registry as an import writes to it: batches, in processes of their own.

Judging a million rows takes as long as sealing and writing them, and there are two
processors: while one batch is written, the next is judged, and others wait for the disk,
which may take a second. In which order they end does not matter to the registry. A small
file is not worth a process.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from outgate.cli.optin_open import Opened, account
from outgate.model.errors import StoreUnavailable

if TYPE_CHECKING:
    from outgate.evidence.importing import Order, Written
    from outgate.evidence.report import Report
    from outgate.model.challenge import Witness
    from outgate.model.optin import OptIn
    from outgate.store.registry import Packed
    from outgate.store.subscriptions import Tally

# About 20,000 rows, which are written in two seconds.
BACKGROUND_BYTES = 2 << 20


class RegistrySink:
    """Registers batches, and adds up what became of them.

    Attributes:
        store_id: of the store that it writes to.
    """

    def __init__(self, opening: Callable[[], Opened], *, in_background: bool) -> None:
        """Open the registry.

        Args:
            opening: opens it, here and in the other process: it must be picklable.
            in_background: whether other processes write.

        Raises:
            OutgateError: it cannot be opened.
        """
        from outgate.evidence.importing import BATCHES_UNDER_WAY

        self._opening = opening
        self._opened = opening()
        self._registry = self._opened.registry
        self.store_id = self._store_id()
        self._tallies: list[Tally] = []
        # A fork would share what this process has open.
        self._pool = (
            ProcessPoolExecutor(BATCHES_UNDER_WAY, mp_context=get_context("spawn"))
            if in_background
            else None
        )

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the other processes, when they have done what they were given."""
        if self._pool is not None:
            self._pool.shutdown()

    def register(self, optins: "Sequence[OptIn]") -> "Batch":
        """Begin to keep them."""
        if self._pool is not None:
            from outgate.store.registry import packed

            rows = list(map(packed, optins))
            future = self._pool.submit(_register, self._opening, rows)
        else:
            future = Future()
            future.set_result(self._registry.register(optins))
        return Batch(future, self)

    def take(self, tally: "Tally") -> "Written":
        """Add up one batch.

        Raises:
            StoreError: the store did not answer, or was emptied meanwhile: what was
                noted as done is not there any more.
        """
        from outgate.evidence.importing import Written
        from outgate.store.durability import Durability

        if self._store_id() != self.store_id:
            raise StoreUnavailable(
                "was emptied, or replaced by another one, during the import: run it "
                "again, it begins anew"
            )
        self._tallies.append(tally)
        is_confirmed = tally.durability is Durability.CONFIRMED
        return Written(tally.new + tally.changed, is_confirmed)

    def warning(self) -> str:
        """What an operator should know before; "" for nothing.

        Raises:
            StoreError: the store did not answer.
        """
        from outgate.store.durability import Durability

        if self._registry.writer.durability() is Durability.CONFIRMED:
            return ""
        return (
            "durability=unconfirmed: the store does not say what is on disk, so nothing "
            "is noted of how far an import has come: one that was stopped begins anew"
        )

    def _store_id(self) -> str:
        from outgate.store.schema import read_store_id

        return read_store_id(self._opened.client, self._opened.keys)

    def tally(self, found: "Report") -> dict[str, object]:
        """What this run did, for programs; it takes the place of what the file holds."""
        if found.is_earlier:
            return {"imported-before": True, "registered": 0, "withdrawn": 0, "new": 0}
        return {"imported-before": False, **self._sums()}

    def _sums(self) -> dict[str, object]:
        from outgate.store.durability import Durability

        is_sure = all(one.durability is Durability.CONFIRMED for one in self._tallies)
        way = Durability.CONFIRMED if is_sure else Durability.UNCONFIRMED
        witnesses = self._witnesses()
        return {
            "challenges": {one.value: number for one, number in witnesses.items()},
            "kept": sum(one.kept for one in self._tallies),
            "future": sum(one.future for one in self._tallies),
            "durability": way.value,
        }

    def _witnesses(self) -> "Counter[Witness]":
        return sum((one.witnesses for one in self._tallies), Counter())

    def lines(self, found: "Report") -> Iterator[str]:
        """For a person."""
        if found.is_earlier:
            yield "imported before: nothing was done; --again imports it anew"
        elif not found.registered and not found.withdrawn:
            yield "nothing to register"
        else:
            yield (
                f"{found.registered} registered, {found.withdrawn} withdrawn; {found.new} "
                f"of them new or changed, durability={self._sums()['durability']}"
            )
            if said := self._witnesses():
                yield "claimed confirmations against the ledger of challenges: " + (
                    ", ".join(f"{number} {one}" for one, number in said.items())
                )

    def note(self, order: "Order", found: "Report", actor: str) -> None:
        """Write the audit.

        Raises:
            StoreError: the store did not answer.
        """
        if found.is_earlier or not self._tallies:
            return
        hashes = {one.file_sha256[:12] for one in order.origins.values()}
        self._registry.note(
            "evidence-imported",
            order.list_id,
            actor or account(),
            f"format={order.kind.name} sha256={','.join(sorted(hashes))} "
            f"registered={found.registered} withdrawn={found.withdrawn} "
            f"rejected={found.rejected}"
            + "".join(f" {one}={number}" for one, number in self._witnesses().items()),
        )


class Batch:
    """A batch under way."""

    def __init__(self, future: "Future[Tally]", sink: RegistrySink) -> None:
        self._future = future
        self._sink = sink

    def result(self) -> "Written":
        """Wait until it is on disk, where that can be known.

        Raises:
            StoreError: the store did not answer or was emptied, or the process that
                writes has died.
        """
        try:
            tally = self._future.result()
        except BrokenProcessPool:
            raise StoreUnavailable(
                "the process that writes has died: run it again, it goes on there"
            ) from None
        return self._sink.take(tally)


_opened: list[Opened] = []


def _register(opening: Callable[[], Opened], rows: "list[Packed]") -> "Tally":
    """Keep a batch, in the process that writes."""
    if not _opened:
        # Whoever gave the batch tells how far it is, and what went wrong.
        sys.stderr = Path("/dev/null").open("w")  # noqa: SIM115 - until the process ends
        _opened.append(opening())
    (opened,) = _opened
    return opened.registry.register_packed(rows)
