"""Who gets which digest of held mail, and when."""

from collections import defaultdict
from collections.abc import Mapping

from outgate.config.checks import parse_host_port
from outgate.config.settings import Settings
from outgate.log.lines import Log
from outgate.model.errors import MtaError
from outgate.model.units import to_us
from outgate.notify.digest import Held, render, send
from outgate.store.holds import Holds


class Digests:
    """One digest to an address in `digest-every`, however many messages are held."""

    def __init__(self, settings: Settings, holds: Holds, log: Log) -> None:
        self._notify = settings.notify
        self._holds = holds
        self._log = log

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
        every_s = int(notify.digest_every.total_seconds())
        for address, held_for in by_address.items():
            if not self._holds.claim_digest(address, every_s):
                continue
            try:
                send(
                    render(held_for, sender=notify.sender, to=address, now_us=now_us),
                    *server,
                )
            except MtaError as error:
                self._holds.forget_digest(address)
                self._log.warning("digest-not-sent", message=str(error))
            else:
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
        since_us=int(record["since-us"]),
        until_us=int(record["until-us"]),
    )
