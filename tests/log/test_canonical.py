"""The canonical line: one for each message, with the manual's fields in their order."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from log.logfmt import Captured, read
from message.tokens import VECTOR_HEADER
from outgate.log.canonical import MessageLine, fields
from outgate.model.dkim import Algorithm, Signature, SigningResult
from outgate.model.identity import Path as SubmissionPath
from outgate.model.limit import Count
from outgate.model.verdict import Action, Mode
from outgate.policy.decision import Decision
from outgate.policy.operator import Order
from outgate.policy.questions import Source
from policy.builders import MALLORY, OUTSIDE, Outpost, a_limit, a_policy, a_transaction

_ORDER = (
    *("time", "level", "event", "queue-id", "mta", "customer", "login", "local-user"),
    *("script", "client", "sender", "recipients", "size", "class", "action"),
    *("disposition", "reasons", "detail", "instead", "optin", "refused", "dkim"),
    "limits",
    *("attempt", "source", "trouble"),
    *("store-ms", "total-ms", "worker"),
)


def line(decision: Decision, tmp_path: Path) -> dict[str, str]:
    """The line of one decision, read back; its fields must be in order."""
    captured = Captured(tmp_path / "log")
    observer = MessageLine(captured.log, worker=3)

    pairs = read(captured.line(lambda _: observer.observe(decision)))

    names = [name for name, _ in pairs]
    assert names == [name for name in _ORDER if name in names]
    return dict(pairs)


def test_an_accepted_message_is_told_in_full(tmp_path: Path) -> None:
    """Who, how much, what came of it, and what the limits say."""
    outpost = Outpost(a_policy(a_limit("10/1h", name="recipients-per-login")))

    told = line(
        outpost.judge(a_transaction("anne@example.com", recipients=3)), tmp_path
    )

    assert told == {
        "time": "2026-11-24T06:00:00.000Z",
        "level": "info",
        "event": "message",
        "queue-id": "4XyZ1a2b3c",
        "customer": "anne@example.com",
        "login": "anne@example.com",
        "client": OUTSIDE,
        "sender": "anne@example.com",
        "recipients": "3",
        "size": told["size"],
        "class": "personal",
        "action": "accept",
        "disposition": "accept",
        "limits": "recipients-per-login:3/10",
        "store-ms": told["store-ms"],
        "total-ms": told["total-ms"],
        "worker": "3",
    }


def test_the_limit_of_a_campaign_stands_among_the_others(tmp_path: Path) -> None:
    """How many strangers its content reached, of how many it may."""
    outpost = Outpost(a_policy(shipped=True))

    told = line(
        outpost.judge(a_transaction("anne@example.com", recipients=3)), tmp_path
    )

    assert "strangers-per-campaign:3/50" in told["limits"].split(",")


def test_a_refused_message_says_why(tmp_path: Path) -> None:
    """All reasons, and what the operator may read about them."""
    outpost = Outpost(a_policy(a_limit("10/1h", name="recipients-per-login")))
    outpost.judge(a_transaction(MALLORY, recipients=9))

    told = line(outpost.judge(a_transaction(MALLORY, recipients=2)), tmp_path)

    assert told["action"] == told["disposition"] == "quarantine"
    assert told["reasons"] == "limit-exceeded"
    assert told["detail"].startswith("recipients-per-login")
    assert told["limits"] == "recipients-per-login:9/10"


def test_what_would_have_been_and_what_was_told_are_both_there(tmp_path: Path) -> None:
    """Monitor mode's report is made of this line."""
    outpost = Outpost(a_policy(a_limit("1/1h"), mode=Mode.MONITOR))

    told = line(outpost.judge(a_transaction(MALLORY, recipients=2)), tmp_path)

    assert (told["action"], told["disposition"]) == ("reject", "accept")
    assert told["reasons"] == "message-exceeds-limit"


def test_a_full_hold_queue_is_named(tmp_path: Path) -> None:
    """`instead` is what decided, where no rule found it."""
    outpost = Outpost(a_policy())
    outpost.host.full = True
    outpost.order(Order.QUARANTINE, MALLORY, "phished")

    told = line(outpost.judge(a_transaction(MALLORY)), tmp_path)

    assert (told["action"], told["disposition"]) == ("quarantine", "defer")
    assert (told["reasons"], told["instead"]) == ("quarantined", "quarantine-full")


def test_whoever_stands_in_for_the_store_is_named(tmp_path: Path) -> None:
    """Degraded decisions can be found afterwards."""
    outpost = Outpost(a_policy())
    outpost.store.source = Source.ACCEPT

    told = line(outpost.judge(a_transaction("anne@example.com")), tmp_path)

    assert (told["source"], told["trouble"]) == ("accept", "down")


def test_a_retry_has_its_number(tmp_path: Path) -> None:
    """The second attempt says that it is the second."""
    outpost = Outpost(a_policy(a_limit("1/1h", count=Count.MESSAGES)))
    outpost.judge(a_transaction(MALLORY, queue_id="first"))
    outpost.judge(a_transaction(MALLORY, queue_id="second"))

    told = line(outpost.judge(a_transaction(MALLORY, queue_id="third")), tmp_path)

    assert told["attempt"] == "2"


def test_a_local_submission_names_its_user(tmp_path: Path) -> None:
    """There is no client, and no login."""
    outpost = Outpost(a_policy())
    transaction = a_transaction(
        path=SubmissionPath.LOCAL_SUBMISSION, local_user="www-data"
    )

    told = line(outpost.judge(transaction), tmp_path)

    assert told["local-user"] == told["customer"] == "www-data"
    assert "client" not in told
    assert "login" not in told


def test_a_script_is_named_where_local_users_send(tmp_path: Path) -> None:
    """It is what on-call has to look at; by SMTP anybody can write it."""
    headers = {"X-PHP-Originating-Script": "33:contact.php"}
    local = a_transaction(
        path=SubmissionPath.LOCAL_SUBMISSION, local_user="www-data", headers=headers
    )

    told = line(Outpost(a_policy()).judge(local), tmp_path)
    other = line(
        Outpost(a_policy()).judge(a_transaction(MALLORY, headers=headers)), tmp_path
    )

    assert told["script"] == "33:contact.php"
    assert "script" not in other


def test_inbound_mail_is_one_short_line(tmp_path: Path) -> None:
    """Nobody is accountable and nothing was looked up."""
    outpost = Outpost(a_policy())

    told = line(outpost.judge(a_transaction(client=OUTSIDE)), tmp_path)

    assert (told["class"], told["action"]) == ("inbound", "accept")
    assert not told.keys() & {"customer", "limits", "store-ms"}


def test_the_null_sender_is_shown_as_mta_logs_show_it(tmp_path: Path) -> None:
    """`<>`, not nothing."""
    outpost = Outpost(a_policy())

    told = line(outpost.judge(a_transaction("anne@example.com", sender="")), tmp_path)

    assert told["sender"] == "<>"


@pytest.mark.parametrize(
    ("sender", "shown"),
    [
        ("list-bounces+bob=example.net@list.example", "list-bounces@list.example"),
        ("list-return-12-bob=example.net@list.example", "list-return@list.example"),
        ("SRS0=hash=tt=example.net=bob@fwd.example", "srs0@fwd.example"),
    ],
)
def test_a_recipient_in_the_sender_is_not_shown(
    tmp_path: Path, sender: str, shown: str
) -> None:
    """VERP writes one into each copy; all copies are one sender's."""
    outpost = Outpost(a_policy())

    told = line(
        outpost.judge(a_transaction("anne@example.com", sender=sender)), tmp_path
    )

    assert told["sender"] == shown
    assert "bob" not in str(told)


def test_messages_are_of_level_info(tmp_path: Path) -> None:
    """A level above leaves them out."""
    captured = Captured(tmp_path / "log", level="warning")
    decision = Outpost(a_policy()).judge(a_transaction("anne@example.com"))

    MessageLine(captured.log, worker=0).observe(decision)

    assert captured.raw == b""


_people = st.lists(
    st.from_regex(r"[a-z]{6,12}@[a-z]{6,12}\.example", fullmatch=True),
    min_size=1,
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(_people, st.sampled_from(["1/1h", "100/1h"]), st.sampled_from(Mode))
def test_recipients_are_in_no_line(people: list[str], rate: str, mode: Mode) -> None:
    """Addresses of third parties belong to no log, whatever is decided."""
    outpost = Outpost(a_policy(a_limit(rate), mode=mode))
    decision = outpost.judge(a_transaction(MALLORY, recipients=people))

    text = " ".join(str(value) for _, value in fields(decision, 0))

    assert [one for one in people if one in text] == []


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.text(max_size=50), st.text(max_size=50))
def test_a_sender_forges_neither_field_nor_line(
    tmp_path_factory: pytest.TempPathFactory, sender: bytes, login: str, queue_id: str
) -> None:
    """Whatever bytes a sender chooses, the fields are ours and the line is one."""
    outpost = Outpost(a_policy(a_limit("1/1h")))
    transaction = a_transaction(login or "x", recipients=2, queue_id=queue_id)
    transaction.sender = sender

    told = line(outpost.judge(transaction), tmp_path_factory.mktemp("log"))

    assert told["event"] == "message"
    assert told["recipients"] == "2"
    assert told["action"] in {action.value for action in Action}
    assert told["time"].startswith("2026-11-24T06:00:00")


def test_opt_in_tokens_are_told_by_what_became_of_them(tmp_path: Path) -> None:
    """Always in the same order; what is in them is not."""
    message = a_transaction("anne@example.com")
    values = [b"v=1", VECTOR_HEADER.encode(), b"x" * 2000, VECTOR_HEADER.encode()]
    message.headers["opt-in-evidence"] = values

    told = line(Outpost(a_policy()).judge(message), tmp_path)

    assert told["optin"] == "malformed:1,too-large:1,unregistered-list:2"
    assert "lists.example.org" not in str(told)


def test_signatures_are_told_each_by_its_domain_and_selector(tmp_path: Path) -> None:
    """And why there is none; a gate that signs nothing says nothing of it."""
    decision = Outpost(a_policy()).judge(a_transaction("anne@example.com"))
    assert "dkim" not in line(decision, tmp_path)

    decision.signatures = (
        Signature(SigningResult.SIGNED, "example.com", "2026a", Algorithm.RSA_SHA256),
        Signature(SigningResult.NO_KEY),
    )
    assert line(decision, tmp_path)["dkim"] == "signed:example.com/2026a,no-key"


def test_refused_recipients_are_a_number(tmp_path: Path) -> None:
    """They are none of the message's, and who they were is told to nobody."""
    outpost = Outpost(a_policy())
    transaction = a_transaction("anne@example.com", recipients=3)
    transaction.refused_count = 2
    told = line(outpost.judge(transaction), tmp_path)
    assert (told["recipients"], told["refused"]) == ("3", "2")
