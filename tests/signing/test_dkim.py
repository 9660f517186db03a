"""Signatures as they leave, judged by dkimpy."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import dkim
import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.builders import fast
from outgate.message.dkim.coverage import MAX_COPIES
from outgate.model.identity import Path as SubmissionPath
from outgate.model.transaction import MAX_HEADER_BYTES
from outgate.model.verdict import Mode
from outgate.mta.session import Socket
from outgate.policy.dkim_settings import DkimSettings, SignatureSettings
from outgate.policy.list_settings import ListSettings
from outgate.signing.dkim_keys import DkimKey
from policy.builders import OUTSIDE, a_customer, a_limit, a_policy
from signing.dkims import (
    ED25519,
    RSA,
    Desk,
    a_book,
    a_key,
    tags,
)

LETTER = b"From: Anne <anne@example.org>\nTo: bob@example.net\nSubject: tea\n"
BODY = b"\nAt five?  \n\n\n"
NEWS = (
    LETTER
    + b"List-Id: News <news.example.org>\nList-Unsubscribe: <https://example.org/u>\n"
    + b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
)
CHOIR = a_customer("choir", "@example.org")


def covered(message: bytes) -> list[str]:
    return tags(message)["h"].split(":")


def test_both_signatures_verify_and_stand_on_top() -> None:
    """RSA first: a receiver that takes the first it meets knows it."""
    desk = Desk()
    signed = desk.send(LETTER + BODY)

    assert signed.message.startswith(b"DKIM-Signature: v=1; a=rsa-sha256;")
    assert [tags(signed.message, one)["a"] for one in (0, 1)] == [
        "rsa-sha256",
        "ed25519-sha256",
    ]
    assert desk.verifies(signed.message) == [True, True]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"\n\n\n \n",
        b"\nno final newline",
        b"\n" + "Größe\n".encode() + b"\xff\xfe\n",
        b"\n" + b"long " * 20_000 + b"\n",
        b"\n" + b" \t \n" * 5_000 + b"end",
        b"\n" + b"x" * 65_534 + b"\r\n" + b"y \r\n" * 50_000,
    ],
)
def test_odd_bodies_verify(body: bytes) -> None:
    """Empty, 8-bit, long lines, no final newline, larger than a piece."""
    desk = Desk()
    signed = desk.send(LETTER + body)

    assert desk.verifies(signed.message) == [True, True]


@fast
@given(
    st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"\xe4b "]), max_size=40),
    st.lists(
        st.sampled_from(
            [
                b"To:  x@example.net ,\n\ty@example.net\n",
                b"To: z@example.net\n",
                b"SUBJECT:\n folded at once\n",
                b"subject:\n",
                b"Cc: \t \n",
                b"Reply-To: Gr\xc3\xb6\xc3\x9fe <a@example.org>\n",
                b"List-Unsubscribe:\n <https://example.org/u>\n",
                b"X-Other: 1\n",
                b"Outgate-Trace: v=1\n",
            ]
        ),
        max_size=6,
    ),
    st.integers(1, 7),
)
def test_whatever_a_message_is_its_signatures_verify(
    body: list[bytes], headers: list[bytes], chunk: int
) -> None:
    """Duplicates, folds, 8-bit, empty values, wherever the MTA cuts the body."""
    desk = _SHARED
    signed = desk.send(LETTER + b"".join(headers) + b"\n" + b"".join(body), chunk=chunk)

    assert desk.verifies(signed.message) == [True, True]


_SHARED = Desk()


def test_what_is_there_and_what_is_not_is_signed() -> None:
    """A second Subject, or a first Reply-To, breaks it; an unsigned header does not."""
    desk = Desk()
    message = desk.send(LETTER + BODY).message

    assert desk.verifies(b"Received: by mx\r\nX-New: 1\r\n" + message) is not None
    for header in (b"Subject: more", b"Reply-To: x@example.com", b"CFBL-Address: x"):
        with_more = message.replace(b"From:", header + b"\r\nFrom:", 1)
        assert desk.verifies(with_more) == [False, False]
    assert desk.verifies(message.replace(b"five", b"nine")) == [False, False]


def test_list_headers_of_a_list_elsewhere_do_no_harm() -> None:
    """A letter to a list comes back with its headers, and still verifies."""
    desk = Desk()
    message = desk.send(LETTER + BODY).message
    by_list = message.replace(b"From:", b"List-Id: <chat.example.com>\r\nFrom:", 1)

    assert "list-id" not in covered(message)
    assert desk.verifies(by_list) == [True, True]


@pytest.mark.parametrize("registered", [True, False])
def test_list_mail_of_a_customers_own_lets_nobody_add_list_headers(
    registered: bool,
) -> None:
    """One-click is covered (RFC 8058 §4), once more than it is there."""
    lists = [ListSettings(id="news.example.org", customer="choir")]
    customer = a_customer("choir", "anne@example.org") if registered else CHOIR
    desk = Desk(
        # Nobody's consent is on file here: enforced, that would hold it.
        policy=a_policy(
            customers=[customer],
            lists=lists if registered else [],
            mode=Mode.MONITOR,
        )
    )
    message = desk.send(NEWS + BODY).message

    assert covered(message).count("list-unsubscribe-post") == 2
    assert covered(message).count("list-help") == 1
    assert desk.verifies(message) == [True, True]


def test_other_list_mail_has_its_list_headers_signed_as_they_are() -> None:
    """Somebody else's list, or a switch that is off."""
    elsewhere = NEWS.replace(b"news.example.org", b"chat.example.com")
    off = (SignatureSettings(domain="*", customers=("*",), oversign_lists=False),)
    for desk, text in (
        (Desk(policy=a_policy(customers=[CHOIR])), elsewhere),
        (Desk(policy=a_policy(customers=[CHOIR]), signatures=off), NEWS),
    ):
        names = covered(desk.send(text + BODY).message)
        assert names.count("list-unsubscribe-post") == 1
        assert names.count("list-help") == 0


def test_what_we_change_ourselves_is_signed_as_it_leaves() -> None:
    """A tag that comes, a forged one and tokens that go."""
    forged = b"Outgate-Verdict: class=personal\nOpt-In-Evidence: v=1\n"
    desk = Desk(settings=DkimSettings(also=("Outgate-Verdict", "X-Absent")))
    bulk = desk.send(forged + LETTER + b"Precedence: bulk\n" + BODY)
    plain = desk.send(forged + LETTER + BODY)

    assert b"Outgate-Verdict: class=bulk; action=tag" in bulk.message
    assert covered(bulk.message).count("outgate-verdict") == 1
    assert b"Outgate-Verdict" not in plain.message
    assert "outgate-verdict" not in covered(plain.message)
    assert desk.verifies(bulk.message) == desk.verifies(plain.message) == [True, True]


def test_only_what_leaves_is_signed() -> None:
    """Not what is held or refused, and nothing that comes from outside."""
    desk = Desk(policy=a_policy(a_limit("1/1d")))
    first = desk.send(LETTER + BODY)
    second = desk.send(LETTER + BODY)
    desk.session.connect(OUTSIDE, "Postfix 3.7", "mx.example.org")
    inbound = desk.send(LETTER + BODY, login="")

    assert first.results == ["signed", "signed"]
    assert second.effects.quarantine
    assert second.results == []
    assert b"DKIM-Signature" not in second.message
    assert inbound.results == []


def test_monitor_mode_signs() -> None:
    """What leaves is the same mail, whatever the gate would do."""
    desk = Desk(policy=a_policy(a_limit("1/1d"), mode=Mode.MONITOR))
    desk.send(LETTER + BODY)

    assert desk.send(LETTER + BODY).results == ["signed", "signed"]


@pytest.mark.parametrize(
    "headers",
    [
        b"To: bob@example.net\n",
        b"From: anne@example.org\nFrom: bart@example.org\n",
        b"From: <>\n",
        b"From: anne\n",
        b"From: anne@example.org\n" + b"To: x@example.net\n" * (MAX_COPIES + 1),
        b"From: anne@example.org\n"
        + b"".join(
            b"References: <%b>\n" % (b"x" * (MAX_HEADER_BYTES // 3)) for _ in range(4)
        ),
    ],
)
def test_what_cannot_be_signed_leaves_unsigned(headers: bytes) -> None:
    """No author or two, one without a domain, headers beyond all measure."""
    signed = Desk().send(headers + BODY)

    assert set(signed.results) == {"unsignable"}
    assert b"DKIM-Signature" not in signed.message


def test_a_failing_key_costs_a_signature_not_a_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other key still signs."""
    desk = Desk()
    key = desk.book.keys["example.org.2026a", "example.org"].key

    def broken(self: DkimKey, data: bytes) -> bytes:
        if self is key:
            raise ZeroDivisionError
        return real(self, data)

    real = type(key).sign
    monkeypatch.setattr(type(key), "sign", broken)
    signed = desk.send(LETTER + BODY)

    assert signed.results == ["error", "signed"]
    assert len(desk.failures) == 1


def test_the_domain_of_the_sender_signs_where_a_table_says_so() -> None:
    """`%` in a KeyTable, with an identity from the SigningTable."""
    signing = "* %.2026a:%\n"
    desk = Desk(a_book({"%:2026a": a_key()}, signing))
    signed = desk.send(LETTER.replace(b"example.org", b"Sub.Example.com") + BODY)
    found = tags(signed.message)

    assert (found["d"], found["i"]) == ("sub.example.com", "@sub.example.com")
    assert desk.verifies(signed.message) == [True]


def test_a_signature_may_end() -> None:
    """`x=` so much later than `t=`."""
    from datetime import timedelta

    desk = Desk(settings=DkimSettings(expire=timedelta(days=14)))
    found = tags(desk.send(LETTER + BODY).message)

    assert int(found["x"]) - int(found["t"]) == 14 * 86_400
    assert "x" not in tags(Desk().send(LETTER + BODY).message)


def test_local_submissions_are_signed() -> None:
    """Of a customer whose the domain is."""
    desk = Desk(
        policy=a_policy(customers=[a_customer("choir", "@example.org", "user:www")]),
        signatures=(),
        socket=Socket(path=SubmissionPath.LOCAL_SUBMISSION, local_user="www"),
    )
    signed = desk.send(LETTER + BODY, login="")

    assert signed.results == ["signed", "signed"]


def test_a_socket_without_bodies_signs_them_all_the_same() -> None:
    """Rules see nothing of them."""
    desk = Desk(socket=Socket(bodies=False))
    signed = desk.send(LETTER + BODY)

    assert desk.verifies(signed.message) == [True, True]
    assert signed.decision.transaction.body == b""
    assert signed.decision.transaction.body_digest == b""


def test_bodies_that_nothing_signs_are_not_read() -> None:
    """No key for this From: the first piece is enough, as without DKIM."""
    desk = Desk()
    body = b"x" * 200_000
    signed = desk.send(b"From: x@elsewhere.example\n\n" + body)

    assert signed.results == ["no-key"]
    assert signed.decision.transaction.body_bytes < 70_000


def test_a_session_forgets_the_last_message() -> None:
    """Bodies of two messages never mix."""
    desk = Desk()
    first, second = (desk.send(LETTER + BODY) for _ in range(2))
    empty = desk.send(LETTER)

    assert first.message == second.message
    assert desk.verifies(empty.message) == [True, True]


def test_signing_costs_a_fraction_of_dkimpy(tmp_path: Path) -> None:
    """4 KiB, CPU time of both in this very run; what is asked is a fifth of it."""
    others = b"".join(
        b"X-Other-%d: something that nobody signs\n" % n for n in range(14)
    )
    message = others + NEWS + b"\n" + _WIRE.replace(b"\r\n", b"\n")
    for algorithm, least in ((RSA, 15), (ED25519, 5)):
        key = a_key(algorithm)
        name = f"example.org:{algorithm.key_type}"
        desk = Desk(a_book({name: key}, f"*@example.org {name.replace(':', '.')}\n"))
        ours = _cost(partial(_resign, desk, message))
        theirs = _cost(partial(_by_dkimpy, key, message), rounds=5)
        assert theirs / ours > least / 5


def _resign(desk: Desk, message: bytes) -> None:
    """What signing adds to a message that is judged anyway."""
    from outgate.message.dkim.canonical import BodyHash

    decision = desk.send(message).decision if not desk.post.seen else desk.post.seen[-1]
    found = BodyHash()
    found.feed(_WIRE)
    decision.transaction.relaxed_body_sha256 = found.digest()
    desk.signer.sign(decision)


_WIRE = b"sixty-three characters of text and a line end, again and again\r\n" * 64


def _by_dkimpy(key: DkimKey, message: bytes) -> None:
    import base64

    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    private = key.private
    if key.algorithm is RSA:
        pem = private.private_bytes(
            Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
        )
    else:
        raw = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        pem = base64.b64encode(raw)
    dkim.sign(
        message,
        b"s",
        b"example.org",
        pem,
        canonicalize=(b"relaxed", b"relaxed"),
        signature_algorithm=key.algorithm.value.encode(),
    )


def _cost(work: Callable[[], object], rounds: int = 30) -> float:
    """CPU seconds of one, the best of several rounds."""
    best = 1e9
    for _ in range(rounds):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best
