"""Which headers a message gets, and which of its own it keeps."""

from collections.abc import Collection

import pytest

from outgate.model.consent import Grade
from outgate.model.dkim import Signature
from outgate.model.optin import Permission
from outgate.model.trace import TRACE_HEADER
from outgate.model.transaction import Transaction
from outgate.model.verdict import Disposition, Reason, Removal
from outgate.mta.effects import effects_of
from outgate.policy.compiled import Policy
from outgate.policy.decision import Decision
from outgate.policy.gate import Gate
from outgate.policy.list_settings import ListSettings
from outgate.policy.settings import CustomerSettings
from outgate.policy.trace_settings import TraceSettings
from outgate.signing.trace import TraceSigner
from outgate.signing.tracer import MessageTracer
from policy.builders import INSIDE, Outpost, a_policy, a_transaction

SIGNER = TraceSigner(b"\x5e" * 32)
OWN = "Outgate-Verdict"
ANNE = "anne@choir.example"
FROM = {"From": f"Anne <{ANNE}>"}
CFBL = TraceSettings(cfbl_address="fbl@coop.example")


def unexpected(error: Exception) -> None:
    raise error


class Desk:
    """Would sign as these domains."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def wants_body(self, transaction: Transaction) -> bool:
        return True

    def domains(self, decision: Decision) -> Collection[str]:
        return self._names

    def sign(self, decision: Decision) -> tuple[Signature, ...]:
        return ()


def judged(
    policy: Policy, transaction: Transaction, desk: Desk | None = None
) -> Decision:
    """What a whole gate decides."""
    post = Outpost(policy)
    tracer = MessageTracer(SIGNER, policy, unexpected)
    gate = Gate(
        policy, post.store, post.host, post.clock, (post,), signer=desk, tracer=tracer
    )
    return gate.judge(transaction)


def names(decision: Decision) -> list[str]:
    return [name for name, _ in decision.headers]


def test_what_leaves_has_one_trace() -> None:
    """Ours; what the sender wrote is removed, however often."""
    transaction = a_transaction(ANNE, headers=FROM)
    transaction.headers[TRACE_HEADER.lower()] = [b"v=1; i=forged", b"x"]
    decision = judged(a_policy(), transaction)
    effects = effects_of(decision, OWN)
    assert effects.remove == ((TRACE_HEADER, 2),)
    ((name, value),) = effects.add
    assert name == TRACE_HEADER
    assert decision.trace is not None
    assert SIGNER.read(value.encode()) == decision.trace
    assert decision.trace.customer == SIGNER.customer(ANNE)
    assert decision.trace.grade is Grade.NONE


def test_each_message_has_its_own_id() -> None:
    """A retry is another one."""
    traces = [judged(a_policy(), a_transaction(ANNE)).trace for _ in range(2)]
    assert traces[0] != traces[1]


def test_inbound_mail_gets_none() -> None:
    """Nor does it lose another site's."""
    transaction = a_transaction(headers=FROM)
    transaction.headers[TRACE_HEADER.lower()] = [b"theirs"]
    decision = judged(a_policy(), transaction)
    effects = effects_of(decision, OWN)
    assert decision.trace is None
    assert not effects.remove
    assert not effects.add


def test_without_the_header_forged_ones_go_too() -> None:
    """The store alone knows it then."""
    transaction = a_transaction(ANNE, headers={TRACE_HEADER: "v=1"})
    policy = a_policy(trace=TraceSettings(header=False))
    decision = judged(policy, transaction)
    effects = effects_of(decision, OWN)
    assert effects.remove == ((TRACE_HEADER, 1),)
    assert effects.add == ()
    assert decision.trace is not None


@pytest.mark.parametrize(
    ("domains", "signed", "expected"),
    [
        ((), (), False),
        (("choir.example",), (), False),
        (("coop.example",), (), False),
        (("choir.example", "coop.example"), (), True),
        (("choir.example",), ("coop.example",), True),
        ((), ("choir.example", "COOP.example"), True),
        (("news.choir.example", "coop.example"), (), False),
    ],
)
def test_complaints_are_asked_for_where_signatures_are(
    domains: tuple[str, ...], signed: tuple[str, ...], expected: bool
) -> None:
    """RFC 9477 §3: of header From's domain, and of the address's."""
    settings = TraceSettings(cfbl_address="fbl@fbl.coop.example", signed=signed)
    policy = a_policy(trace=settings)
    transaction = a_transaction(ANNE, headers=FROM)
    decision = judged(policy, transaction, Desk(*domains))
    added = dict(decision.headers)
    assert decision.trace is not None
    assert ("CFBL-Address" in added) is expected
    if expected:
        assert added["CFBL-Address"] == "fbl@fbl.coop.example; report=arf"
        assert added["CFBL-Feedback-ID"] == decision.trace.id


@pytest.mark.parametrize("name", ["CFBL-Address", "CFBL-Feedback-ID"])
def test_a_customers_own_stays(name: str) -> None:
    """And ours is not added."""
    transaction = a_transaction(ANNE, headers={**FROM, name: "own"})
    decision = judged(
        a_policy(trace=CFBL), transaction, Desk("choir.example", "coop.example")
    )
    assert names(decision) == [TRACE_HEADER]
    assert effects_of(decision, OWN).remove == ()


def test_a_customer_may_have_another_address() -> None:
    """Or none."""
    for own, expected in (
        ("c@choir.example", "c@choir.example; report=arf"),
        ("off", None),
    ):
        customer = CustomerSettings(
            name="choir", match=("@choir.example",), cfbl_address=own
        )
        policy = a_policy(trace=CFBL, customers=[customer])
        desk = Desk("choir.example", "coop.example")
        decision = judged(policy, a_transaction(ANNE, headers=FROM), desk)
        assert dict(decision.headers).get("CFBL-Address") == expected


def test_a_feedback_id_is_made_of_pseudonyms() -> None:
    """Where there is none, and the domain is signed."""
    settings = TraceSettings(feedback_id="{list}:{customer}:{class}:coop")
    policy = a_policy(trace=settings)
    desk = Desk("choir.example")
    decision = judged(policy, a_transaction(ANNE, headers=FROM), desk)
    value = dict(decision.headers)["Feedback-ID"]
    assert value == f"-:{SIGNER.customer(ANNE)}:personal:coop"
    own = a_transaction(ANNE, headers={**FROM, "Feedback-ID": "a:b:c:d"})
    assert names(judged(policy, own, desk)) == [TRACE_HEADER]
    unsigned = judged(policy, a_transaction(ANNE, headers=FROM), Desk())
    assert names(unsigned) == [TRACE_HEADER]


def test_two_authors_are_none() -> None:
    """Nobody knows which a reader sees."""
    transaction = a_transaction(ANNE, headers=FROM)
    transaction.headers["from"].append(b"mallory@choir.example")
    desk = Desk("choir.example", "coop.example")
    decision = judged(a_policy(trace=CFBL), transaction, desk)
    assert names(decision) == [TRACE_HEADER]


def test_the_grade_is_that_of_who_is_least_sure() -> None:
    """Of those who get it; a list's pseudonym is with it."""
    own = ListSettings(id="members.choir.example", customer=ANNE)
    policy = a_policy(lists=[own])
    transaction = a_transaction(
        ANNE,
        recipients=["a@example.net", "b@example.net", "c@example.net"],
        headers={**FROM, "List-Id": "<members.choir.example>"},
    )
    decision = judged(policy, transaction)
    plan, answers = decision.plan, decision.answers
    assert plan is not None
    assert answers is not None
    assert plan.subscribed == "members.choir.example"
    grades = {
        "a@example.net": Permission.WITNESSED,
        "b@example.net": Permission.PAPER,
        "c@example.net": Permission.WITHDRAWN,
    }
    answers.permissions = [grades[one] for one in plan.people]
    tracer = MessageTracer(SIGNER, policy, unexpected)
    tracer.trace(decision, None)
    assert decision.trace is not None
    assert decision.trace.grade.letter == "0"
    assert decision.trace.list_id == SIGNER.list_id(ANNE, "members.choir.example")
    gone = Removal(b"<c@example.net>", Reason.CONSENT_WITHDRAWN)
    decision.disposition = Disposition(removed=(gone,))
    tracer.trace(decision, None)
    assert decision.trace is not None
    assert decision.trace.grade.letter == "p"


def test_a_bug_costs_the_trace_alone() -> None:
    """The message leaves, and it is told."""
    told: list[Exception] = []
    policy = a_policy()
    decision = judged(policy, a_transaction(client=INSIDE))

    def broken(_: int) -> bytes:
        raise ZeroDivisionError

    MessageTracer(SIGNER, policy, told.append, broken).trace(decision, None)
    assert decision.trace is None
    assert decision.headers == ()
    assert len(told) == 1
