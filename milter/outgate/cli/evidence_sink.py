"""The registry as an import writes to it: batches, in processes of their own.

Judging a million rows takes as long as sealing and writing them, and there are two
processors: while one batch is written, the next is judged, and others wait for the disk,
which may take a second. In which order they end does not matter to the registry. A small
file is not worth a process.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from outgate.cli.optin_open import account
from outgate.model.errors import StoreUnavailable

if TYPE_CHECKING:
    from outgate.evidence.importing import Order
    from outgate.evidence.report import Report
    from outgate.model.optin import OptIn
    from outgate.store.registry import Registry
    from outgate.store.subscriptions import Tally

# About 20,000 rows, which are written in two seconds.
BACKGROUND_BYTES = 2 << 20


class RegistrySink:
    """Registers batches, and adds up what became of them."""

    def __init__(
        self, opening: Callable[[], "Registry"], *, in_background: bool
    ) -> None:
        """Open the registry.

        Args:
            opening: opens it, here and in the other process: it must be picklable.
            in_background: whether other processes write.

        Raises:
            OutgateError: it cannot be opened.
        """
        from outgate.evidence.importing import BATCHES_UNDER_WAY

        self._opening = opening
        self._registry = opening()
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
            future = self._pool.submit(_register, self._opening, list(optins))
        else:
            future = Future()
            future.set_result(self._registry.register(optins))
        return Batch(future, self._tallies)

    def tally(self) -> dict[str, object]:
        """What became of all of them, for programs."""
        from outgate.store.durability import Durability

        is_sure = all(one.durability is Durability.CONFIRMED for one in self._tallies)
        way = Durability.CONFIRMED if is_sure else Durability.UNCONFIRMED
        return {
            "kept": sum(one.kept for one in self._tallies),
            "future": sum(one.future for one in self._tallies),
            "durability": way.value,
        }

    def lines(self, found: "Report") -> Iterator[str]:
        """For a person."""
        sums = self.tally()
        if not found.registered and not found.withdrawn:
            yield "nothing to register"
            return
        if not self._tallies:
            yield "imported before: nothing was done; --again imports it anew"
            return
        yield (
            f"{found.registered} registered, {found.withdrawn} withdrawn; {found.new} "
            f"of them new or changed, durability={sums['durability']}"
        )

    def note(self, order: "Order", found: "Report", actor: str) -> None:
        """Write the audit.

        Raises:
            StoreError: the store did not answer.
        """
        if not self._tallies:
            return
        hashes = {one.file_sha256[:12] for one in order.origins.values()}
        self._registry.note(
            "evidence-imported",
            order.list_id,
            actor or account(),
            f"format={order.kind.name} sha256={','.join(sorted(hashes))} "
            f"registered={found.registered} withdrawn={found.withdrawn} "
            f"rejected={found.rejected}",
        )


class Batch:
    """A batch under way."""

    def __init__(self, future: "Future[Tally]", tallies: "list[Tally]") -> None:
        self._future = future
        self._tallies = tallies

    def result(self) -> int:
        """Wait until it is on disk; gives how many changed what was known.

        Raises:
            StoreError: the store did not answer, or the process that writes has died.
        """
        try:
            tally = self._future.result()
        except BrokenProcessPool:
            raise StoreUnavailable(
                "the process that writes has died: run it again, it goes on there"
            ) from None
        self._tallies.append(tally)
        return tally.new + tally.changed


_opened: "list[Registry]" = []


def _register(opening: "Callable[[], Registry]", optins: "list[OptIn]") -> "Tally":
    """Keep a batch, in the process that writes."""
    if not _opened:
        # Whoever gave the batch tells how far it is, and what went wrong.
        sys.stderr = Path("/dev/null").open("w")  # noqa: SIM115 - until the process ends
        _opened.append(opening())
    (registry,) = _opened
    return registry.register(optins)
