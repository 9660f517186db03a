"""Writes subscriptions: in batches, by `optin.lua`, each batch until it is on disk."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import redis

from outgate.model.challenge import Witness
from outgate.store.durability import Durability, Flushing
from outgate.store.keys import Keys
from outgate.store.scripts import Script
from outgate.store.steps import KEY_COUNT, Mode, Step
from outgate.store.trouble import Client, as_store_error

# Waiting for the disk takes a second at worst: seldom enough, and 5 MB at most.
BATCH = 10_000


class Done(NamedTuple):
    """What became of one step.

    Attributes:
        outcome: 1 changed, 0 kept as it was, -1 refused, since it is of the future.
        former: the packed record that was there, b"" for none.
    """

    outcome: int
    former: bytes


@dataclass(slots=True)
class Tally:
    """What became of all of them so far: each is on disk, where that can be known.

    Attributes:
        rows: how many.
        new: of these, where nothing was before.
        changed: where something was, and gave way.
        kept: where what was there counts more, or is the same.
        future: refused, since their time is more than ten minutes ahead of the store's.
        durability: whether the server says that it is on disk.
        witnesses: what the ledger of challenges said of claimed confirmations.
    """

    rows: int = 0
    new: int = 0
    changed: int = 0
    kept: int = 0
    future: int = 0
    durability: Durability = Durability.CONFIRMED
    witnesses: Counter[Witness] = field(default_factory=Counter)

    def add(self, done: Done) -> None:
        """Count one."""
        self.rows += 1
        if done.outcome < 0:
            self.future += 1
        elif not done.outcome:
            self.kept += 1
        elif done.former:
            self.changed += 1
        else:
            self.new += 1


Progress = Callable[[Tally], None]


class Subscriptions:
    """The writing side of the registry."""

    def __init__(
        self,
        client: Client,
        keys: Keys,
        flushing: Flushing,
        progress: Progress | None = None,
        *,
        test_now_us: Callable[[], int] | None = None,
    ) -> None:
        """Nothing is sent yet.

        Args:
            client: of the store, with a patience of `PATIENCE_S`.
            keys: of our namespace.
            flushing: of the same client.
            progress: told after each batch what is on disk now; or None.
            test_now_us: another time than the server's.
        """
        self._client = client
        self._keys = keys
        self._flushing = flushing
        self._progress = progress
        self._test_now_us = test_now_us
        self._script = Script.load("optin")

    def run(self, steps: Iterable[Step], mode: Mode) -> Tally:
        """Do all of them, a batch at a time.

        Raises:
            StoreError: the store did not answer; what was told to `progress` is done,
                more may be, and again does no harm.
        """
        tally = Tally()
        left = iter(steps)
        while batch := list(islice(left, BATCH)):
            for done in self.run_batch(batch, mode):
                tally.add(done)
            tally.durability = self.durability()
            if self._progress is not None:
                self._progress(tally)
        return tally

    def durability(self) -> Durability:
        """What a batch is that the server has answered.

        Raises:
            StoreError: the store did not answer.
        """
        try:
            return self._flushing.way.durability
        except redis.RedisError as error:
            raise as_store_error(error) from error

    def run_batch(self, batch: Sequence[Step], mode: Mode) -> list[Done]:
        """Do some in one flush; gives what became of each.

        Raises:
            StoreError: as `run`.
        """
        if not batch:
            return []
        now = str(self._test_now_us()) if self._test_now_us is not None else ""
        pipeline = self._client.pipeline(transaction=False)
        call, name = pipeline.eval, self._script.text
        for step in batch:
            call(
                name,
                KEY_COUNT,
                *step.arguments(self._keys, mode, now),
            )
            # The first one has taught it to the server.
            call, name = pipeline.evalsha, self._script.sha
        try:
            return [Done(*reply) for reply in self._flushing.run(pipeline)]
        except redis.RedisError as error:
            raise as_store_error(error) from error
