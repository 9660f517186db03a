"""From verdict to what the MTA is told: mode, path, hold queue."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.identity import Path
from outgate.model.verdict import (
    ACCEPTED,
    Action,
    Disposition,
    Finding,
    MailClass,
    Mode,
    Reason,
)
from outgate.policy.compiled import Policy
from outgate.policy.decide import would_let_out
from outgate.policy.enforce import Circumstances, enforce
from outgate.policy.rule_settings import RuleSettings
from outgate.policy.settings import QuarantineSettings, TagSettings
from policy.builders import (
    HOUR_US,
    a_finding,
    a_policy,
    a_verdict,
    fast,
)
from policy.ledger import NOW_US


def tell(
    *found: Finding,
    policy: Policy | None = None,
    mode: Mode = Mode.ENFORCE,
    path: Path = Path.SMTP,
    full: bool = False,
) -> Disposition:
    around = Circumstances(
        path=path,
        mail_class=MailClass.BULK,
        queue_id="4XyZ1a2b3c",
        hold_queue_full=full,
        now_us=NOW_US,
    )
    return enforce(a_verdict(*found), policy or a_policy(mode=mode), around)


class TestEnforce:
    """What happens, for each action."""

    def test_without_findings_a_message_is_accepted(self) -> None:
        """Nothing is added to it."""
        assert tell() is ACCEPTED

    def test_accept_is_an_acceptance(self) -> None:
        """A rule for errors of our own may ask for it."""
        assert tell(a_finding(Action.ACCEPT)) is ACCEPTED

    def test_defer_and_reject_give_a_reply(self) -> None:
        """Temporary or final, with the reason of the finding."""
        deferred = tell(a_finding(Action.DEFER))
        assert deferred.reply is not None
        assert (deferred.action, deferred.reply.code) == (Action.DEFER, 451)
        rejected = tell(a_finding(Action.REJECT))
        assert rejected.reply is not None
        assert (rejected.action, rejected.reply.code) == (Action.REJECT, 550)
        assert rejected.reason is Reason.LIMIT_EXCEEDED

    def test_quarantine_says_why_and_until_when(self) -> None:
        """The reason stays with the message in the hold queue."""
        policy = a_policy(quarantine=QuarantineSettings(keep=timedelta(hours=5)))
        held = tell(a_finding(Action.QUARANTINE), policy=policy)
        assert held == Disposition(
            action=Action.QUARANTINE,
            reason=Reason.LIMIT_EXCEEDED,
            hold_reason="outgate: limit-exceeded",
            hold_until_us=NOW_US + 5 * HOUR_US,
        )

    @pytest.mark.parametrize(
        ("show", "tag"),
        [
            (("class", "action"), "class=bulk; action=tag"),
            (
                ("reasons", "class"),
                "reasons=limit-exceeded,missing-unsubscribe; class=bulk",
            ),
            ((), ""),
        ],
    )
    def test_tag_shows_what_the_operator_wants_shown(
        self, show: tuple[str, ...], tag: str
    ) -> None:
        """It leaves for the world; rules on trial are not in it."""
        told = tell(
            a_finding(Action.TAG),
            a_finding(Action.TAG, reason=Reason.MISSING_UNSUBSCRIBE),
            a_finding(Action.TAG, reason=Reason.QUARANTINED, binding=False),
            policy=a_policy(tag=TagSettings(show=show)),
        )
        assert told == Disposition(
            action=Action.TAG, reason=Reason.LIMIT_EXCEEDED, tag=tag
        )


class TestMode:
    """Monitor reports, enforce acts."""

    @pytest.mark.parametrize("action", Action)
    def test_under_monitor_nothing_is_stopped(self, action: Action) -> None:
        """Nothing is added to mail either."""
        assert tell(a_finding(action), mode=Mode.MONITOR) is ACCEPTED

    @pytest.mark.parametrize("action", [Action.DEFER, Action.QUARANTINE, Action.REJECT])
    def test_an_operators_order_acts_under_monitor(self, action: Action) -> None:
        """Somebody looked, and decided."""
        order = a_finding(action, reason=Reason.SUSPENDED, always=True)
        told = tell(order, a_finding(Action.REJECT), mode=Mode.MONITOR)
        assert told.action is action
        assert told.reason is Reason.SUSPENDED

    def test_a_rule_on_trial_does_not_act(self) -> None:
        """The severest of those that are enforced does."""
        told = tell(
            a_finding(Action.REJECT, binding=False),
            a_finding(Action.TAG, reason=Reason.MISSING_UNSUBSCRIBE),
        )
        assert told.reason is Reason.MISSING_UNSUBSCRIBE


class TestLocalPath:
    """Where the MTA offers a deferred file again at each new submission."""

    def test_defer_becomes_quarantine(self) -> None:
        """Everything behind it would wait."""
        told = tell(a_finding(Action.DEFER), path=Path.LOCAL_SUBMISSION)
        assert told.action is Action.QUARANTINE
        assert told.reply is None

    @pytest.mark.parametrize("action", [Action.DEFER, Action.QUARANTINE])
    def test_a_full_hold_queue_rejects(self, action: Action) -> None:
        """There is nowhere else to put it."""
        told = tell(a_finding(action), path=Path.LOCAL_SUBMISSION, full=True)
        assert told.action is Action.REJECT
        assert told.reason is Reason.QUARANTINE_FULL


class TestFull:
    """Where nothing more may be held."""

    def test_what_would_be_held_is_deferred(self) -> None:
        """With the sentence of what would have held it."""
        told = tell(a_finding(Action.QUARANTINE), full=True)
        assert told.action is Action.DEFER
        assert told.reason is Reason.QUARANTINE_FULL
        assert told.reply is not None
        assert told.reply.text.startswith("A sentence for the sender.")

    def test_or_rejected_where_the_operator_wants_it(self) -> None:
        """The rule has an action like others."""
        rules = {Reason.QUARANTINE_FULL: RuleSettings(action=Action.REJECT)}
        told = tell(
            a_finding(Action.QUARANTINE), policy=a_policy(rules=rules), full=True
        )
        assert told.action is Action.REJECT

    def test_an_operators_order_is_deferred_under_monitor_too(self) -> None:
        """A quarantined sender does not get out because the queue is full."""
        order = a_finding(Action.QUARANTINE, always=True)
        assert tell(order, mode=Mode.MONITOR, full=True).action is Action.DEFER

    @pytest.mark.parametrize("action", [Action.TAG, Action.DEFER, Action.REJECT])
    def test_other_actions_do_not_mind(self, action: Action) -> None:
        """They hold nothing."""
        assert tell(a_finding(action), full=True) == tell(a_finding(action))


findings = st.builds(
    a_finding,
    st.sampled_from(Action),
    reason=st.sampled_from(Reason),
    binding=st.booleans(),
    always=st.booleans(),
)
fulls = st.sampled_from([Action.DEFER, Action.REJECT])


@st.composite
def circumstances(draw: st.DrawFn) -> dict[str, Any]:
    rules = {Reason.QUARANTINE_FULL: RuleSettings(action=draw(fulls))}
    mode = draw(st.sampled_from(Mode))
    return {
        "policy": a_policy(mode=mode, rules=rules),
        "path": draw(st.sampled_from(Path)),
        "full": draw(st.booleans()),
    }


class TestAlways:
    """Whatever the findings, and whatever the circumstances."""

    @fast
    @given(st.lists(findings, max_size=5), findings, circumstances(), st.integers(0, 5))
    def test_one_finding_more_never_makes_it_milder(
        self, found: list[Finding], more: Finding, around: dict[str, Any], at: int
    ) -> None:
        """Evidence against a message does not help it."""
        before = tell(*found, **around)
        after = tell(*found[:at], more, *found[at:], **around)
        assert after.action.severity >= before.action.severity

    @fast
    @given(
        st.lists(findings, min_size=1, max_size=5),
        circumstances(),
        st.sampled_from(Action),
        st.integers(0, 4),
    )
    def test_a_stricter_finding_never_makes_it_milder(
        self,
        found: list[Finding],
        around: dict[str, Any],
        action: Action,
        at: int,
    ) -> None:
        """Nor does one that was turned up."""
        one = found[at % len(found)]
        if action.severity < one.action.severity:
            return
        stricter = list(found)
        stricter[at % len(found)] = replace(one, action=action)
        before = tell(*found, **around)
        after = tell(*stricter, **around)
        assert after.action.severity >= before.action.severity

    @fast
    @given(st.lists(findings, max_size=5), st.booleans())
    def test_the_local_path_never_defers(
        self, found: list[Finding], full: bool
    ) -> None:
        """Nor does a full hold queue make it."""
        told = tell(*found, path=Path.LOCAL_SUBMISSION, full=full)
        assert told.action is not Action.DEFER

    @fast
    @given(st.lists(findings, max_size=5), st.sampled_from(Path), st.booleans())
    def test_monitor_is_a_lid(
        self, found: list[Finding], path: Path, full: bool
    ) -> None:
        """Everything goes out that no operator ordered to stay."""
        told = tell(*found, mode=Mode.MONITOR, path=path, full=full)
        orders = [finding for finding in found if finding.always]
        assert told == tell(*orders, path=path, full=full)
        if not orders:
            assert told is ACCEPTED

    @fast
    @given(st.lists(findings, max_size=5), st.sampled_from(Path), st.booleans())
    def test_what_would_be_let_out_is_what_enforce_lets_out(
        self, found: list[Finding], path: Path, full: bool
    ) -> None:
        """Or monitor would charge something else, and its report be untrue."""
        # An operator's order binds always.
        bound = [replace(one, binding=one.binding or one.always) for one in found]
        told = tell(*bound, path=path, full=full)
        assert told.action.lets_out is would_let_out(a_verdict(*bound))

    @fast
    @given(st.lists(findings, max_size=5), circumstances())
    def test_a_disposition_is_complete(
        self, found: list[Finding], around: dict[str, Any]
    ) -> None:
        """A reply for a refusal, a reason and an end for what is held."""
        told = tell(*found, **around)
        refused = told.action in {Action.DEFER, Action.REJECT}
        held = told.action is Action.QUARANTINE
        assert (told.reply is not None) is refused
        assert bool(told.hold_reason) is held
        assert (told.hold_until_us > NOW_US) is held
        assert (told.reason is None) is (told.action is Action.ACCEPT)
