"""Replies that a person understands: what happened, what to do, which reference.

The sentence comes from the finding's `public` text or from `[rules.<reason>] reply`.
It never names another recipient, evidence or a secret; what the operator needs to
know stands in the log under the same queue id.
"""

from outgate.model.verdict import Action, Finding, Reason, Reply
from outgate.policy.compiled import Policy

# libmilter refuses a reply line of more than 980 octets; a client shows far less.
MAX_REPLY_TEXT = 400

# RFC 3463: x.3.0 is the mail system's own trouble, x.7.1 a policy's refusal.
_OURS = frozenset({Reason.STORE_UNAVAILABLE, Reason.INTERNAL_ERROR})


def reply_for(finding: Finding, action: Action, policy: Policy, queue_id: str) -> Reply:
    """Build the reply of a deferral or a rejection."""
    template = policy.rules[finding.reason].reply
    if template:
        text = template.replace("{queue-id}", queue_id or "-").replace(
            "{reason}", finding.reason.value
        )
    else:
        text = f"{finding.public} ({finding.reason.value}"
        text += f", ref {queue_id})" if queue_id else ")"
    text = _printable(text)
    own = finding.reason in _OURS
    if action is Action.REJECT:
        return Reply.reject(text, enhanced="5.3.0" if own else "5.7.1")
    return Reply.defer(text, enhanced="4.3.0" if own else "4.7.1")


def _printable(text: str) -> str:
    """One line of printable ASCII: anything else an MTA would refuse or mangle."""
    line = "".join(char if " " <= char <= "~" else "?" for char in text)
    return line[:MAX_REPLY_TEXT]
