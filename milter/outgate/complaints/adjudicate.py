"""What follows from a complaint, once it is known whose mail it was.

The first line that fits:

    an authentication failure, not-spam, an opt-out    no complaint; nothing is counted
    a reporter who is not believed                     a ticket for a person
    a joe-job, a replay, mail past the gate, unknown   said so; never the customer's
    list mail, the recipient is sure, consent on file  forgot-subscribed: withdrawn
    list mail, the recipient is sure, no such consent  evidence-missing
    list mail, the recipient is not sure               counted for the list alone
    mail of a script                                   abused-site: the owner is a victim
    so many different people complain of one sender    undeclared-bulk, a strike
    else                                               a single mail: a note
"""

from dataclasses import dataclass

from outgate.complaints.attribution import Attributed
from outgate.feedback.report import FeedbackType
from outgate.model.complaint import Attribution, Outcome, Standing
from outgate.model.consent import Grade

BULK_RECIPIENTS = 10
"""A message to so many is no personal mail."""
MIN_COMPLAINANTS = 3
"""So many different people must complain before bulk mail is a strike: one may err."""
MANY_COMPLAINANTS = 5
"""So many, and it is one whatever the size of each message."""

_NO_COMPLAINT = {
    FeedbackType.AUTH_FAILURE: Outcome.AUTH_FAILURE,
    FeedbackType.NOT_SPAM: Outcome.NOT_SPAM,
    FeedbackType.OPT_OUT: Outcome.OPT_OUT,
}
_NOT_THEIRS = {
    Attribution.OURS_BYPASS: Outcome.NETWORK_ABUSE,
    Attribution.DKIM_REPLAY: Outcome.REPLAYED,
    Attribution.JOE_JOB: Outcome.VICTIM,
    Attribution.UNKNOWN: Outcome.UNATTRIBUTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What is kept of the mail.

    Attributes:
        list_id: its registered list, "" for none.
        script: what sent it, "" for none.
        recipient_count: how many got it; 0 where nobody knows.
        mailbox: who complains, where that is sure: the one recipient of the message, or
            one whose keyed hash is among those of its trace; "" else.
        is_elsewhere: the report names somebody who certainly was not a recipient.
        consent: of that mailbox for that list.
        complainants: different people who complained about the customer lately, this
            one included.
    """

    list_id: str = ""
    script: str = ""
    recipient_count: int = 0
    mailbox: str = ""
    is_elsewhere: bool = False
    consent: Grade = Grade.NONE
    complainants: int = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """What follows.

    Attributes:
        counts: whether the complainant is counted for customer and list.
        withdraws: whether the mailbox's consent for the list is withdrawn.
    """

    outcome: Outcome
    counts: bool = False
    withdraws: bool = False


def counts(
    kind: FeedbackType, standing: Standing, attributed: Attributed, mail: Mail
) -> bool:
    """Whether a complaint counts at all: believed, certainly ours, of a recipient."""
    return (
        kind.counts
        and standing.is_believed
        and attributed.attribution is Attribution.OURS
        and attributed.is_certain
        and not mail.is_elsewhere
    )


def adjudicate(
    kind: FeedbackType, standing: Standing, attributed: Attributed, mail: Mail
) -> Judgement:
    """Go through the table."""
    certain = attributed.attribution is Attribution.OURS and attributed.is_certain
    sure = standing.is_believed and certain and bool(mail.list_id and mail.mailbox)
    if (outcome := _NO_COMPLAINT.get(kind)) is not None:
        return Judgement(outcome, withdraws=outcome is Outcome.OPT_OUT and sure)
    if not standing.is_believed:
        return Judgement(Outcome.TICKET)
    if (outcome := _NOT_THEIRS.get(attributed.attribution)) is not None:
        return Judgement(outcome)
    if mail.is_elsewhere:
        # It was handed on, or copied: whoever sent it first did not choose this reader.
        return Judgement(Outcome.SINGLE_MAIL)
    counted = counts(kind, standing, attributed, mail)
    if mail.list_id:
        return _of_list(mail, counted=counted, sure=sure)
    if mail.script:
        return Judgement(Outcome.ABUSED_SITE, counted)
    is_bulk = mail.recipient_count >= BULK_RECIPIENTS
    floor = MIN_COMPLAINANTS if is_bulk else MANY_COMPLAINANTS
    if counted and mail.complainants >= floor:
        return Judgement(Outcome.UNDECLARED_BULK, counted)
    return Judgement(Outcome.SINGLE_MAIL, counted)


def _of_list(mail: Mail, *, counted: bool, sure: bool) -> Judgement:
    if not sure:
        return Judgement(Outcome.LIST_COMPLAINT, counted)
    if mail.consent in {Grade.WITNESSED, Grade.CORROBORATED}:
        return Judgement(Outcome.FORGOT_SUBSCRIBED, counted, withdraws=True)
    return Judgement(Outcome.EVIDENCE_MISSING, counted)
