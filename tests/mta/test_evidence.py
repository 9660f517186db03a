"""Opt-in tokens over the milter protocol: they count, and none leaves."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab.miltermail import Outcome
from lab.miltermta import MilterMta
from lab.outgate import Outgate
from lab.skips import or_skip
from lab.waiting import wait_until
from message.challenges import PHPLIST
from message.tokens import LIST, a_token
from outgate.message.optin_evidence import (
    Algorithm,
    Token,
    normal_recipient,
    routing_hint,
    to_base64url,
)
from outgate.model.optin_order import MAX_AHEAD_US
from outgate.policy.operator import format_moment
from outgate.signing.tokens import SigningKey

LOGIN = "post@choir.example"
SIGNER = SigningKey.make(Algorithm.ED25519, "lists.example.org", "2026a")
# Registered by hand, each with what spoils it; and one that nobody registered.
SPOILT = {
    "over": "not-after=2026-01-01T00:00:00Z",
    "young": "not-before=2099-01-01T00:00:00Z",
    "theirs": "",
    "elsewhere": "",
    "weaker": "",
}
SIGNERS = {
    selector: SigningKey.make(Algorithm.ED25519, "spoilt.example.org", selector)
    for selector in (*SPOILT, "unknown")
}
# One worker: who asked it once knows what all of them know.
SETTINGS = f"""
[workers]
count = 1
[[customer]]
name = "choir"
match = ["{LOGIN}"]
[[customer]]
name = "band"
match = ["post@band.example"]
[[list]]
id = "{LIST}"
customer = "choir"
challenges = "through-us"
[[limit]]
name = "strangers-per-customer"
per = "customer"
count = "strangers"
rate = "25/1d"
# Who has no token is a stranger here, and nothing else.
[rules.list-without-consent]
mode = "monitor"
"""
HEADERS = [
    (b"From", b" Choir <post@choir.example>"),
    (b"Subject", b" news"),
    (b"List-Id", b" <%b>" % LIST.encode()),
]


@pytest.fixture(scope="module")
def daemon() -> Iterator[Outgate]:
    """One that knows a list and the key of its list host."""
    with or_skip(), Outgate(settings=SETTINGS) as running:
        add = ("optin", "key", "add", "--customer", "choir", "--list", LIST)
        running.cli(
            *(*add, SIGNER.name, to_base64url(SIGNER.public)),
            *("--proof", to_base64url(SIGNER.prove("choir", [LIST]))),
        )
        for selector, words in SPOILT.items():
            key = SIGNERS[selector]
            owner = "band" if selector == "theirs" else "choir"
            of = "other.example" if selector == "elsewhere" else LIST
            signs = f"ed25519={to_base64url(key.public)}"
            if selector == "weaker":
                signs = "hmac-sha256=0123456789ab"
            value = f"{signs} customer={owner} list={of} {words}"
            running.redis("HSET", "outgate:optin-key", key.name, value)
        wait_until(
            lambda: (
                SIGNER.name
                in (running.directory / "state" / "operator.json").read_text()
            ),
            "the local copy",
        )
        with MilterMta(running.address, login=LOGIN) as client:
            wait_until(lambda: _counts(running, client), "workers that know the key")
        yield running


_tries = iter(range(1000))


def _counts(daemon: Outgate, client: MilterMta) -> bool:
    name = f"try{next(_tries)}"
    send(client, [f"{name}@example.net"], [signed(f"{name}@example.net")], name)
    return daemon.message(name)["optin"] == "valid:1"


def signed(recipient: str, signer: SigningKey = SIGNER, *, ahead_us: int = 0) -> Token:
    """With a hint, confirmed in this year, whichever it is."""
    normal = normal_recipient(recipient.encode())
    now = format_moment(time.time_ns() // 1_000 + ahead_us)
    token = a_token(
        algorithm=signer.algorithm,
        issuer=signer.issuer,
        selector=signer.selector,
        time=now,
        expires="",
        routing_hint=routing_hint("01JPA7Q3X8", normal),
    )
    return signer.sign(token, recipient.encode())


def send(
    client: MilterMta,
    recipients: Sequence[str],
    tokens: Sequence[Token | bytes],
    queue_id: str,
) -> Outcome:
    """Tokens stand before, between and behind the other headers."""
    copies = [
        (
            b"Opt-In-Evidence" if number % 2 else b"opt-in-EVIDENCE",
            token if isinstance(token, bytes) else f" {token.folded()}".encode(),
        )
        for number, token in enumerate(tokens)
    ]
    return client.send(
        sender=b"<post@choir.example>",
        recipients=[f"<{one}>".encode() for one in recipients],
        headers=[*copies[:1], *HEADERS, *copies[1:]],
        queue_id=queue_id,
    )


def removed(outcome: Outcome) -> list[int]:
    return [
        index
        for index, name, value in outcome.changed
        if name == b"Opt-In-Evidence" and not value
    ]


def people(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number}@example.net" for number in range(count)]


def test_with_tokens_a_mailing_passes_and_none_leaves(daemon: Outgate) -> None:
    """All copies go, the last one first; the next message needs none."""
    readers = people("reader", 6)
    with MilterMta(daemon.address, login=LOGIN) as client:
        outcome = send(client, readers, [signed(one) for one in readers], "good1")
        again = send(client, readers, [], "good2")
        held = send(client, people("stranger", 30), [], "none1")

    assert outcome.action == "accept"
    assert removed(outcome) == [6, 5, 4, 3, 2, 1]
    assert daemon.message("good1")["optin"] == "valid:6"
    assert (again.action, held.action) == ("accept", "quarantine")
    assert "optin" not in daemon.message("good2")
    shown = json.loads(
        daemon.cli("optin", "show", "--list", LIST, "--json", readers[0])
    )
    kept = {name: shown[name] for name in ("grade", "method", "zone", "source")}
    assert kept == {
        "grade": "asserted",
        "method": "coi",
        "zone": "explicit",
        "source": "header",
    }
    assert shown["evidence-id"] == "01JPA7Q3X8"


@pytest.mark.parametrize(
    "order",
    [
        ("optin", "withdraw", "--list", LIST),
        ("recipient", "erase", "--yes"),
    ],
    ids=["withdrawn", "erased"],
)
def test_who_has_left_is_not_brought_back(
    daemon: Outgate, order: tuple[str, ...]
) -> None:
    """By a token that is older; only a newer one does."""
    reader = f"left-{order[1]}@example.net"
    old = signed(reader)
    with MilterMta(daemon.address, login=LOGIN) as client:
        send(client, [reader], [old], f"{order[1]}1")
        daemon.cli(*order, reader)
        send(client, [reader], [old], f"{order[1]}2")
        newer = signed(reader, ahead_us=MAX_AHEAD_US // 2)
        send(client, [reader], [newer], f"{order[1]}3")

    results = [daemon.message(f"{order[1]}{number}")["optin"] for number in (1, 2, 3)]
    assert results == ["valid:1", "withdrawn:1", "valid:1"]


def test_forged_ones_count_as_absent_and_go_too(daemon: Outgate) -> None:
    """The message is held for its strangers, and not refused for its tokens."""
    readers = people("victim", 30)
    copied = signed("somebody@example.net")
    tokens: list[Token | bytes] = [
        copied,
        str(copied).replace("m=coi", "m=paper").encode(),
        b" v=1",
    ]
    with MilterMta(daemon.address, login=LOGIN) as client:
        outcome = send(client, readers, tokens, "bad1")

    assert outcome.action == "quarantine"
    assert removed(outcome) == [3, 2, 1]
    assert daemon.message("bad1")["optin"] == "malformed:1,no-match:2"


def test_another_customer_gains_nothing(daemon: Outgate) -> None:
    """The band replays what the choir signed."""
    readers = people("fan", 1)
    with MilterMta(daemon.address, login="post@band.example") as client:
        outcome = send(client, readers, [signed(readers[0])], "band1")

    assert removed(outcome) == [1]
    assert daemon.message("band1")["optin"] == "unregistered-list:1"


def altered(recipient: str, signer: SigningKey = SIGNER, **tags: Any) -> Token:
    """Signed with other tags."""
    token = replace(signed(recipient, signer), **tags)
    return signer.sign(token, recipient.encode())


@pytest.mark.parametrize(
    ("token", "result"),
    [
        (altered("odd@example.net", list_id="other.example"), "other-list"),
        (altered("odd@example.net", expires="2026-01-01T00:00:00Z"), "expired"),
        (altered("odd@example.net", time="2099-01-01T00:00:00Z"), "in-future"),
        (signed("another@example.net"), "no-match"),
        (signed("odd@example.net", SIGNERS["unknown"]), "unknown-key"),
        (signed("odd@example.net", SIGNERS["over"]), "key-expired"),
        (signed("odd@example.net", SIGNERS["young"]), "key-too-new"),
        (signed("odd@example.net", SIGNERS["theirs"]), "other-customer"),
        (signed("odd@example.net", SIGNERS["elsewhere"]), "other-list"),
        (signed("odd@example.net", SIGNERS["weaker"]), "wrong-algorithm"),
        (b" v=1; " + b"x" * 60_000, "too-large"),
        (b" \xff\x00\x0b", "malformed"),
    ],
)
def test_each_spoilt_token_is_absent(
    daemon: Outgate, token: Token | bytes, result: str
) -> None:
    """It goes, the log says why, the registry decides: a stranger, and no 5xx."""
    name = f"odd{next(_tries)}"
    with MilterMta(daemon.address, login=LOGIN) as client:
        without = send(client, ["odd@example.net"], [], f"{name}a")
        outcome = send(client, ["odd@example.net"], [token], f"{name}b")

    assert daemon.message(f"{name}b")["optin"] == f"{result}:1"
    assert removed(outcome) == [1]
    assert outcome.action == without.action
    assert outcome.action in {"accept", "quarantine"}


def test_five_hundred_tokens_are_bounded(daemon: Outgate) -> None:
    """All of them go; what is not looked at counts as too many."""
    readers = people("crowd", 50)
    tokens: list[Token | bytes] = [signed(one) for one in readers]
    with MilterMta(daemon.address, login=LOGIN) as client:
        outcome = send(client, readers, tokens * 10, "many1")

    assert outcome.action == "accept"
    assert removed(outcome) == list(range(500, 0, -1))
    assert daemon.message("many1")["optin"] == "valid:50,too-many:450"


def test_a_large_header_is_no_token(daemon: Outgate) -> None:
    """As large as libmilter takes it, and more of them than are kept."""
    large: list[Token | bytes] = [b" v=1; " + b"x" * 65_000] * 16
    with MilterMta(daemon.address, login=LOGIN) as client:
        outcome = send(client, people("large", 1), large, "large1")

    assert outcome.action == "accept"
    assert removed(outcome) == list(range(16, 0, -1))
    results = daemon.message("large1")["optin"]
    assert results.startswith(("too-large", "malformed"))


def test_inbound_mail_keeps_its_header(daemon: Outgate) -> None:
    """It is none of ours."""
    with MilterMta(daemon.address, client=("203.0.113.9", 4711)) as client:
        outcome = send(client, people("in", 1), [signed("in0@example.net")], "in1")

    assert (outcome.action, outcome.changed) == ("accept", [])
    assert "optin" not in daemon.message("in1")


def test_claims_are_compared_with_the_ledger(daemon: Outgate) -> None:
    """Who was asked to confirm before is corroborated; who was not, is told of."""
    contradictions = "outgate_optin_contradictions_total"
    before = daemon.metrics()[contradictions]
    block, body = PHPLIST
    lines = [line.partition(": ") for line in block.split("\n")]
    asked, unasked = "asked@example.net", "unasked@example.net"
    with MilterMta(daemon.address, login=LOGIN) as client:
        client.send(
            sender=b"<post@choir.example>",
            recipients=[f"<{asked}>".encode()],
            headers=[(name.encode(), b" " + text.encode()) for name, _, text in lines],
            body=body,
            queue_id="request",
        )
        assert daemon.message("request")["challenge"] == "phplist"
        # The list has asked people for a day.
        yesterday = str(time.time_ns() // 10**9 - 86_400)
        coverage = f"outgate:challenges:{{{LIST}}}:choir"
        daemon.redis("HSET", coverage, "first", yesterday, "since", yesterday)
        both = [asked, unasked]
        send(client, both, [signed(one) for one in both], "claims")

    told = daemon.message("claims")
    assert told["claims"] == "corroborated:1,contradicted-by-ledger:1"
    wait_until(lambda: daemon.metrics()[contradictions] == before + 1, "the metric")
    assert "contradictions  1\n" in daemon.cli("list", "status", LIST)


def test_a_revoked_key_counts_no_more(daemon: Outgate) -> None:
    """Within a second or two; who is registered by then stays so."""
    old = people("before", 3)
    with MilterMta(daemon.address, login=LOGIN) as client:
        send(client, old, [signed(one) for one in old], "rev1")
        daemon.cli("optin", "key", "revoke", SIGNER.name)

        def refused() -> bool:
            name = f"try{next(_tries)}"
            send(client, [old[0]], [signed(old[0])], name)
            return daemon.message(name)["optin"] == "key-revoked:1"

        wait_until(refused, "workers that know")
        outcome = send(client, old, [signed(one) for one in old], "rev2")

    assert outcome.action == "accept"
    assert daemon.message("rev2")["optin"] == "key-revoked:3"
    wait_until(
        lambda: (
            daemon.metrics()['outgate_optin_tokens_total{result="key-revoked"}'] >= 4
        ),
        "the metric",
    )


def test_a_secret_of_this_host_counts(daemon: Outgate, tmp_path: Path) -> None:
    """Until it is gone: then its tokens are absent, and the log says why, once."""
    name = "local.example.org:2026a"
    file = tmp_path / "key"
    daemon.cli(*("optin", "key", "new", "--algorithm", "hmac-sha256", name, str(file)))
    add = ("optin", "key", "add", "--customer", "choir", "--list", LIST)
    missing = SigningKey.make(Algorithm.HMAC_SHA256, "local.example.org", "other")
    daemon.cli(*add, name, "--secret", str(file))
    daemon.redis(
        *("HSET", "outgate:optin-key", missing.name),
        f"hmac-sha256={missing.secret_id} customer=choir list={LIST}",
    )

    def results(signer: SigningKey) -> str:
        reader = f"try{next(_tries)}@example.net"
        token = signed(reader, signer)
        with MilterMta(daemon.address, login=LOGIN) as client:
            send(client, [reader], [token], reader)
        return daemon.message(reader)["optin"]

    here = SigningKey.read(file)
    wait_until(lambda: results(here) == "valid:1", "workers that know the key")
    wait_until(lambda: results(missing) == "error:1", "workers that know the other")
    assert results(missing) == "error:1"
    lines = [
        one
        for one in daemon.events("optin-key-unusable")
        if one["name"] == missing.name
    ]
    assert 1 <= len(lines) <= len(daemon.workers())
    assert "No such file" in lines[0]["message"]
    assert to_base64url(here.seed) not in daemon.log
