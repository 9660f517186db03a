"""CiviCRM: a query of the history of group subscriptions.

A confirmed opt-in is a row `Pending` by `Web`, and a row `Added` by `Email` behind it.
`tracking` may hold the client's address, or something else, and is mostly empty.
"""

from collections import OrderedDict

from outgate.evidence.addresses import read_person
from outgate.evidence.flag import Flag
from outgate.evidence.format import Ask, Format, Reader, Shape
from outgate.evidence.moments import Moment, read_moment
from outgate.evidence.record import Record, RowRejected
from outgate.evidence.row import Row
from outgate.model.optin import Method

_MAX_PENDING = 100_000


def begin(ask: Ask) -> Reader:
    """Give the reader, which remembers who was asked."""
    asked: OrderedDict[tuple[str, str], tuple[Moment | None, str]] = OrderedDict()

    def read(record: Record) -> Row | None:
        address = read_person(record.get("email"), "email")
        moment = read_moment(record.get("date"), "date", ask.zone)
        row = Row(address=address, list_name=record.get("list"), line=record.line)
        key = (row.list_name, address.lower())
        status = record.get("status").lower()
        if status == "pending":
            asked[key] = (moment, record.get("tracking"))
            asked.move_to_end(key)
            if len(asked) > _MAX_PENDING:
                asked.popitem(last=False)
            return None
        if status in {"removed", "deleted"}:
            row.left = moment
            row.flags = (Flag.UNSUBSCRIBED,)
        elif status == "added":
            row.confirm = moment
            row.confirm_ip = record.get("tracking")
            before = asked.pop(key, None)
            if before is None or record.get("method").lower() != "email":
                row.flags = (Flag.ADDED_BY_OWNER,)
            else:
                row.method = Method.COI_MAIL
                row.signup, row.signup_ip = before
                row.confirm_ip = row.confirm_ip or row.signup_ip
        else:
            raise RowRejected("expected Pending, Added, Removed or Deleted", "status")
        return row

    return read


SQL = Format(
    name="civicrm",
    title="CiviCRM, query",
    source="civicrm",
    shape=Shape.TABLE,
    begin=begin,
    needed=(("email",), ("list",), ("date",), ("method",), ("status",), ("tracking",)),
    export="This query, as CSV with a header, after `SET time_zone = '+00:00'` and with "
    "`--tz UTC`; otherwise the zone is that of the session.",
    sql="""\
SELECT e.email, g.title AS list, h.date, h.method, h.status, h.tracking
  FROM civicrm_subscription_history h
  JOIN civicrm_email e ON e.contact_id = h.contact_id AND e.is_primary = 1
  JOIN civicrm_group g ON g.id = h.group_id ORDER BY h.date, h.id""",
    worth="`Pending` and then `Added` by `Email`, with an address in `tracking`: asserted. "
    "Without an address, or added by an administrator or the API: an import.",
)
