"""From verdict to what the MTA is told: the one place that knows the mode.

Global `monitor` is a lid: only an operator's orders act under it. On the
local-submission path `defer` becomes `quarantine`, because the MTA offers a deferred
file again at each new submission, and everything behind it waits.
"""

from dataclasses import dataclass

from outgate.model.identity import Path
from outgate.model.verdict import (
    ACCEPTED,
    Action,
    Disposition,
    Finding,
    MailClass,
    Mode,
    Reason,
    Removal,
    Verdict,
)
from outgate.policy.compiled import Policy
from outgate.policy.decide import severest
from outgate.policy.reply import reply_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What else a disposition depends on.

    Attributes:
        path: how the message came.
        mail_class: for the tag.
        queue_id: reference in the reply.
        hold_queue_full: whether another message may not be held.
        now_us: microseconds since the epoch.
    """

    path: Path
    mail_class: MailClass
    queue_id: str
    hold_queue_full: bool
    now_us: int


def enforce(verdict: Verdict, policy: Policy, around: Circumstances) -> Disposition:
    """Say what the MTA is told about a message with this verdict."""
    lid = policy.mode is Mode.MONITOR
    acting = [
        finding
        for finding in verdict.findings
        if finding.always or (finding.binding and not lid)
    ]
    if not acting:
        return ACCEPTED
    finding = severest(acting)
    action = finding.action
    if action is Action.DEFER and around.path is Path.LOCAL_SUBMISSION:
        action = Action.QUARANTINE
    if action is Action.QUARANTINE and around.hold_queue_full:
        finding = full(policy, around.path, finding)
        action = finding.action
    removed = tuple(Removal(path, one.reason) for one in acting for path in one.remove)
    match action:
        case Action.ACCEPT:
            if removed:
                return Disposition(reason=removed[0].reason, removed=removed)
            return ACCEPTED
        case Action.TAG:
            return Disposition(
                action=action,
                reason=finding.reason,
                tag=_tag(verdict, policy, around.mail_class),
                removed=removed,
            )
        case Action.QUARANTINE:
            return Disposition(
                action=action,
                reason=finding.reason,
                hold_reason=f"outgate: {finding.reason}",
                hold_until_us=around.now_us + policy.keep_us,
                removed=removed,
            )
        case Action.DEFER | Action.REJECT:
            return Disposition(
                action=action,
                reason=finding.reason,
                reply=reply_for(finding, action, policy, around.queue_id),
            )


def full(policy: Policy, path: Path, instead_of: Finding) -> Finding:
    """What happens to a message that would be held where nothing more may be held."""
    action = policy.rules[Reason.QUARANTINE_FULL].action
    if path is Path.LOCAL_SUBMISSION:
        action = Action.REJECT
    return Finding(
        reason=Reason.QUARANTINE_FULL,
        action=action,
        public=instead_of.public,
        detail=f"instead of {instead_of.reason}",
        always=instead_of.always,
    )


def _tag(verdict: Verdict, policy: Policy, mail_class: MailClass) -> str:
    parts = {
        "class": mail_class.value,
        "action": Action.TAG.value,
        "reasons": ",".join(
            finding.reason.value for finding in verdict.findings if finding.binding
        ),
    }
    return "; ".join(f"{name}={parts[name]}" for name in policy.settings.tag.show)
