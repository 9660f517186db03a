"""Verdicts, replies, and the closed lists of words."""

from enum import StrEnum
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.strategies import fast
from outgate.model.identity import Direction, Path, PrincipalKind
from outgate.model.limit import Count, Per
from outgate.model.verdict import (
    ACCEPTED,
    Action,
    Finding,
    MailClass,
    Mode,
    Reason,
    Reply,
    Verdict,
)


class TestAction:
    """What may happen to a message."""

    def test_the_mildest_comes_first(self) -> None:
        """Severity follows the order in which they are declared."""
        assert [action.value for action in Action] == [
            "accept",
            "tag",
            "defer",
            "quarantine",
            "reject",
        ]
        assert [action.severity for action in Action] == [0, 1, 2, 3, 4]

    def test_only_accept_and_tag_let_a_message_out(self) -> None:
        """From defer on it stays here, or with its sender."""
        assert [action for action in Action if action.lets_out] == [
            Action.ACCEPT,
            Action.TAG,
        ]
        for milder, stricter in pairwise(Action):
            assert milder.lets_out >= stricter.lets_out


@pytest.mark.parametrize(
    "words", [Action, Mode, Reason, MailClass, Count, Per, Path, Direction]
)
def test_every_word_is_fit_for_log_metric_and_configuration(
    words: type[StrEnum],
) -> None:
    """Lower case with dashes, and one string everywhere."""
    for word in words:
        assert word.value == word.name.lower().replace("_", "-")


def test_the_best_evidence_of_who_sends_comes_first() -> None:
    """The order in which accountability looks."""
    assert [kind.value for kind in PrincipalKind] == [
        "login",
        "local-user",
        "certificate",
        "network",
        "client",
    ]


class TestReply:
    """What an SMTP client reads."""

    def test_a_deferral_is_4xx_and_a_rejection_5xx(self) -> None:
        """Code and enhanced status are of one class (RFC 3463 §2)."""
        assert str(Reply.defer("later")) == "451 4.7.1 later"
        assert str(Reply.reject("never")) == "550 5.7.1 never"
        assert str(Reply.defer("ours", enhanced="4.3.0", code=450)) == "450 4.3.0 ours"
        assert str(Reply.reject("ours", enhanced="5.3.0", code=554)) == "554 5.3.0 ours"

    @pytest.mark.parametrize(
        ("code", "enhanced"),
        [(250, "2.0.0"), (550, "4.7.1"), (451, "5.7.1"), (354, "3.0.0"), (550, "")],
    )
    def test_what_an_mta_would_ignore_cannot_be_written(
        self, code: int, enhanced: str
    ) -> None:
        """Such a reply would become the MTA's own."""
        with pytest.raises(ValueError, match="is no refusal"):
            Reply(code, enhanced, "text")

    @fast
    @given(st.integers(0, 999), st.text(max_size=6))
    def test_every_reply_is_a_refusal_of_one_class(
        self, code: int, enhanced: str
    ) -> None:
        """Or it is none at all."""
        try:
            reply = Reply(code, enhanced, "text")
        except ValueError:
            return
        assert reply.code // 100 in {4, 5}
        assert reply.enhanced.startswith(str(reply.code)[0])


class TestVerdict:
    """What policy decided."""

    def test_a_plain_verdict_accepts(self) -> None:
        """Nobody found anything, and the MTA is told nothing else."""
        verdict = Verdict()
        assert verdict.action is Action.ACCEPT
        assert verdict.reasons == ()
        assert ACCEPTED.action is Action.ACCEPT
        assert ACCEPTED.reply is None
        assert ACCEPTED.reason is None

    def test_reasons_stand_in_the_order_of_the_rules(self) -> None:
        """As they were found."""
        findings = tuple(
            Finding(reason=reason, action=Action.TAG, public="")
            for reason in (Reason.LIMIT_EXCEEDED, Reason.MISSING_UNSUBSCRIBE)
        )
        verdict = Verdict(action=Action.TAG, findings=findings)
        assert verdict.reasons == (Reason.LIMIT_EXCEEDED, Reason.MISSING_UNSUBSCRIBE)

    def test_a_finding_acts_unless_it_says_otherwise(self) -> None:
        """Binding, but not against the global lid."""
        finding = Finding(reason=Reason.SUSPENDED, action=Action.REJECT, public="")
        assert finding.binding
        assert not finding.always
