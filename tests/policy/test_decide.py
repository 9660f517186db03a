"""From answers to a verdict, and whether the message would leave."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.gcra import Level
from outgate.model.verdict import Action, Finding, Mode, Reason
from outgate.policy.case import Case, lifted
from outgate.policy.decide import decide, severest, would_let_out
from outgate.policy.operator import ALLOWABLE, Order
from outgate.policy.order import RULES
from outgate.policy.questions import Answers, Source
from outgate.policy.rule_settings import RuleSettings
from outgate.policy.snapshot import EMPTY, Snapshot
from policy.builders import (
    ANNE,
    MINUTE_US,
    a_case,
    a_finding,
    a_limit,
    a_policy,
    a_transaction,
    a_verdict,
    an_entry,
    fast,
)
from policy.ledger import NOW_US

BULK = {"Precedence": "bulk"}


def a_bad_case(
    *,
    suspend: str | None = None,
    allow: tuple[str, ...] = (),
    rules: dict[Reason, RuleSettings] | None = None,
    copy: Snapshot = EMPTY,
) -> Case:
    """Bulk mail of a login whose limit is used up."""
    case = a_case(
        a_policy(a_limit(), rules=rules), a_transaction(ANNE, headers=BULK), copy=copy
    )
    case.answers = Answers(
        now_us=NOW_US,
        suspend=[suspend.encode() if suspend is not None else None],
        allow=[value.encode() for value in allow],
        allowed=False,
        levels=[Level(False, 10, MINUTE_US)],
    )
    return case


class TestDecide:
    """All rules are judged, and the severest finding wins."""

    def test_plain_mail_is_accepted_and_every_rule_looked(self) -> None:
        """Hits and misses are kept: nothing was forgotten."""
        verdict = decide(a_case(a_policy(), a_transaction(ANNE)))
        assert verdict.action is Action.ACCEPT
        assert not verdict.findings
        assert verdict.misses == tuple(rule.reason for rule in RULES)

    def test_all_findings_stand_in_the_order_of_the_rules(self) -> None:
        """One does not hide another."""
        verdict = decide(a_bad_case(suspend=""))
        assert verdict.action is Action.REJECT
        assert verdict.reasons == (
            Reason.SUSPENDED,
            Reason.LIMIT_EXCEEDED,
            Reason.MISSING_UNSUBSCRIBE,
        )
        assert set(verdict.misses) | set(verdict.reasons) == {
            rule.reason for rule in RULES
        }

    @pytest.mark.parametrize("reason", [Reason.LIMIT_EXCEEDED, Reason.SUSPENDED])
    def test_a_monitoring_rule_reports_and_does_not_bind(self, reason: Reason) -> None:
        """Except for operators' orders, which act in monitor mode too."""
        monitored = {reason: RuleSettings(mode=Mode.MONITOR)}
        verdict = decide(a_bad_case(suspend="", rules=monitored))
        found = {finding.reason: finding for finding in verdict.findings}
        assert found[reason].binding is found[reason].always
        assert found[reason].retry_after_us == (
            0 if reason is Reason.SUSPENDED else MINUTE_US
        )
        assert found[Reason.MISSING_UNSUBSCRIBE].binding

    @fast
    @given(st.data())
    def test_it_depends_on_nothing_else(self, data: st.DataObject) -> None:
        """The same case has the same verdict: it can be explained and replayed."""
        suspend = data.draw(st.none() | st.text(max_size=8))
        assert decide(a_bad_case(suspend=suspend)) == decide(
            a_bad_case(suspend=suspend)
        )


class TestAllow:
    """An operator lifted rules for this sender."""

    @pytest.mark.parametrize(
        ("allow", "reasons"),
        [
            pytest.param((), ["limit-exceeded", "missing-unsubscribe"], id="none"),
            pytest.param(("busy",), ["missing-unsubscribe"], id="limits by default"),
            pytest.param(
                ("rules=missing-unsubscribe",), ["limit-exceeded"], id="what is named"
            ),
            pytest.param(
                ("rules=limit-exceeded,missing-unsubscribe",), [], id="both named"
            ),
            pytest.param(
                ("rules=missing-unsubscribe", "busy"), [], id="two orders add up"
            ),
            pytest.param(
                ("until=2020-01-01T00:00:00Z",),
                ["limit-exceeded", "missing-unsubscribe"],
                id="one that ended",
            ),
            pytest.param(
                ("for=soon",),
                ["limit-exceeded", "missing-unsubscribe"],
                id="one that is broken",
            ),
        ],
    )
    def test_only_the_named_rules_are_lifted(
        self, allow: tuple[str, ...], reasons: list[str]
    ) -> None:
        """The scope of the order."""
        assert [reason.value for reason in decide(a_bad_case(allow=allow)).reasons] == (
            reasons
        )

    def test_what_is_lifted_counts_as_a_miss(self) -> None:
        """The rule stands in the verdict all the same."""
        verdict = decide(a_bad_case(allow=("",)))
        assert Reason.LIMIT_EXCEEDED in verdict.misses

    def test_nobody_is_freed_from_a_suspension(self) -> None:
        """Not even by `rules=`: the other operator had a reason."""
        case = a_bad_case(suspend="bot", allow=("",))
        assert decide(case).action is Action.REJECT
        assert case.allowed <= ALLOWABLE

    def test_the_copy_stands_in_for_the_store(self) -> None:
        """Networks and other spellings always, all of it while the store is away."""
        copy = Snapshot.build([an_entry(Order.ALLOW, "203.0.113.0/28")])
        assert lifted(a_bad_case(copy=copy))
        canonical = Snapshot.build([an_entry(Order.ALLOW, ANNE)])
        case = a_bad_case(copy=canonical)
        assert not lifted(case)
        case.answers.source = Source.LOCAL
        assert lifted(case)


findings = st.builds(
    a_finding,
    st.sampled_from(Action),
    reason=st.sampled_from(Reason),
    binding=st.booleans(),
)


class TestSeverest:
    """Which finding wins."""

    @fast
    @given(st.lists(findings, min_size=1, max_size=6))
    def test_it_is_the_first_of_the_severest(self, found: list[Finding]) -> None:
        """Among equals the earlier rule gives the reply."""
        winner = severest(found)
        assert all(winner.action.severity >= one.action.severity for one in found)
        for one in found:
            if one is winner:
                break
            assert one.action.severity < winner.action.severity

    def test_among_equals_the_earlier_wins(self) -> None:
        """By the table of rules."""
        first = a_finding(reason=Reason.SUSPENDED)
        second = a_finding(reason=Reason.LIMIT_EXCEEDED)
        assert severest([first, second]) is first


class TestWouldLetOut:
    """Whether the message would leave with every enforced rule in force."""

    @pytest.mark.parametrize(
        ("found", "out"),
        [
            ([], True),
            ([a_finding(Action.TAG)], True),
            ([a_finding(Action.DEFER)], False),
            ([a_finding(Action.QUARANTINE)], False),
            ([a_finding(Action.REJECT)], False),
            ([a_finding(Action.REJECT, binding=False)], True),
            ([a_finding(Action.TAG), a_finding(Action.DEFER)], False),
        ],
    )
    def test_what_a_rule_only_reports_leaves(
        self, found: list[Finding], out: bool
    ) -> None:
        """And so it is charged."""
        assert would_let_out(a_verdict(*found)) is out

    @fast
    @given(st.lists(findings, max_size=5), findings)
    def test_one_finding_more_never_lets_more_out(
        self, found: list[Finding], more: Finding
    ) -> None:
        """Evidence against a message does not help it."""
        assert would_let_out(a_verdict(*found, more)) <= would_let_out(
            a_verdict(*found)
        )
