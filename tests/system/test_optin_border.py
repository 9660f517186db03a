"""Opt-in tokens through real MTAs: none leaves, whatever they are, and DKIM holds."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from lab.dkimsigner import DkimSigner
from lab.milters import Milter
from lab.outgate import Outgate
from lab.postfix import Postfix
from lab.sendmail import Sendmail
from lab.sink import Sink
from lab.skips import or_skip
from lab.smtp import Result, send
from lab.waiting import wait_until
from message.tokens import LIST, a_token
from outgate.message.optin_evidence import (
    Algorithm,
    Token,
    normal_recipient,
    routing_hint,
    to_base64url,
)
from outgate.policy.operator import format_moment
from outgate.signing.tokens import SigningKey
from system.messages import letter
from system.observing import delivered, line_of

pytestmark = pytest.mark.mta

ANNE = "anne@example.org"
SIGNER = SigningKey.make(Algorithm.ED25519, "lists.example.org", "2026a")
SETTINGS = f"""
[workers]
count = 1
[network]
internal = ["127.0.0.0/8"]
[[customer]]
name = "choir"
match = ["login:anne@example.org", "login:anne", "login:anne@mx.local.example"]
[[list]]
id = "{LIST}"
customer = "choir"
"""
LISTEN = """
[[listen]]
address = "unix:{directory}/outgate.sock"
group = "list"
"""
LIST_HEADERS = {
    "List_Id": f"Choir <{LIST}>",
    "List_Unsubscribe": "<https://lists.example.org/u/1>, <mailto:leave@example.org>",
    "List_Unsubscribe_Post": "List-Unsubscribe=One-Click",
    "List_Post": "NO",
}
Submit = Callable[[bytes, list[str]], Result]


@pytest.fixture(scope="module")
def border() -> Iterator[Outgate]:
    """A daemon that knows the list and the key of its list host."""
    with or_skip(), Outgate(settings=SETTINGS, listen=LISTEN) as running:
        proof = to_base64url(SIGNER.prove("choir", [LIST]))
        running.cli(
            *("optin", "key", "add", "--customer", "choir", "--list", LIST),
            *(SIGNER.name, to_base64url(SIGNER.public), "--proof", proof),
        )
        copy = running.directory / "state" / "operator.json"
        wait_until(lambda: SIGNER.name in copy.read_text(), "the local copy")
        yield running


@pytest.fixture(scope="module")
def signer() -> Iterator[DkimSigner]:
    with ExitStack() as stack:
        with or_skip():
            running = stack.enter_context(DkimSigner())
        yield running


@pytest.fixture(scope="module", params=["postfix", "sendmail"])
def submit(
    request: pytest.FixtureRequest, border: Outgate, signer: DkimSigner, sink: Sink
) -> Iterator[Submit]:
    """An MTA with Outgate before the signer: hands in a message of the choir's."""
    milters = [Milter(border.socket), Milter(signer.port)]
    with ExitStack() as stack:
        with or_skip():
            server: Postfix | Sendmail
            if request.param == "postfix":
                server = Postfix(
                    milters=milters,
                    sink=sink.port,
                    settings={"header_size_limit": "4000000"},
                )
                login = {"login": ANNE}
            else:
                server = Sendmail(
                    milters=milters,
                    sink=sink.port,
                    users={"anne": "secret"},
                    settings={"confMAX_HEADERS_LENGTH": "4000000"},
                )
                login = {"auth": ("anne", "secret")}  # type: ignore[dict-item]
            stack.enter_context(server)
        yield lambda message, people: send(
            server.port,
            message,
            ANNE,
            people,
            **login,  # type: ignore[arg-type]
        )


def signed(recipient: str) -> Token:
    """Confirmed now, with a hint."""
    token = a_token(
        time=format_moment(time.time_ns() // 1_000),
        expires="",
        routing_hint=routing_hint("01JPA7Q3X8", normal_recipient(recipient.encode())),
    )
    return SIGNER.sign(token, recipient.encode())


def knows_the_key(border: Outgate, submit: Submit) -> None:
    """Send until the worker has the key."""

    def counts() -> bool:
        name = f"try{time.monotonic_ns()}@example.net"
        head = f"Opt-In-Evidence: {signed(name).folded()}\n".encode()
        result = submit(head + letter("a try", **LIST_HEADERS), [name])
        return line_of(border, result.queue_id)["optin"] == "valid:1"

    wait_until(counts, "a worker that knows the key", seconds=30)


def test_a_signature_made_behind_the_border_verifies(
    submit: Submit,
    border: Outgate,
    signer: DkimSigner,
    sink: Sink,
    request: pytest.FixtureRequest,
) -> None:
    """Everything that the signer saw is delivered: list headers, and no token."""
    knows_the_key(border, submit)
    subject = f"signed {request.node.callspec.id}"
    reader = "reader@example.net"
    good = f"Opt-In-Evidence: {signed(reader).folded()}\n".encode()
    other = b"opt-in-evidence: v=1\n"
    message = good + letter(subject, **LIST_HEADERS).replace(
        b"Subject:", other + b"Subject:", 1
    )
    result = submit(message, [reader])
    wait_until(lambda: delivered(sink, subject), "the delivery")

    (one,) = delivered(sink, subject)
    assert result.accepted
    assert line_of(border, result.queue_id)["optin"] == "valid:1,malformed:1"
    assert b"opt-in-evidence" not in one.data.lower()
    for name, value in LIST_HEADERS.items():
        unfolded = re.sub(rb"\r\n[ \t]+", b" ", one.data)
        assert f"{name.replace('_', '-')}: {value}\r\n".encode() in unfolded
    assert signer.verifies(one.data)
    # It is their own bytes that are signed.
    assert not signer.verifies(one.data.replace(b"One-Click", b"Two-Click"))
    assert not signer.verifies(one.data.replace(b"Shall we", b"Must we"))
    (names,) = re.findall(rb"[\s;]h=([^;]*);", one.data.partition(b"\r\n\r\n")[0])
    names = re.sub(rb"\s", b"", names).lower().split(b":")
    assert {b"list-id", b"list-unsubscribe", b"list-unsubscribe-post"} <= set(names)
    assert b"opt-in-evidence" not in names


def test_five_hundred_tokens_and_none_leaves(
    submit: Submit, border: Outgate, sink: Sink, request: pytest.FixtureRequest
) -> None:
    """Fifty are looked at, and the message passes as one with fifty."""
    subject = f"many {request.node.callspec.id}"
    people = [f"r{number}@example.net" for number in range(10)]
    tokens = "".join(
        f"Opt-In-Evidence: {signed(one).folded()}\n" for one in people * 50
    )
    message = tokens.encode() + letter(subject, **LIST_HEADERS)
    result = submit(message, people)
    wait_until(lambda: delivered(sink, subject), "the delivery")

    line = line_of(border, result.queue_id)
    assert result.accepted, result.final
    assert line["optin"] == "valid:10,too-many:450,no-match:40"
    # A few milliseconds, of which 50 tokens that are looked at take most.
    assert float(line["total-ms"]) - float(line["store-ms"]) < 500
    assert b"opt-in-evidence" not in delivered(sink, subject)[0].data.lower()


def test_a_header_of_a_megabyte_stops_nothing(
    submit: Submit, border: Outgate, sink: Sink, request: pytest.FixtureRequest
) -> None:
    """It is no token, and the registry decides; whoever sends mail next is served."""
    addresses = border.directory / "addresses"
    addresses.write_text("large@example.net\n")
    border.cli("optin", "load", "--list", LIST, "--grade", "paper", str(addresses))
    kind = request.node.callspec.id
    subject, workers = f"large {kind}", border.workers()
    large = b"Opt-In-Evidence: v=1; " + b"\n\t".join([b"x" * 900] * 1_110) + b"\n"
    result = submit(large + letter(subject, **LIST_HEADERS), ["large@example.net"])

    if kind == "sendmail":
        # libmilter takes 64 KB of a command, and ends the session of whoever sends more.
        # Sendmail's own limit, of 32 KB, is lifted here: by it, this would be its 552.
        assert (result.final.code, result.final.enhanced) == (451, "4.3.2")
    else:
        wait_until(lambda: delivered(sink, subject), "the delivery")
        assert line_of(border, result.queue_id)["optin"] == "too-large:1"
        assert b"opt-in-evidence" not in delivered(sink, subject)[0].data.lower()
    after = submit(letter(f"after {subject}", **LIST_HEADERS), ["large@example.net"])
    assert after.accepted
    assert border.workers() == workers
