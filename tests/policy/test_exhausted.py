"""Which limit is used up: what the rules about limits have in common."""

import pytest

from outgate.model.gcra import NEVER, Level
from outgate.model.limit import Count
from outgate.model.verdict import Action, Mode, Reason
from outgate.policy.exhausted import finding_of, in_words, used_up
from outgate.policy.questions import Answers
from outgate.policy.settings import LimitSettings
from policy.builders import ANNE, a_case, a_limit, a_policy, a_transaction
from policy.ledger import NOW_US

FULL = Level(False, 10, 60)
ALL = frozenset(Count)


def of(
    *charges: tuple[LimitSettings, Level],
    counts: frozenset[Count] = ALL,
    within_burst: bool = False,
    recipients: int = 1,
) -> str:
    """The name of the limit that is found, "" for none."""
    case = a_case(
        a_policy(*(limit for limit, _ in charges)),
        a_transaction(ANNE, recipients=recipients),
        answers=Answers(now_us=NOW_US, levels=[level for _, level in charges]),
    )
    found = used_up(case, counts, within_burst=within_burst)
    return found[0].limit.name if found is not None else ""


def a_named(name: str, **settings: object) -> LimitSettings:
    return a_limit(name=name, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((a_named("a"), Level(True, 1, 0)), (a_named("b"), FULL), "b"),
        ((a_named("a"), FULL), (a_named("b"), FULL._replace(retry_after_us=61)), "b"),
        (
            (a_named("a", action=Action.DEFER), FULL._replace(retry_after_us=900)),
            (a_named("b", action=Action.REJECT), FULL),
            "b",
        ),
        (
            (a_named("a", action=Action.REJECT, mode=Mode.MONITOR), FULL),
            (a_named("b", action=Action.TAG), FULL),
            "b",
        ),
    ],
    ids=["what fits", "the slowest", "the severest", "what is enforced"],
)
def test_the_one_that_decides_is_found(
    one: tuple[LimitSettings, Level],
    other: tuple[LimitSettings, Level],
    expected: str,
) -> None:
    """In whatever order they stand."""
    assert of(one, other) == of(other, one) == expected


def test_only_limits_of_these_counts_are_looked_at() -> None:
    """Each rule has its own."""
    limit = a_named("a", count=Count.STRANGERS)
    assert of((limit, FULL), counts=frozenset({Count.STRANGERS})) == "a"
    assert of((limit, FULL), counts=ALL - {Count.STRANGERS}) == ""


def test_what_could_never_fit_may_be_left_out() -> None:
    """Another rule speaks of it."""
    limit = a_named("a", count=Count.RECIPIENTS)
    assert of((limit, FULL), recipients=11) == "a"
    assert of((limit, FULL), recipients=11, within_burst=True) == ""
    assert of((limit, FULL), recipients=10, within_burst=True) == "a"


def test_without_levels_nothing_is_known() -> None:
    """Nobody answered."""
    case = a_case(a_policy(a_limit()), a_transaction(ANNE))
    case.answers = Answers(now_us=NOW_US)
    assert used_up(case, ALL) is None


@pytest.mark.parametrize("mode", Mode)
def test_a_finding_is_the_limits(mode: Mode) -> None:
    """Its action, its mode, its rate in force."""
    limit = a_limit("10/1h", name="mine", action=Action.DEFER, mode=mode)
    plan = a_case(a_policy(limit), a_transaction(ANNE)).plan
    finding = finding_of(
        Reason.LIMIT_EXCEEDED, plan.charges[0], 61_000_000, "Again {when}."
    )
    assert finding.action is Action.DEFER
    assert finding.binding is (mode is Mode.ENFORCE)
    assert (finding.public, finding.detail) == ("Again in 2 minutes.", "mine 10/1h")
    assert finding.retry_after_us == 61_000_000


def test_never_is_no_time() -> None:
    """The sender reads `later`, and the log has no number."""
    plan = a_case(a_policy(a_limit()), a_transaction(ANNE)).plan
    finding = finding_of(
        Reason.BULK_TO_STRANGERS, plan.charges[0], NEVER, "Again {when}."
    )
    assert (finding.public, finding.retry_after_us) == ("Again later.", 0)


@pytest.mark.parametrize(
    ("duration_us", "words"),
    [(0, "later"), (1, "in 1 second"), (90_000_000, "in 2 minutes")],
)
def test_waiting_is_rounded_up(duration_us: int, words: str) -> None:
    """Too early would be refused again."""
    assert in_words(duration_us) == words
