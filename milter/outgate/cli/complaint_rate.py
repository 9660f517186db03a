"""How many of a list's readers complain: what `outgate list status` says of it."""

from outgate.cli.context import Context
from outgate.cli.list_trend import Days


def complaints_of(
    context: Context, customer: str, list_id: str, days: Days
) -> dict[str, object]:
    """People who complained in 90 days, recipients in that time, and what that means.

    Raises:
        OutgateError: the store did not answer.
    """
    from outgate.cli.complaint_open import open_complaints
    from outgate.complaints.rates import level_of
    from outgate.daemon.compose import now_us
    from outgate.model.list_day import RECIPIENTS

    scope = f"list:{list_id}"
    (people,) = open_complaints(context).complainants(customer, (scope,), now_us())
    recipients = sum(day.of(RECIPIENTS) for day in days.values())
    level = level_of(people, recipients)
    return {"people": people, "recipients": recipients, "level": level.value}
