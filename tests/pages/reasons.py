"""docs/reasons.md: every reason for which a message is not simply accepted."""

import ast
import inspect
import sys

from outgate.model.transaction import MAX_RECIPIENTS_KEPT
from outgate.model.verdict import Action, Finding, Reason
from outgate.policy import gate
from outgate.policy.compiled import LIMIT_REASONS, Policy
from outgate.policy.operator import ALLOWABLE
from outgate.policy.order import RULES
from outgate.policy.reply import reply_for
from outgate.policy.rule_settings import allowed_actions, rule_field
from outgate.policy.settings import PolicySettings
from pages.markdown import GENERATED, code, joined, paragraph, table

_INTRO = """
A reason is the name of a rule: the same word in the log (`reasons=`), in the metrics
(`reason`), in the reply that a sender reads, in orders (`allow … rules=`) and in the
configuration (`[rules.<reason>]`). A reply ends with the reason and the queue id;
`[rules.<reason>] reply` replaces its text. Only a deferral or a rejection has one: what is
held was taken, so its sender reads the MTA's `250` and is told by nobody but the digest,
where the customer has a contact. All rules are judged; the severest action wins, and
among equals the earlier row gives the reply. Actions, mildest first: ACTIONS. Global
`mode = "monitor"` is a lid: verdicts are reported, and only operators' orders act. What the
rules about bulk mail count, and why: [counting](counting.md).
"""


def page() -> str:
    """The page."""
    return joined(
        "# Reasons",
        paragraph(_INTRO.replace("ACTIONS", code(Action))),
        GENERATED,
        table(
            ("reason", "found when", "action"),
            (
                (f"[`{reason}`](#{reason})", _summary(reason), _default(reason))
                for reason in Reason
            ),
        ),
        *(_entry(reason) for reason in Reason),
    )


def _summary(reason: Reason) -> str:
    """The rule's line in the table of rules; two reasons are no rules of their own."""
    for rule in RULES:
        if rule.reason is reason:
            return rule.summary
    sentence = _doc(reason).partition(".")[0]
    return sentence[0].lower() + sentence[1:]


def _doc(reason: Reason) -> str:
    text: str = rule_field(reason).metadata["doc"]
    return text


def _default(reason: Reason) -> str:
    if reason in LIMIT_REASONS:
        return "its limit's"
    return f"`{allowed_actions(reason)[0]}`"


def _entry(reason: Reason) -> str:
    """One section: what the module says, what it does, what may be changed."""
    own, *others = allowed_actions(reason)
    if reason in LIMIT_REASONS:
        facts = ["Action: that of the [`[[limit]]`](configuration.md#limit)."]
    else:
        instead = f"; it may be {code(others)} instead" if others else ""
        facts = [f"Action: `{own}`{instead}."]
    replies = [
        _reply(reason, action)
        for action in (own, *others)
        if action in {Action.DEFER, Action.REJECT}
    ]
    if replies:
        held = reason in LIMIT_REASONS or Action.QUARANTINE in {own, *others}
        none = "; none for `quarantine`" if held else ""
        facts.append(f"Reply: {', '.join(replies)}{none}.")
        facts += [f"It reads: “{said}”" for said in public_texts(reason)]
    facts.append(f"Mode: {_mode(reason)}.")
    if reason in ALLOWABLE:
        facts.append(
            f"An operator lifts it: `allow`, `rules={reason}` ([Redis](redis.md))."
        )
    facts.append(f"Settings: [`[rules.{reason}]`](configuration.md#rulesreason).")
    return joined(
        f"## {reason}", _text(reason), "\n".join(f"- {fact}" for fact in facts)
    )


def _text(reason: Reason) -> str:
    """What the rule's module says of itself, as paragraphs."""
    for rule in RULES:
        if rule.reason is reason:
            text = sys.modules[rule.judge.__module__].__doc__ or ""
            return "\n\n".join(paragraph(part) for part in text.split("\n\n"))
    return paragraph(_doc(reason))


def public_texts(reason: Reason) -> list[str]:
    """What a sender reads, as the rule's module has it; what it fills in is in braces."""
    module = next(
        (sys.modules[rule.judge.__module__] for rule in RULES if rule.reason is reason),
        gate if reason is Reason.INTERNAL_ERROR else None,
    )
    if module is None:
        return []
    found = []
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        said: list[ast.expr] = []
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                said = [value] if name.startswith("_PUBLIC") else []
            case ast.keyword(arg="public", value=value):
                said = [value]
            case ast.Call(func=ast.Name(id="finding_of"), args=args):
                said = args
            case _:
                pass
        found += [
            _shown(one) for one in said if isinstance(one, ast.Constant | ast.JoinedStr)
        ]
    return found


def _shown(text: ast.Constant | ast.JoinedStr) -> str:
    """A string, whose gaps have the last word of what fills them, or are numbers."""
    if isinstance(text, ast.Constant):
        return str(text.value)
    return "".join(
        _gap(part) if isinstance(part, ast.FormattedValue) else ast.literal_eval(part)
        for part in text.values
    )


def _gap(part: ast.FormattedValue) -> str:
    name = ast.unparse(part.value).removesuffix(".value").rpartition(".")[2]
    if name == "MAX_RECIPIENTS_KEPT":
        return str(MAX_RECIPIENTS_KEPT)
    return f"{{{name}}}"


def _mode(reason: Reason) -> str:
    if "Acts in monitor mode too." in _doc(reason):
        return "it acts in monitor mode too"
    if reason is Reason.QUARANTINE_FULL:
        return "it acts wherever a quarantine would"
    return "it only reports while the global `mode`, or its own, is `monitor`"


def _reply(reason: Reason, action: Action) -> str:
    """Code and status that a client gets."""
    policy = Policy.build(PolicySettings())
    finding = Finding(reason=reason, action=action, public="")
    reply = reply_for(finding, action, policy, "")
    return f"`{reply.code} {reply.enhanced}` for `{action}`"
