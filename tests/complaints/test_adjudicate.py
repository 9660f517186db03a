"""What follows from a complaint, and what a complainer cannot bring about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.complaints.adjudicate import (
    BULK_RECIPIENTS,
    MANY_COMPLAINANTS,
    MIN_COMPLAINANTS,
    Mail,
    adjudicate,
    counts,
)
from outgate.complaints.attribution import Attributed
from outgate.complaints.rates import MIN_COMPLAINANTS as RATE_FLOOR
from outgate.complaints.rates import Level, level_of
from outgate.feedback.report import FeedbackType
from outgate.model.complaint import Attribution, Outcome, Proof, Standing
from outgate.model.consent import Grade

ABUSE = FeedbackType.ABUSE
ENROLLED, STRANGER = Standing.ENROLLED, Standing.STRANGER
CERTAIN = Attributed(
    Attribution.OURS, Proof.TRACE, is_certain=True, customer="a", why=""
)
LIKELY = Attributed(Attribution.OURS, Proof.LOG, is_certain=False, customer="a", why="")
NEWS = Mail(list_id="news.a.example", mailbox="bart@example.net")


def _other(attribution: Attribution) -> Attributed:
    return Attributed(attribution, Proof.NONE, is_certain=False, customer="a", why="")


@pytest.mark.parametrize(
    ("kind", "standing", "attributed", "mail", "outcome"),
    [
        (FeedbackType.AUTH_FAILURE, ENROLLED, CERTAIN, Mail(), Outcome.AUTH_FAILURE),
        (FeedbackType.NOT_SPAM, ENROLLED, CERTAIN, Mail(), Outcome.NOT_SPAM),
        (ABUSE, STRANGER, CERTAIN, Mail(complainants=99), Outcome.TICKET),
        (ABUSE, ENROLLED, _other(Attribution.JOE_JOB), Mail(), Outcome.VICTIM),
        (
            ABUSE,
            ENROLLED,
            _other(Attribution.OURS_BYPASS),
            Mail(),
            Outcome.NETWORK_ABUSE,
        ),
        (ABUSE, ENROLLED, _other(Attribution.DKIM_REPLAY), Mail(), Outcome.REPLAYED),
        (ABUSE, ENROLLED, _other(Attribution.UNKNOWN), Mail(), Outcome.UNATTRIBUTED),
        (ABUSE, ENROLLED, CERTAIN, Mail(list_id="n.a.example"), Outcome.LIST_COMPLAINT),
        (ABUSE, ENROLLED, CERTAIN, NEWS, Outcome.EVIDENCE_MISSING),
        (ABUSE, ENROLLED, CERTAIN, Mail(script="33:m1.php"), Outcome.ABUSED_SITE),
        (ABUSE, ENROLLED, CERTAIN, Mail(recipient_count=1), Outcome.SINGLE_MAIL),
        (
            *(ABUSE, ENROLLED, CERTAIN),
            Mail(recipient_count=BULK_RECIPIENTS, complainants=MIN_COMPLAINANTS),
            Outcome.UNDECLARED_BULK,
        ),
        (
            *(ABUSE, ENROLLED, LIKELY),
            Mail(recipient_count=BULK_RECIPIENTS, complainants=99),
            Outcome.SINGLE_MAIL,
        ),
        (
            *(ABUSE, ENROLLED, CERTAIN),
            Mail(recipient_count=1, complainants=MANY_COMPLAINANTS),
            Outcome.UNDECLARED_BULK,
        ),
    ],
)
def test_each_line(
    kind: FeedbackType,
    standing: Standing,
    attributed: Attributed,
    mail: Mail,
    outcome: Outcome,
) -> None:
    assert adjudicate(kind, standing, attributed, mail).outcome is outcome


@pytest.mark.parametrize("grade", [Grade.WITNESSED, Grade.CORROBORATED])
def test_who_confirmed_and_forgot_is_taken_off(grade: Grade) -> None:
    """No strike; counted for the rate of the list."""
    mail = Mail(list_id=NEWS.list_id, mailbox=NEWS.mailbox, consent=grade)
    judged = adjudicate(ABUSE, ENROLLED, CERTAIN, mail)

    assert judged.outcome is Outcome.FORGOT_SUBSCRIBED
    assert judged.withdraws
    assert judged.counts
    assert not judged.outcome.is_strike


_MAIL = st.builds(
    Mail,
    list_id=st.sampled_from(["", "news.a.example"]),
    script=st.sampled_from(["", "33:m1.php"]),
    recipient_count=st.integers(0, 50),
    mailbox=st.sampled_from(["", "bart@example.net"]),
    is_elsewhere=st.booleans(),
    consent=st.sampled_from(list(Grade)),
    complainants=st.integers(0, 20),
)
_ATTRIBUTED = st.builds(
    Attributed,
    st.sampled_from(list(Attribution)),
    st.sampled_from(list(Proof)),
    is_certain=st.booleans(),
    customer=st.just("a"),
    why=st.just(""),
)


@given(
    st.sampled_from(list(FeedbackType)),
    st.sampled_from(list(Standing)),
    _ATTRIBUTED,
    _MAIL,
)
def test_only_certain_mail_and_believed_people_have_effects(
    kind: FeedbackType, standing: Standing, attributed: Attributed, mail: Mail
) -> None:
    """Whatever a report says: no strike, no count, no withdrawal without both."""
    judged = adjudicate(kind, standing, attributed, mail)

    if judged.counts or judged.withdraws or judged.outcome.is_strike:
        assert standing.is_believed
        assert attributed.is_certain
        assert attributed.attribution is Attribution.OURS
    if judged.counts:
        assert counts(kind, standing, attributed, mail)
        assert kind.counts
        assert not mail.is_elsewhere
    if judged.withdraws:
        assert mail.mailbox
        assert mail.list_id
    if judged.outcome.is_strike:
        assert mail.complainants >= MIN_COMPLAINANTS


@pytest.mark.parametrize(
    ("complainants", "recipients", "level"),
    [
        (RATE_FLOOR - 1, 10, Level.OK),
        (RATE_FLOOR, 1000, Level.INVESTIGATE),
        (RATE_FLOOR, 5000, Level.WATCH),
        (RATE_FLOOR, 5001, Level.OK),
        (RATE_FLOOR, 0, Level.INVESTIGATE),
    ],
)
def test_few_people_are_no_rate(
    complainants: int, recipients: int, level: Level
) -> None:
    assert level_of(complainants, recipients) is level
