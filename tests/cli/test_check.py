"""`outgate check`: what the gate would say, without charging anything."""

import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.commands import MESSAGE, Done, configure, outgate
from lab.outgate import Outgate
from lab.ports import free_port
from lab.redis import RedisServer
from lab.skips import or_skip
from outgate.cli.judge import _Peek
from outgate.policy.order import RULES

LIMITS = """
[network]
internal = ["192.0.2.0/24"]
[[limit]]
name = "messages-per-login-hourly"
per = "login"
count = "messages"
rate = "20/1h"
[[limit]]
name = "recipients-per-list"
per = "list"
count = "recipients"
rate = "9/1h"
"""
REGISTERED = """
[[customer]]
name = "choir"
match = ["anne"]
[[list]]
id = "news.example.com"
customer = "choir"
"""
_numbers = itertools.count(1)


class Desk:
    """Somebody who checks messages against a store, under keys of her own."""

    def __init__(self, directory: Path, server: RedisServer, settings: str) -> None:
        self.server = server
        self.namespace = f"check{next(_numbers)}"
        self.config = configure(directory, server, self.namespace, settings)

    def check(self, *words: str, message: bytes = MESSAGE) -> Done:
        """Check a message from standard input."""
        return outgate(
            *("--config", self.config, "check", "-", "--rcpt", "bart@example.net"),
            *words,
            stdin=message,
        )

    def judge(self, *words: str, message: bytes = MESSAGE) -> dict[str, Any]:
        """Check a message; gives what a program reads."""
        document: dict[str, Any] = json.loads(
            self.check(*words, "--json", message=message).stdout
        )
        return document

    def keys(self) -> list[str]:
        """What is in the store."""
        return self.server.cli("KEYS", f"{self.namespace}:*").split()

    def order(self, order: str, name: str, value: str) -> None:
        """As on-call types it."""
        self.server.cli("HSET", f"{self.namespace}:{order}", name, value)


@pytest.fixture
def desk(tmp_path: Path, redis: RedisServer) -> Desk:
    """A desk with small limits."""
    return Desk(tmp_path, redis, LIMITS)


def test_it_shows_who_is_accountable_and_what_would_be(desk: Desk) -> None:
    """Customer, verdict, every rule, and the numbers of every limit."""
    done = desk.check("--login", "anne@example.com")

    assert (done.code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[:5] == [
        "class        personal",
        "customer     anne@example.com  (by login anne@example.com)",
        "profile      normal",
        "verdict      accept",
        "disposition  accept",
    ]
    for rule in RULES:
        assert f"  -    {rule.reason:<24} {rule.summary}" in lines
    assert (
        "  ok   messages-per-login-hourly        0/20, costs 1; anne@example.com"
    ) in lines
    assert "       20/1h: 20 at once, then one every 180 s; in the worst 1h 40" in lines


def test_it_charges_nothing(desk: Desk) -> None:
    """However often it is asked, the store stays as it was."""
    for _ in range(3):
        desk.check("--login", "anne@example.com")

    assert desk.keys() == []
    assert desk.judge("--login", "anne@example.com")["limits"][0]["used"] == 0


def test_what_is_used_is_told(desk: Desk) -> None:
    """The counter of the store, before this message, and what it would cost."""
    key = f"{desk.namespace}:count:{{anne}}:messages-per-login-hourly:anne"
    # The moment at which eighteen of twenty an hour have drained.
    full_us = (int(desk.server.cli("TIME").split()[0]) + 18 * 180) * 1_000_000
    desk.server.cli("SET", key, str(full_us))

    limits = desk.judge("--login", "anne")["limits"]

    (first,) = (one for one in limits if one["limit"] == "messages-per-login-hourly")
    assert first["rate"] == "20/1h"
    assert (first["used"], first["burst"], first["cost"]) == (18, 20, 1)
    assert first["fits"]


def test_what_is_in_a_counter_already_costs_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network from which she came today, and people whom she wrote to."""
    words = ("--login", "anne", "--client", "192.0.2.7", "--rcpt", "cleo@example.net")

    def counted() -> dict[str, tuple[int, int]]:
        limits = desk.judge(*words)["limits"]
        return {one["limit"]: (one["used"], one["cost"]) for one in limits}

    before = counted()
    with monkeypatch.context() as patched:
        patched.setattr(
            _Peek,
            "look_up",
            lambda peek, plan: peek._counters.look_up(plan, commit=True),
        )
        desk.check(*words)
    after = counted()

    assert before["networks-per-login-daily"] == (0, 1)
    assert after["networks-per-login-daily"] == (1, 0)
    assert before["strangers-per-login-daily"] == (0, 2)
    assert after["strangers-per-login-daily"] == (2, 0)
    assert before["strangers-per-campaign"] == (0, 2)
    assert after["strangers-per-campaign"] == (2, 0)
    assert after["messages-per-login-hourly"] == (1, 1)


def test_the_limit_of_a_campaign_stands_among_the_others(desk: Desk) -> None:
    """Used and burst, and up to which share of strangers it may go on."""
    recipients = [f"--rcpt=b{number}@example.net" for number in range(60)]

    done = desk.check("--login", "anne")
    judged = desk.judge("--login", "anne", *recipients)

    assert (
        "  ok   strangers-per-campaign           0/50, costs 1; this content\n"
        "       50/1w: 50 at once, then one every 12096 s; in the worst 1w 100; more "
        "while at most 60 % of those reached are strangers\n"
    ) in done.stdout
    (limit,) = (
        one for one in judged["limits"] if one["limit"] == "strangers-per-campaign"
    )
    assert limit == {
        "limit": "strangers-per-campaign",
        "identity": "",
        "rate": "50/1w",
        "used": 0,
        "burst": 50,
        "cost": 61,
        "fits": False,
        "share": 60,
    }


def test_a_limit_that_is_nearly_used_up_is_a_hit(desk: Desk) -> None:
    """The message would leave, with a tag; it would be the sixteenth of twenty."""
    now_us = time.time_ns() // 1_000
    interval_us = 3_600_000_000 // 20
    desk.server.cli(
        *("SET", f"{desk.namespace}:count:{{anne}}:messages-per-login-hourly:anne"),
        *(f"{now_us + 15 * interval_us} {interval_us}", "EX", "3600"),
    )
    done = desk.check("--login", "anne")

    assert done.code == 0
    assert "verdict      tag" in done.stdout
    assert (
        "  HIT  near-limit               tag: messages-per-login-hourly:16/20\n"
        in done.stdout
    )


def test_a_limit_that_is_used_up_is_a_hit(desk: Desk) -> None:
    """Exit 1, the rule, the reply or the hold, and which limit it was."""
    key = f"{desk.namespace}:count:{{anne}}:messages-per-login-hourly:anne"
    full_us = (int(desk.server.cli("TIME").split()[0]) + 3599) * 1_000_000
    desk.server.cli("SET", key, str(full_us))

    done = desk.check("--login", "anne")

    assert done.code == 1
    assert "verdict      quarantine\n" in done.stdout
    assert "  HIT  limit-exceeded           quarantine: " in done.stdout
    assert (
        "  FULL messages-per-login-hourly        20/20, costs 1; anne\n"
    ) in done.stdout


def test_what_conduct_leaves_of_a_limit_is_told(
    tmp_path: Path, redis: RedisServer
) -> None:
    """The profile, the standing, and the limit in force."""
    growing = '[[profile]]\nname = "normal"\nstart = 10\n'
    desk = Desk(tmp_path, redis, growing)

    recipients = [f"--rcpt=b{number}@example.net" for number in range(20)]
    done = desk.check("--login", "anne", *recipients)
    judged = desk.judge("--login", "anne", *recipients)

    assert "profile      normal  (10 % of its limits on strangers)\n" in done.stdout
    assert "  HIT  bulk-to-strangers        quarantine: " in done.stdout
    assert "strangers-per-campaign 5/1w, 10% of 50/1w" in done.stdout
    assert "  FULL strangers-per-login-daily        0/20, " in done.stdout
    assert "       20/1d: 20 at once, then one every 4320 s" in done.stdout
    assert (judged["profile"], judged["standing"]) == ("normal", 10)
    (limit,) = [
        one for one in judged["limits"] if one["limit"] == "strangers-per-login-daily"
    ]
    assert (limit["rate"], limit["burst"]) == ("20/1d", 20)
    assert desk.keys() == []


def test_an_order_of_an_operator_is_a_hit(desk: Desk) -> None:
    """With the reply that the client would read."""
    desk.order("suspend", "anne@example.com", "by=bart bot, ticket 4711")

    done = desk.check("--login", "anne@example.com")

    assert done.code == 1
    assert "reply        550 5.7.1 Sending is suspended" in done.stdout
    assert (
        "  HIT  suspended                reject: anne@example.com: bot, ticket 4711\n"
    ) in done.stdout


def test_a_message_that_would_only_be_tagged_leaves(desk: Desk) -> None:
    """A hit, and exit 0."""
    message = b"Precedence: bulk\n" + MESSAGE

    done = desk.check("--login", "anne", message=message)

    assert done.code == 0
    assert "  HIT  missing-unsubscribe      tag: " in done.stdout


def test_what_is_only_monitored_is_judged_all_the_same(
    tmp_path: Path, redis: RedisServer
) -> None:
    """The verdict is what would be, the disposition what the MTA would be told."""
    desk = Desk(tmp_path, redis, LIMITS + REGISTERED)
    desk.config.write_text(desk.config.read_text().replace("enforce", "monitor"))
    recipients = [f"--rcpt=b{number}@example.net" for number in range(20)]
    message = b"List-Id: <news.example.com>\n" + MESSAGE

    judged = desk.judge("--login", "anne", *recipients, message=message)

    assert (judged["action"], judged["disposition"]) == ("reject", "accept")
    assert judged["hits"][0]["rule"] == "message-exceeds-limit"


def test_inbound_mail_is_not_judged(desk: Desk) -> None:
    """A client that is not ours, without a login."""
    done = desk.check("--client", "203.0.113.9")

    assert done.code == 0
    assert done.stdout == (
        "class        inbound\ndirection    inbound: it passes untouched\n"
    )


def test_a_client_and_a_local_user_are_somebody_too(desk: Desk) -> None:
    """The same message, sent in three ways."""
    assert desk.judge("--client", "192.0.2.7")["customer"] == "192.0.2.7"
    assert desk.judge("--local-user", "www-data")["customer"] == "www-data"


def _listening(*realms: str, path: str = "smtp") -> str:
    return "".join(
        f'[[listen]]\naddress = "unix:/run/{path}{number}.sock"\npath = "{path}"\n'
        f'login-realm = "{realm}"\n'
        for number, realm in enumerate(realms)
    )


@pytest.mark.parametrize(
    ("settings", "words", "customer"),
    [
        pytest.param("", (), "anne", id="no sockets, no realm"),
        pytest.param(
            _listening("example.org", "example.org"),
            (),
            "anne@example.org",
            id="the sockets agree",
        ),
        pytest.param(
            _listening("example.org")
            + _listening("example.net", path="local-submission"),
            (),
            "anne@example.org",
            id="a local socket has no logins",
        ),
        pytest.param(
            _listening("example.org", "example.net"),
            ("--realm", "example.net"),
            "anne@example.net",
            id="one is chosen",
        ),
        pytest.param(
            _listening("example.org"), ("--realm", ""), "anne", id="none is chosen"
        ),
    ],
)
def test_a_login_gets_the_realm_that_the_daemon_gives(
    tmp_path: Path,
    redis: RedisServer,
    settings: str,
    words: tuple[str, ...],
    customer: str,
) -> None:
    """Or another customer would be judged than the daemon's."""
    desk = Desk(tmp_path, redis, settings)
    assert desk.judge("--login", "anne", *words)["customer"] == customer
    full = desk.judge("--login", "anne@example.com", *words)
    assert full["customer"] == "anne@example.com"


def test_a_login_that_may_be_two_people_is_asked_about(
    tmp_path: Path, redis: RedisServer
) -> None:
    """One line, exit 2; a login with its realm is told apart."""
    desk = Desk(tmp_path, redis, _listening("example.org", ""))
    done = desk.check("--login", "anne")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "--realm" in done.stderr
    assert "'', 'example.org'" in done.stderr
    assert desk.judge("--login", "anne@example.org")["customer"] == "anne@example.org"
    assert desk.judge("--client", "127.0.0.1")["customer"] == "127.0.0.1"


def test_the_null_sender_can_be_asked_for(desk: Desk) -> None:
    """A bounce has one; without the option the header From is taken."""
    message = b"Auto-Submitted: auto-replied\n" + MESSAGE

    bounce = desk.judge("--login", "anne", "--sender", "", message=message)
    reply = desk.judge("--login", "anne", message=message)

    assert (bounce["class"], reply["class"]) == ("bounce", "auto-reply")


def test_a_program_reads_the_same(desk: Desk) -> None:
    """Hits, misses and limits, with numbers as numbers."""
    judged = desk.judge("--login", "anne")

    assert judged["misses"] == [rule.reason.value for rule in RULES]
    assert judged["hits"] == []
    assert judged["reply"] is None
    assert {limit["limit"] for limit in judged["limits"]} >= {
        "messages-per-login-hourly",
        "recipients-per-customer-daily",
    }


def test_a_hostile_message_gives_the_terminal_no_orders(desk: Desk) -> None:
    """Names in a message are shown, not obeyed."""
    message = b"List-Id: <\x1b[2J\x07\xff.example.com>\n" + MESSAGE

    done = desk.check("--login", "\x1b[31manne", message=message)

    assert all(line.isprintable() for line in done.stdout.splitlines())
    assert r"\x1b[31manne" in done.stdout


@pytest.mark.parametrize("raw", [b"", b"\n", b"\x00" * 1000, b": \n" * 9, b"no header"])
def test_whatever_the_file_holds_is_judged(desk: Desk, raw: bytes) -> None:
    """A message that is none has no facts, and still a sender."""
    assert desk.check("--login", "anne", message=raw).code == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [("none.eml", "No such file or directory"), (".", "Is a directory")],
)
def test_a_file_that_cannot_be_read_exits_66(
    tmp_path: Path, name: str, said: str
) -> None:
    """One line."""
    done = outgate("check", tmp_path / name, "--rcpt", "bart@example.net")

    assert (done.code, done.stdout) == (66, "")
    assert done.stderr == f"outgate: {tmp_path / name}: cannot be read: {said}\n"


def test_a_store_that_is_away_is_one_line(tmp_path: Path) -> None:
    """Exit 75: try again later. Nothing is judged by guesswork, nothing is written."""
    url = f"redis://127.0.0.1:{free_port()}/0"
    (tmp_path / "secret").write_text("5e" * 32)
    config = tmp_path / "outgate.toml"
    config.write_text(
        f'[store]\nurl = "{url}"\n[secrets]\nfile = "{tmp_path}/secret"\n'
        f'[paths]\nstate = "{tmp_path}"\nruntime = "{tmp_path}"\n'
    )
    before = sorted(tmp_path.iterdir())

    done = outgate(
        *("--config", config, "check", "-", "--rcpt", "a@b", "--login", "anne"),
        stdin=MESSAGE,
    )

    assert (done.code, done.stdout) == (75, "")
    assert done.stderr == (
        f"outgate: no judgement without the store: {url}: Connection refused\n"
    )
    assert sorted(tmp_path.iterdir()) == before


def test_a_store_that_refuses_is_a_matter_of_configuration(tmp_path: Path) -> None:
    """Exit 78, and no password in the line."""
    with or_skip(), RedisServer(tcp=True, password="sesame") as server:
        config = configure(tmp_path, server, "check")
        config.write_text(config.read_text().replace("sesame", "sesam"))

        done = outgate(
            *("--config", config, "check", "-", "--rcpt", "a@b", "--login", "anne"),
            stdin=MESSAGE,
        )

    assert done.code == 78
    assert done.stderr.startswith("outgate: no judgement without the store: redis://")
    assert done.stderr.count("\n") == 1
    assert "sesam" not in done.stderr


def test_a_password_file_that_is_missing_is_one_line(tmp_path: Path) -> None:
    """Exit 78, for every command that needs the store."""
    config = tmp_path / "outgate.toml"
    config.write_text(
        f'[store]\nurl = "redis://127.0.0.1"\npassword-file = "{tmp_path}/none"\n'
    )

    for words in (("check", "-", "--rcpt", "a@b"), ("queue", "list"), ("store", "url")):
        done = outgate("--config", config, *words)

        assert done.code == 78
        assert done.stderr == (
            f"outgate: store.password-file: {tmp_path}/none: cannot be read: "
            "No such file or directory\n"
        )


def test_a_missing_secret_says_how_it_is_made(desk: Desk, tmp_path: Path) -> None:
    """Where several hosts share a store, it is copied; one line says so."""
    (tmp_path / "secret").unlink()

    done = desk.check("--login", "anne")

    assert done.code == 78
    assert done.stderr == (
        f"outgate: secret: {tmp_path}/secret does not exist: make it with `outgate "
        "secret new`, once, and copy it to every host that shares the store\n"
    )


def test_without_a_daemon_one_line_says_how_to_start_it(tmp_path: Path) -> None:
    """A newcomer's first command, before `outgate run`: exit 75."""
    state = tmp_path / "state"

    for words in (
        ("check", "-", "--rcpt", "a@b"),
        ("queue", "list"),
        ("store", "cli", "PING"),
    ):
        done = outgate(*words, environment={"OUTGATE_STATE": str(state)})

        assert (done.code, done.stdout) == (75, "")
        assert done.stderr == (
            f"outgate: no daemon runs on {state}: start one with `outgate run`, or say "
            "by --config or OUTGATE_STATE which one is meant\n"
        )
    assert not state.exists()


@pytest.fixture(scope="module")
def newcomer() -> Iterator[Outgate]:
    """A daemon with its embedded store, as `outgate run` starts it."""
    with or_skip(), Outgate(mode="monitor") as daemon:
        yield daemon


def test_beside_a_daemon_with_its_own_store_it_just_works(
    newcomer: Outgate, tmp_path: Path
) -> None:
    """No URL, no secret to make: the same configuration is enough."""
    file = tmp_path / "message.eml"
    file.write_bytes(MESSAGE)

    done = newcomer.command(
        "check", str(file), "--rcpt", "bart@example.net", "--login", "anne"
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert (
        "  ok   messages-per-login-hourly        0/5000, costs 1; anne" in done.stdout
    )


def test_on_call_has_its_words_without_redis_tools(newcomer: Outgate) -> None:
    """`store cli` is redis-cli for the embedded store."""

    def say(*words: str) -> list[str]:
        done = outgate("store", "cli", *words, environment=newcomer.environment)
        assert (done.code, done.stderr) == (0, "")
        return done.stdout.splitlines()

    assert say("HSET", "outgate:suspend", "bot", "by=anne worm") == ["1"]
    assert say("HGETALL", "outgate:suspend")[0] == "bot"
    assert say("XRANGE", "outgate:nothing", "-", "+", "COUNT", "20") == []
    assert say("ZRANGE", "outgate:nothing", "0", "-1") == []
    assert say("HDEL", "outgate:suspend", "bot") == ["1"]


def test_the_store_is_named_without_its_password(tmp_path: Path) -> None:
    """For a colleague who asks where it is."""
    config = tmp_path / "outgate.toml"
    config.write_text('[store]\nurl = "redis://anne:sesame@127.0.0.1:6379/3"\n')

    done = outgate("--config", config, "store", "url")

    assert done.stdout == "redis://127.0.0.1:6379/3\n"


def test_opt_in_tokens_are_told(desk: Desk) -> None:
    """By what became of them; nothing is registered."""
    message = b"Opt-In-Evidence: v=1\nOpt-In-Evidence: v=2\n" + MESSAGE

    assert "tokens: 2 malformed" in desk.check("--login", "a@b", message=message).stdout
    document = desk.judge("--login", "a@b", message=message)
    assert document["opt-in-tokens"] == {"malformed": 2}
