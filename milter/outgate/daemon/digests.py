"""Who gets which digest of held mail, and when.

An MTA may take half a minute to not answer. So a round has a budget, and an address that
failed waits: neither keeps the others from their digests for long.
"""

import time
from collections import defaultdict
from collections.abc import Mapping

from outgate.config.checks import parse_host_port
from outgate.config.settings import Settings
from outgate.log.lines import Log
from outgate.metrics import names
from outgate.metrics.status import Status
from outgate.model.errors import MtaError
from outgate.model.units import to_us
from outgate.notify.digest import Held, render
from outgate.notify.letter import send
from outgate.store.claims import Claims
from outgate.store.keys import Keys

BUDGET_S = 60.0
PAUSE_AFTER_FAILURE_S = 300.0
# A claim outlives its claimant for so long, when that dies while it sends.
SENDING_S = 300


class Digests:
    """One digest to an address in `digest-every`, however many messages are held."""

    def __init__(
        self, settings: Settings, claims: Claims, keys: Keys, status: Status, log: Log
    ) -> None:
        self._notify = settings.notify
        self._claims = claims
        self._keys = keys
        self._status = status
        self._log = log
        self._not_before_s: dict[str, float] = {}

    def send_due(self, records: list[Mapping[str, str]], now_us: int) -> None:
        """Send what is due to owners and postmaster.

        Raises:
            StoreError: the store did not answer.
        """
        notify = self._notify
        server = parse_host_port(notify.smtp)
        if not notify.sender or server is None or not records:
            return
        oldest_us = min(int(record["since-us"]) for record in records)
        if oldest_us + to_us(notify.digest_after) > now_us:
            return
        by_address: dict[str, list[Held]] = defaultdict(list)
        for record in records:
            held = _held(record)
            if held.contact:
                by_address[held.contact].append(held)
            if notify.postmaster:
                by_address[notify.postmaster].append(held)
        started_s = time.monotonic()
        for address, held_for in by_address.items():
            if time.monotonic() - started_s > BUDGET_S:
                self._log.warning("digests-late", message="the others wait for a round")
                return
            self._send(address, held_for, server, now_us)

    def _send(
        self, address: str, held_for: list[Held], server: tuple[str, int], now_us: int
    ) -> None:
        notify = self._notify
        every_s = max(1, int(notify.digest_every.total_seconds()))
        if time.monotonic() < self._not_before_s.get(address, 0.0):
            return
        key = self._keys.digest(address)
        if not self._claims.claim(key, min(every_s, SENDING_S)):
            return
        try:
            send(
                render(held_for, sender=notify.sender, to=address, now_us=now_us),
                *server,
            )
        except MtaError as error:
            self._not_before_s[address] = time.monotonic() + PAUSE_AFTER_FAILURE_S
            self._claims.forget(key)
            self._status.count(names.NOTIFY_FAILURES, "digest")
            self._log.warning("digest-not-sent", message=str(error))
        else:
            self._claims.keep(key, every_s)
            self._log.info("digest-sent", to=address, messages=len(held_for))


def _held(record: Mapping[str, str]) -> Held:
    return Held(
        mta=record["mta"],
        queue_id=record["queue-id"],
        customer=record["customer"],
        contact=record.get("contact", ""),
        sender=record.get("sender", ""),
        recipients=int(record.get("recipients", 0)),
        size_bytes=int(record.get("size", 0)),
        reasons=record.get("reasons", ""),
        limits=record.get("limits", ""),
        since_us=int(record["since-us"]),
        until_us=int(record["until-us"]),
    )
