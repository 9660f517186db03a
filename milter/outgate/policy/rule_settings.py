"""What the operator decides about each rule: the table `[rules]`."""

from typing import Any

import attrs

from outgate.model.verdict import Action, Mode, Reason
from outgate.policy.declared import setting


@attrs.frozen(kw_only=True)
class RuleSettings:
    """What one rule may do."""

    action: Action | None = setting(
        "What a hit asks for; the rule's own where absent.", None, example='"reject"'
    )
    mode: Mode = setting(
        "`monitor` makes the rule report only. The global mode is a lid: a rule may "
        "be lower, never higher.",
        Mode.ENFORCE,
        example='"enforce"',
    )
    reply: str = setting(
        "Text that the sender reads instead of ours, for defer and reject. "
        "`{queue-id}` and `{reason}` are filled in.",
        "",
        example='"Please write to postmaster@example.org, reference {queue-id}."',
    )


def _rule(doc: str, action: Action, *others: Action) -> Any:
    """Declare a rule: its text, its own action, and what else it may be told to do."""
    return attrs.field(
        default=RuleSettings(),
        metadata={"doc": doc, "example": "", "allowed": (action, *others)},
    )


@attrs.frozen(kw_only=True)
class RulesSettings:
    """What each rule may do, by its reason."""

    suspended: RuleSettings = _rule(
        "An operator suspended this sender (`outgate:suspend`). Acts in monitor mode "
        "too.",
        Action.REJECT,
        Action.DEFER,
    )
    quarantined: RuleSettings = _rule(
        "An operator quarantined this sender (`outgate:quarantine`). Acts in monitor "
        "mode too.",
        Action.QUARANTINE,
        Action.DEFER,
    )
    store_unavailable: RuleSettings = _rule(
        "The store did not answer, and `[store] on-failure` is `defer`.",
        Action.DEFER,
        Action.QUARANTINE,
    )
    message_exceeds_limit: RuleSettings = _rule(
        "One message costs more than a whole limit: waiting would not help.",
        Action.REJECT,
        Action.QUARANTINE,
        Action.TAG,
    )
    limit_exceeded: RuleSettings = _rule(
        "A limit is used up. The action is the limit's own; here only `mode` and "
        "`reply` count.",
        Action.QUARANTINE,
        Action.DEFER,
        Action.REJECT,
        Action.TAG,
    )
    bulk_to_strangers: RuleSettings = _rule(
        "A limit on strangers is used up: by one mailing, or by all mail of a sender. "
        "The action is the limit's own; here only `mode` and `reply` count.",
        Action.QUARANTINE,
        Action.DEFER,
        Action.REJECT,
        Action.TAG,
    )
    campaign_across_customers: RuleSettings = _rule(
        "The same content goes to strangers from many customers (`[campaign]`): "
        "hijacked accounts.",
        Action.QUARANTINE,
        Action.DEFER,
        Action.REJECT,
        Action.TAG,
    )
    subscription_bombing: RuleSettings = _rule(
        "One person is asked to confirm subscriptions again and again: by one list, or by "
        "many (`[optin]`).",
        Action.DEFER,
        Action.QUARANTINE,
        Action.REJECT,
        Action.TAG,
    )
    bulk_by_distinct_recipients: RuleSettings = _rule(
        "A limit on different recipients or recipient domains is used up. The action "
        "is the limit's own; here only `mode` and `reply` count.",
        Action.QUARANTINE,
        Action.DEFER,
        Action.REJECT,
        Action.TAG,
    )
    many_sources_per_login: RuleSettings = _rule(
        "A limit on different clients or networks of a login is used up. The action is "
        "the limit's own; here only `mode` and `reply` count.",
        Action.TAG,
        Action.DEFER,
        Action.QUARANTINE,
        Action.REJECT,
    )
    unusual_for_this_sender: RuleSettings = _rule(
        "Today's recipients are more than ten times those of the busiest day of the "
        "last weeks, and more than 200. Mail of registered lists and streams is not "
        "asked.",
        Action.TAG,
        Action.DEFER,
        Action.QUARANTINE,
        Action.REJECT,
    )
    consent_withdrawn: RuleSettings = _rule(
        "Mail of a registered list goes to somebody who has withdrawn. He is taken out "
        "of the message, and the envelope sender gets a delivery status notification "
        "(RFC 3464); the action is for a message that nobody else is to get.",
        Action.REJECT,
    )
    list_without_consent: RuleSettings = _rule(
        "Mail of a registered list goes to people without a consent on file, and to more "
        "of them than `[optin] remove-share`.",
        Action.QUARANTINE,
        Action.TAG,
        Action.DEFER,
        Action.REJECT,
    )
    declared_bulk_unregistered: RuleSettings = _rule(
        "Mail that declares itself bulk or a list goes to strangers, and no list of "
        "the customer is registered under its List-Id.",
        Action.TAG,
        Action.DEFER,
        Action.QUARANTINE,
        Action.REJECT,
    )
    null_sender_abuse: RuleSettings = _rule(
        "A null sender, but no bounce and no automatic response: more than one "
        "recipient, or nothing that an automatic response has.",
        Action.TAG,
        Action.DEFER,
        Action.QUARANTINE,
        Action.REJECT,
    )
    missing_unsubscribe: RuleSettings = _rule(
        "Mail that declares itself bulk or a list, without a way to unsubscribe that "
        "a recipient could use (RFC 2369, RFC 8058). Mail of registered streams needs "
        "none.",
        Action.TAG,
        Action.DEFER,
        Action.QUARANTINE,
        Action.REJECT,
    )
    near_limit: RuleSettings = _rule(
        "A limit is nearly used up (`warn` of `[[limit]]`) after a message that leaves. "
        "`accept` leaves the mail as it is: log, metrics and notice remain.",
        Action.TAG,
        Action.ACCEPT,
    )
    quarantine_full: RuleSettings = _rule(
        "The message would be held, but the customer's share of the hold queue or "
        "the disk is full. Local submissions are rejected instead of deferred.",
        Action.DEFER,
        Action.REJECT,
    )
    internal_error: RuleSettings = _rule(
        "An unforeseen error of Outgate's own. In monitor mode the mail goes on.",
        Action.DEFER,
        Action.ACCEPT,
        Action.QUARANTINE,
    )


def rule_field(reason: Reason) -> "attrs.Attribute[RuleSettings]":
    """The declaration of one rule: its text and the actions it may have."""
    fields = attrs.fields_dict(RulesSettings)
    return fields[reason.value.replace("-", "_")]


def allowed_actions(reason: Reason) -> tuple[Action, ...]:
    """What a rule may be told to do; its own action comes first."""
    actions: tuple[Action, ...] = rule_field(reason).metadata["allowed"]
    return actions
