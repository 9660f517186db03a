"""From when on a list needs consents: what the commands of `outgate list` say of it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from outgate.cli.context import Context

if TYPE_CHECKING:
    from outgate.policy.grace import ListKey
    from outgate.store.lists import Lists, Told


def open_lists(context: Context) -> "Lists":
    """What the store remembers of lists.

    Raises:
        OutgateError: the configuration or the store is not as it must be.
    """
    from outgate.store.client import connect
    from outgate.store.keys import Keys
    from outgate.store.lists import Lists

    keys = Keys(context.settings().store.namespace)
    return Lists(connect(context.running_endpoint()), keys)


def read_until_us(text: str) -> int:
    """A date (its midnight, UTC), or a time with its zone.

    Raises:
        click.BadParameter: it is neither.
    """
    from outgate.policy.operator import parse_moment_us

    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        pass
    else:
        text = day.isoformat()
    try:
        return parse_moment_us(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--until") from error


def deadline_of(
    context: Context, lists: "Lists", key: "ListKey"
) -> Mapping[str, object]:
    """From when on one list needs consents, and why.

    Raises:
        StoreError: the store did not answer.
    """
    from outgate.policy.compiled import Policy
    from outgate.policy.grace import deadlines
    from outgate.policy.operator import format_moment

    policy = Policy.build(context.settings().for_policy())
    history = lists.read()
    first_us = {one: us for one, us in history.first_us.items() if one in policy.lists}
    found = deadlines(
        history.enforced_us, first_us, history.ordered, policy.grace_us
    ).get(key)
    configured = policy.lists[key]
    fields: dict[str, object] = {"enforced": policy.acts_on_lists}
    if found is not None and found.by:
        until_us, why = found.until_us, f"ordered by {found.by}"
    elif configured:
        until_us, why = configured, "configured"
    elif not policy.grace_us or found is None:
        until_us, why = 0, "no grace" if found is not None else "not seen yet"
    else:
        granted = found.until_us > found.first_us
        until_us, why = found.until_us, "grace" if granted else "no grace"
    fields["needs-consent-from"] = format_moment(until_us) if until_us else "now"
    fields["why"] = why
    if found is not None and found.first_us:
        fields["first-seen"] = format_moment(found.first_us)
    return fields


def report_lines(rule: Mapping[str, object], told: "Sequence[Told]") -> Iterator[str]:
    """What people read of both."""
    from outgate.policy.operator import format_moment

    yield f"needs consent   from {rule['needs-consent-from']} ({rule['why']})"
    for name, one in zip(("reported", "before"), told, strict=False):
        yield (
            f"{name:<15} {one.uncovered} of {one.people} without, "
            f"{format_moment(one.at_us)}"
        )
