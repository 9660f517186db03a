"""The canonical line: everything that happened to one message, once.

Recipients are never in it, only their number: addresses of third parties belong to no
log. Nor are they as a part of the sender, where VERP writes them.
"""

from collections.abc import Mapping

from outgate.log.lines import Field, Log
from outgate.model.address import shown_sender
from outgate.model.challenge import Witness
from outgate.model.consent import TokenResult
from outgate.model.dkim import Signature
from outgate.policy.decision import Decision
from outgate.policy.questions import Answers, Plan, Source


class MessageLine:
    """An observer that writes one line for each decision."""

    def __init__(self, log: Log, worker: int) -> None:
        self._log = log
        self._worker = worker

    def observe(self, decision: Decision) -> None:
        """Write the line of one message."""
        if self._log.reports_messages:
            self._log.write(
                decision.now_us, "info", "message", fields(decision, self._worker)
            )


def fields(decision: Decision, worker: int) -> list[Field]:
    """The line's fields, in the order of the manual."""
    transaction = decision.transaction
    session = transaction.session
    accountable = decision.accountable
    found: list[Field] = [
        ("queue-id", transaction.queue_id),
        ("mta", session.mta_name),
        ("customer", accountable.customer if accountable else ""),
        ("login", accountable.login if accountable else transaction.login),
        ("client", session.client.text if session.client else ""),
        ("sender", shown_sender(transaction.sender)),
        ("recipients", transaction.recipient_count),
        ("size", transaction.size_bytes),
        ("class", decision.mail_class),
        ("action", decision.verdict.action),
        ("disposition", decision.disposition.action),
    ]
    if accountable and accountable.local_user:
        found.insert(4, ("local-user", accountable.local_user))
        if decision.facts is not None and decision.facts.script:
            found.insert(5, ("script", decision.facts.script))
    if findings := decision.verdict.findings:
        found += [
            ("reasons", ",".join(finding.reason.value for finding in findings)),
            ("detail", "; ".join(one.detail for one in findings if one.detail)),
        ]
        if decision.disposition.reason not in {None, *decision.verdict.reasons}:
            found.append(("instead", str(decision.disposition.reason)))
    if decision.plan is not None:
        found += consent(decision.plan, decision.answers)
    missing = (
        ("removed", len(decision.disposition.removed)),
        ("refused", transaction.refused_count),
    )
    found += [(name, number) for name, number in missing if number]
    if decision.trace is not None:
        found.append(("trace", decision.trace.id))
    found.append(("dkim", ",".join(map(_signature, decision.signatures))))
    answers = decision.answers
    if answers is not None and decision.plan is not None:
        found.append(("limits", _limits(decision)))
        if answers.attempts:
            found.append(("attempt", answers.attempts + 1))
        if answers.source is not Source.STORE:
            found += [("source", answers.source.value), ("trouble", answers.trouble)]
        found.append(("store-ms", _ms(answers.store_us)))
    found += [("total-ms", _ms(decision.total_us)), ("worker", worker)]
    return found


def consent(plan: Plan, answers: Answers | None) -> list[Field]:
    """What the message says of somebody's consent, or asks for."""
    found: list[Field] = []
    if results := plan.evidence.results:
        found.append(("optin", _results(results)))
    if answers is not None and (said := answers.witnesses):
        words = (f"{one}:{said[one]}" for one in Witness if said[one])
        found.append(("claims", ",".join(words)))
    if plan.challenge is not None:
        found.append(("challenge", plan.challenge.software))
    return found


def _signature(signature: Signature) -> str:
    """`result:domain/selector`, as far as there are such."""
    if not signature.domain:
        return signature.result.value
    return f"{signature.result}:{signature.domain}/{signature.selector}".rstrip("/")


def _results(results: Mapping[TokenResult, int]) -> str:
    """`result:number` of the message's opt-in tokens."""
    return ",".join(
        f"{result}:{results[result]}" for result in TokenResult if results.get(result)
    )


def _limits(decision: Decision) -> str:
    """`name:used/of` of every limit that the message was measured against."""
    if decision.plan is None or decision.answers is None:
        return ""
    plan, answers = decision.plan, decision.answers
    standing = answers.standing
    measured = [
        (charge, level.used)
        for charge, level in zip(plan.charges, answers.levels, strict=False)
    ]
    if plan.campaign is not None and answers.spread is not None:
        measured.append((plan.campaign, answers.spread.strangers))
    return ",".join(
        f"{charge.limit.name}:{used}/{charge.at(standing).burst}"
        for charge, used in measured
    )


def _ms(duration_us: int) -> str:
    return f"{duration_us / 1_000:.2f}"
