"""`outgate optin`: loaded, shown, taken out; mistakes are named before anything is written."""

import json
import re
import stat
from contextlib import closing
from pathlib import Path

import pytest

from cli.commands import configure, outgate
from lab.outgate import Outgate
from lab.redis import RedisServer
from lab.skips import or_skip
from outgate.signing.secret import read_secret
from outgate.signing.vault import Vault
from outgate.store.client import connect
from outgate.store.consents import place_of
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.registry import Registry
from outgate.store.wire import Endpoint
from store.optins import BART, LIST, an_optin


@pytest.fixture
def config(tmp_path: Path, redis: RedisServer) -> Path:
    client = connect(Endpoint(url=redis.url))
    for key in client.scan_iter("cli-optin*"):
        client.delete(key)
    file = configure(tmp_path, redis, "cli-optin")
    text = file.read_text()
    file.write_text(f'{text}\n[[list]]\nid = "{LIST}"\ncustomer = "choir"\n')
    return file


def place(mailbox: str) -> tuple[str, bytes]:
    """Where a subscriber of the list stands."""
    found = place_of(Hashes(bytes.fromhex("5e" * 32)), "choir", LIST, mailbox)
    return Keys("cli-optin").optin(LIST, found.bucket), found.field


def addresses(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "addresses"
    file.write_text("".join(f"{line}\n" for line in lines))
    return file


def test_who_is_loaded_is_shown_and_removed(config: Path, tmp_path: Path) -> None:
    """Under any spelling of the address; loading again does no harm."""
    file = addresses(
        tmp_path, "# members", "", "Bob@Example.net", "carol+choir@example.net"
    )
    load = ("optin", "load", "--list", LIST, "--grade", "paper", file)

    assert outgate("--config", config, *load).stdout == (
        f"{LIST}: as paper; rows=2 new=2 changed=0 kept=0 future=0 "
        "durability=unconfirmed\n"
    )
    assert "new=0 changed=0 kept=2" in outgate("--config", config, *load).stdout
    show = ("optin", "show", "--list", LIST.upper())
    assert outgate("--config", config, *show).stdout == (
        f"{LIST}: 2 subscribers; 2 paper\n"
    )
    shown = outgate("--config", config, *show, "bob@example.NET").stdout
    assert re.sub(" +", " ", shown) == (
        f"list {LIST}\ncustomer choir\nstate consent\ngrade paper\nzone unknown\n"
        "method other\n"
    )
    assert outgate("--config", config, *show, "carol@example.net").code == 0

    done = outgate("--config", config, "optin", "remove", "--list", LIST, file)
    assert done.stdout.startswith(f"{LIST}: removed; rows=2 new=0 changed=2")
    assert outgate("--config", config, *show, "bob@example.net").code == 1


def test_who_withdraws_is_no_subscriber(config: Path, tmp_path: Path) -> None:
    """One address or a file of them; an earlier time takes nothing back."""
    file = addresses(tmp_path, "bob@example.net", "carol@example.net")
    load = ("optin", "load", "--list", LIST, "--grade", "paper", file)
    withdraw = ("optin", "withdraw", "--list", LIST, "--json")
    outgate("--config", config, *load)

    moment = "2026-03-14T09:26:53+01:00"
    one = outgate("--config", config, *withdraw, "--time", moment, "Bob@Example.net")
    both = outgate("--config", config, *withdraw, file)

    assert json.loads(one.stdout) == {
        "list": LIST,
        "rows": 1,
        "new": 0,
        "changed": 1,
        "kept": 0,
        "future": 0,
        "durability": "unconfirmed",
    }
    assert json.loads(both.stdout)["changed"] == 2
    show = ("optin", "show", "--list", LIST, "--json")
    done = outgate("--config", config, *show, "bob@example.net")
    shown = json.loads(done.stdout)
    assert (done.code, shown["state"], shown["zone"]) == (1, "withdrawn", "source-utc")
    assert shown["time"] > moment
    assert "kept=2" in outgate("--config", config, *load).stdout
    assert json.loads(outgate("--config", config, *show).stdout) == {
        "list": LIST,
        "subscribers": 0,
        "by-permission": {"withdrawn": 2},
        "erased": 0,
    }


@pytest.mark.parametrize("moment", ["2026-03-14T09:26:53", "yesterday", "1"])
def test_a_time_without_a_zone_is_refused(config: Path, moment: str) -> None:
    """It may be off by a day."""
    words = ("optin", "withdraw", "--list", LIST, "--time", moment, "bob@example.net")
    done = outgate("--config", config, *words)
    assert done.code == 2
    assert "--time: " in done.stderr


def test_a_time_of_the_future_is_refused(config: Path) -> None:
    """Told, and nothing is written."""
    moment = "2199-01-01T00:00:00Z"
    words = ("optin", "withdraw", "--list", LIST, "--time", moment, "bob@example.net")
    done = outgate("--config", config, *words)
    assert "future=1" in done.stdout
    assert "more than ten minutes ahead of the store's clock" in done.stderr


def test_evidence_is_opened_with_a_reason(config: Path, redis: RedisServer) -> None:
    """It is in the audit who did it, and why; never the address."""
    secret = read_secret(config.parent / "secret")
    keys, client = Keys("cli-optin"), connect(Endpoint(url=redis.url))
    registry = Registry(client, keys, Hashes(secret), sealer=Vault(secret))
    moment_us = 1_773_476_813_000_000
    registry.register(
        [an_optin(moment_us, customer="choir", mailbox=BART, evidence=True)]
    )
    show = ("optin", "show", "--list", LIST, "--evidence", BART)

    assert outgate("--config", config, *show).code == 2
    done = outgate(
        "--config", config, *show, "--json", "--why", "ticket 4711", "--by", "dora"
    )

    shown = json.loads(done.stdout)
    assert json.loads(shown["evidence-record"])["ip"] == "192.0.2.7"
    assert shown["evidence-of"]["time"] == "2026-03-14T09:26:53+01:00"
    assert shown["evidence-of"]["commitment"] == shown["commitment"]
    entry = client.xrevrange(keys.audit, count=1)[0][1]
    assert entry[b"event"] == b"evidence-read"
    assert (entry[b"actor"], entry[b"text"]) == (b"dora", b"ticket 4711")
    assert b"bart" not in b"".join(entry.values())
    plain = outgate("--config", config, *show, "--why", "ticket 4711").stdout
    assert "evidence-record" in plain
    assert "192.0.2.7" in plain


def test_export_and_restore(config: Path, tmp_path: Path, redis: RedisServer) -> None:
    """From one namespace into another; the file is its owner's alone."""
    file = addresses(tmp_path, "bob@example.net", "carol@example.net")
    load = ("optin", "load", "--list", LIST, "--grade", "paper", file)
    outgate("--config", config, *load)
    out = tmp_path / "registry.ndjson"
    other = tmp_path / "other.toml"
    other.write_text(config.read_text().replace("cli-optin", "cli-optin-2"))

    done = outgate("--config", config, "optin", "export", out)
    assert done.stdout == "2 subscriptions exported\n"
    assert out.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.part"))
    assert b"example.net" not in out.read_bytes()

    for new in (2, 0):
        done = outgate("--config", other, "optin", "restore", "--json", out)
        assert json.loads(done.stdout)["new"] == new
    show = ("optin", "show", "--list", LIST, "bob@example.net")
    assert outgate("--config", other, *show).code == 0

    piped = outgate("--config", config, "optin", "export", "--list", LIST, "-")
    assert (piped.code, piped.stdout) == (0, out.read_text())
    cut = out.read_bytes().splitlines(keepends=True)[:-1]
    done = outgate("--config", other, "optin", "restore", "-", stdin=b"".join(cut))
    assert done.code == 65
    assert "ends after 2 rows, before its end" in done.stderr
    done = outgate("--config", config, "optin", "export", "--list", "x.example", "-")
    assert (done.code, "nobody knows x.example" in done.stderr) == (2, True)


def test_an_export_is_its_owners_alone(config: Path, tmp_path: Path) -> None:
    """Whatever lies there from before: a file that all can read, or somebody's link."""
    out, theirs = tmp_path / "registry.ndjson", tmp_path / "theirs"
    theirs.write_text("secret")
    part = out.with_name(f"{out.name}.part")
    for is_link in (False, True):
        part.unlink(missing_ok=True)
        if is_link:
            part.symlink_to(theirs)
        else:
            part.touch(0o644)
        out.unlink(missing_ok=True)
        out.symlink_to(theirs)
        assert outgate("--config", config, "optin", "export", out).code == 0
        assert out.lstat().st_mode == stat.S_IFREG | 0o600
        assert theirs.read_text() == "secret"
    assert {one.name for one in tmp_path.glob("*.part")} <= {part.name}


def test_each_order_is_audited(
    config: Path, tmp_path: Path, redis: RedisServer
) -> None:
    """What was done to which list, by whom."""
    file = addresses(tmp_path, "bob@example.net")
    for words in (
        ("load", "--list", LIST, "--grade", "paper", file),
        ("withdraw", "--list", LIST, "bob@example.net"),
        ("remove", "--list", LIST, file),
        ("export", tmp_path / "out"),
        ("restore", tmp_path / "out"),
    ):
        assert outgate("--config", config, "optin", *words, "--by", "dora").code == 0
    entries = connect(Endpoint(url=redis.url)).xrange(Keys("cli-optin").audit)
    ours = [entry for _, entry in entries if entry[b"actor"] == b"dora"][-5:]
    assert [entry[b"event"].decode() for entry in ours] == [
        "optin-loaded",
        "optin-withdrawn",
        "optin-removed",
        "optin-exported",
        "optin-restored",
    ]
    assert ours[0][b"name"] == LIST.encode()
    assert ours[0][b"text"].startswith(b"as paper; rows=1 ")


def test_a_server_that_evicts_is_refused(tmp_path: Path) -> None:
    """It would forget who does not want mail; looking is allowed."""
    settings = {"maxmemory": "50mb", "maxmemory-policy": "allkeys-lru"}
    with or_skip(), RedisServer(settings=settings) as server:
        file = configure(tmp_path, server, "cli-optin")
        file.write_text(
            f'{file.read_text()}\n[[list]]\nid = "{LIST}"\ncustomer = "x"\n'
        )
        outgate("--config", file, "secret", "new")
        withdraw = ("optin", "withdraw", "--list", LIST, "bob@example.net")
        done = outgate("--config", file, *withdraw)
        assert done.code == 78
        assert "evicts keys (maxmemory-policy allkeys-lru)" in done.stderr
        assert outgate("--config", file, "optin", "show", "--list", LIST).code == 0


def test_a_list_of_two_customers(config: Path) -> None:
    """Whose it is has to be said, and each has his own subscribers."""
    file = config
    file.write_text(f'{file.read_text()}\n[[list]]\nid = "{LIST}"\ncustomer = "shop"\n')
    withdraw = ("optin", "withdraw", "--list", LIST, "bob@example.net")
    done = outgate("--config", file, *withdraw)
    assert done.code == 2
    assert f"--customer: the list '{LIST}' is of choir, shop" in done.stderr
    assert outgate("--config", file, *withdraw, "--customer", "shop").code == 0
    show = ("optin", "show", "--list", LIST, "bob@example.net", "--customer")
    assert "withdrawn" in outgate("--config", file, *show, "shop").stdout
    assert "not registered" in outgate("--config", file, *show, "choir").stdout


def test_a_line_that_is_no_address_stops_it(config: Path, tmp_path: Path) -> None:
    """Which one, and nothing was written."""
    file = addresses(tmp_path, "bob@example.net", "not an address")

    done = outgate(
        "--config", config, "optin", "load", "--list", LIST, "--grade", "paper", file
    )

    assert done.code == 2
    assert "line 2: 'not an address' is no address" in done.stderr
    show = outgate(
        "--config", config, "optin", "show", "--list", LIST, "bob@example.net"
    )
    assert show.code == 1


def test_a_list_that_nobody_configured_is_named(config: Path) -> None:
    """With those that there are."""
    done = outgate("--config", config, "optin", "show", "--list", "news.example")

    assert done.code == 2
    assert f"there are {LIST}" in done.stderr


def test_a_file_that_is_not_there_is_66(config: Path, tmp_path: Path) -> None:
    """As everywhere."""
    done = outgate(
        "--config",
        config,
        *("optin", "load", "--list", LIST, "--grade", "paper", tmp_path / "none"),
    )

    assert done.code == 66
    assert "cannot be read: No such file" in done.stderr


def test_the_daemons_own_store_confirms_each_batch(tmp_path: Path) -> None:
    """Whatever server it found: it goes on flushing once a second for everything else."""
    settings = f'[[list]]\nid = "{LIST}"\ncustomer = "choir"\n'
    file = addresses(tmp_path, "bob@example.net")
    with or_skip(), Outgate(settings=settings) as daemon:
        load = ("optin", "load", "--list", LIST, "--grade", "paper", str(file))
        done = daemon.command(*load)
        assert (done.returncode, done.stderr) == (0, "")
        assert "durability=confirmed" in done.stdout
        flushed = daemon.redis("CONFIG", "GET", "appendfsync")
        assert "everysec" in str(flushed)


@pytest.mark.parametrize(
    "words", [("load", "--grade", "paper"), ("show",), ("remove",)]
)
def test_another_secret_is_refused(
    config: Path, tmp_path: Path, redis: RedisServer, words: tuple[str, ...]
) -> None:
    """Nobody would find whom it registers: under another one, all are strangers."""
    file = addresses(tmp_path, "bob@example.net")
    redis.cli("HSET", "cli-optin:schema", "secret-id", "another")
    last = "bob@example.net" if words == ("show",) else file
    done = outgate("--config", config, "optin", *words, "--list", LIST, last)
    redis.cli("DEL", "cli-optin:schema")

    assert (done.code, done.stdout) == (78, "")
    assert "the store was filled with another secret" in done.stderr


def test_a_record_that_is_none_is_told(
    config: Path, tmp_path: Path, redis: RedisServer
) -> None:
    """Somebody wrote it by hand; it is no consent, and no traceback. An export goes on."""
    key, field = place("carl@example.net")
    with closing(connect(Endpoint(url=redis.url))) as client:
        client.hset(key, field, b"trust\x1b me")
    show = ("optin", "show", "--list", LIST, "carl@example.net")
    done = outgate("--config", config, *show)
    read = outgate("--config", config, *show, "--json")
    exported = outgate("--config", config, "optin", "export", tmp_path / "out")
    redis.cli("DEL", key)

    where = f"{key} {field.hex()}"
    assert json.loads(read.stdout) == {
        "list": LIST,
        "state": "unreadable",
        "place": where,
    }
    assert (exported.code, exported.stdout) == (1, "0 subscriptions exported\n")
    assert exported.stderr == f"left out: {where}: no record that can be read\n"
    assert (done.code, done.stderr) == (1, "")
    assert done.stdout == (
        f"carl@example.net is registered for {LIST}, but with no record that can be read "
        f"({where}): it is no consent; load it again\n"
    )


def test_a_key_of_another_type_is_told(config: Path, redis: RedisServer) -> None:
    """In words of ours: no command, and no hash of anybody."""
    key, _ = place("dora@example.net")
    redis.cli("SET", key, "a word")
    done = outgate(
        "--config", config, "optin", "show", "--list", LIST, "dora@example.net"
    )
    redis.cli("DEL", key)

    assert done.code == 70
    assert done.stderr.startswith("outgate: WRONGTYPE Operation against a key")
    assert "HGET" not in done.stderr
