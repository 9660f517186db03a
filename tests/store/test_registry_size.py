"""What a subscriber costs the store; `make verify` measures a million of them."""

import time
import tracemalloc
from collections.abc import Iterator
from ipaddress import ip_address
from itertools import islice
from pathlib import Path

import pytest

from bench.report import say
from lab.redis import RedisServer
from lab.skips import or_skip
from outgate.model.consent import Grade
from outgate.model.optin import (
    Method,
    OptIn,
    Permission,
    Record,
    State,
    ZoneSource,
    canonical_evidence,
    commitment_of,
)
from outgate.model.optin_order import pack
from outgate.signing.vault import Vault
from outgate.store.client import connect
from outgate.store.consents import BUCKETS
from outgate.store.durability import PATIENCE_S, Flushing
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.registry import Registry
from outgate.store.steps import Mode, Step
from outgate.store.subscriptions import Subscriptions
from outgate.store.transfer import Restore, export
from store.builders import START_US
from store.running import SECRET, Store, endpoint

LIST = "newsletter.members.choir.example"
CUSTOMER = "choir"
MOST_BYTES = 120
MOST_EVIDENCE_BYTES = 300
_AGENTS = """\
Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0
Mozilla/5.0 (iPhone; CPU iPhone OS 18_3_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
Gecko) Version/18.3 Mobile/15E148 Safari/604.1
Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) \
Chrome/131.0.0.0 Mobile Safari/537.36
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) \
Chrome/132.0.0.0 Safari/537.36
""".splitlines()


def subscribers(*, evidence: bool) -> Iterator[OptIn]:
    """People who confirmed on a web page, each with all that a record can hold."""
    number = 0
    while True:
        number += 1
        text = canonical_evidence(
            {
                "e": f"01JPA7Q3X8{number:016}",
                "ip": str(ip_address(0x20010DB8 << 96 | number * 0x9E3779B97F4A7C15)),
                "l": LIST,
                "m": "coi-web",
                "salt": f"{number * 0x9E3779B97F4A7C15 % 2**128:022x}"[:22],
                "t": "2026-03-14T09:26:53+01:00",
                "ua": _AGENTS[number % len(_AGENTS)],
                "url": f"https://lists.choir.example/confirm/{number * 2654435761:x}",
            }
        )
        record = Record(
            time_us=START_US - number,
            offset_minutes=60,
            zone=ZoneSource.EXPLICIT,
            method=Method.COI_WEB,
            grade=Grade.ASSERTED,
            evidence_id=f"01JPA7Q3X8{number:016}",
            commitment=commitment_of(text),
            source="mailman3",
        )
        yield OptIn(
            customer=CUSTOMER,
            list_id=LIST,
            mailbox=f"bart{number}@example.net",
            record=record,
            client_ip=ip_address("2001:db8::1"),
            evidence=text if evidence else b"",
        )


def test_a_full_bucket_stays_packed(store: Store, keys: Keys) -> None:
    """The longest records, and as many as the fullest of a million's hashes has."""
    packed = b"1" + b"\x01" * 7 + b"c5" + b"\xff" * 54
    writer = Subscriptions(store.client, keys, Flushing(store.client, keys))
    steps = [Step(LIST, 5, b"%8d" % one, packed) for one in range(110)]
    writer.run_batch(steps, Mode.APPLY)
    key = keys.optin(LIST, 5)
    assert store.client.hlen(key) == 110
    assert store.client.object("encoding", key) in {b"listpack", b"ziplist"}
    assert store.client.memory_usage(key) / 110 <= MOST_BYTES


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_counting_a_million_is_in_bounded_memory(store: Store, keys: Keys) -> None:
    """Some hashes at a time, however many there are."""
    most_bytes = 4 << 20
    count, a_bucket = 1_000_000, 1_000_000 // BUCKETS + 1
    longest = next(subscribers(evidence=False)).record
    packed = (
        pack(longest),
        pack(Record(state=State.WITHDRAWN, time_us=START_US)),
        pack(Record(state=State.ERASED, time_us=START_US)),
    )
    for bucket in range(BUCKETS):
        numbers = range(bucket * a_bucket, min((bucket + 1) * a_bucket, count))
        values = {b"%8d" % one: packed[max(one % 20 - 17, 0)] for one in numbers}
        if values:
            store.client.hset(keys.optin(LIST, bucket), mapping=values)
    registry = Registry(store.client, keys, Hashes(SECRET))

    tracemalloc.start()
    begun = time.perf_counter()
    counted = registry.count(LIST)
    took_s = time.perf_counter() - begun
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    say(
        f"counted {count} records in {took_s:.1f} s, traced; {peak_bytes} bytes at most"
    )
    assert counted.by_permission[Permission.ASSERTED] == counted.subscribers == 900_000
    assert counted.by_permission[Permission.WITHDRAWN] == 50_000
    assert counted.erased == 50_000
    assert peak_bytes <= most_bytes
    for bucket in range(BUCKETS):
        store.client.delete(keys.optin(LIST, bucket))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("flavour", ["redis", "valkey"])
def test_a_million_subscribers(flavour: str, tmp_path: Path) -> None:
    """Memory of records and evidence, time to write, to export and to restore."""
    settings = {"appendonly": "yes", "appendfsync": "everysec"}
    with or_skip():
        server = RedisServer(flavour, settings=settings)  # type: ignore[arg-type]
    count = 1_000_000
    with or_skip(), server:
        client = connect(endpoint(server), PATIENCE_S)
        keys, hashes = Keys(), Hashes(SECRET)
        flushing = Flushing(client, keys, server.directory)
        registry = Registry(
            client, keys, hashes, flushing=flushing, sealer=Vault(SECRET)
        )
        empty = client.info("memory")["used_memory"]
        begun = time.perf_counter()
        tally = registry.register(islice(subscribers(evidence=False), count))
        wrote_s = time.perf_counter() - begun
        each = (client.info("memory")["used_memory"] - empty) / count
        say(
            f"{flavour}: {count} records, {each:.1f} bytes each; written in "
            f"{wrote_s:.0f} s, {flushing.way}, durability={tally.durability}"
        )
        assert registry.count(LIST).subscribers == tally.new == count
        assert each <= MOST_BYTES

        before = client.info("memory")["used_memory"]
        registry.register(islice(subscribers(evidence=True), count))
        each = (client.info("memory")["used_memory"] - before) / count
        say(f"{flavour}: evidence {each:.1f} bytes each")
        assert each <= MOST_EVIDENCE_BYTES

        file = tmp_path / "registry.ndjson"
        begun = time.perf_counter()
        with file.open("wb") as out:
            out.writelines(export(client, keys, registry.lists(), "5e", pytest.fail))
        out_s = time.perf_counter() - begun
        begun = time.perf_counter()
        theirs = Registry(client, Keys("theirs"), hashes, flushing=flushing)
        with file.open("rb") as lines:
            Restore(theirs, "5e").run(lines)
        say(
            f"{flavour}: exported in {out_s:.0f} s ({file.stat().st_size / 1e6:.0f} MB), "
            f"restored in {time.perf_counter() - begun:.0f} s"
        )
        assert theirs.count(LIST).subscribers == count
