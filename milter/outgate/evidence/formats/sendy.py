"""Sendy: a query of its subscribers.

`confirmed` is 1 by default, also where nobody was asked: only `method` 2 is double
opt-in, and only `added_via` 3 is a form. Both were read in one version of its schema.
"""

from outgate.evidence.addresses import read_person
from outgate.evidence.flag import Flag
from outgate.evidence.format import Ask, Format, Reader, Shape
from outgate.evidence.moments import read_epoch
from outgate.evidence.record import Record
from outgate.evidence.row import Row
from outgate.model.optin import Method

_DOUBLE = "2"
_FORM = "3"


def begin(_: Ask) -> Reader:
    """Give the reader."""

    def read(record: Record) -> Row | None:
        row = Row(
            address=read_person(record.get("email"), "email"),
            list_name=record.get("list"),
            method=Method.COI_WEB,
            signup=read_epoch(record.get("join-date"), "join_date"),
            confirm=read_epoch(record.get("timestamp"), "timestamp"),
            confirm_ip=record.get("ip"),
            line=record.line,
        )
        if any(
            record.get(name) == "1" for name in ("unsubscribed", "bounced", "complaint")
        ):
            row.left, row.confirm = row.confirm, None
            row.flags = (Flag.UNSUBSCRIBED,)
        elif record.get("confirmed") == "0":
            row.flags = (Flag.PENDING,)
        else:
            flags = []
            if record.get("method") != _DOUBLE:
                flags.append(Flag.SINGLE_OPT_IN)
            if record.get("added-via") not in {"", _FORM}:
                flags.append(Flag.ADDED_BY_OWNER)
            row.flags = tuple(flags)
        return row

    return read


SQL = Format(
    name="sendy",
    title="Sendy, query",
    source="sendy",
    shape=Shape.TABLE,
    begin=begin,
    needed=(("email",), ("list",), ("timestamp",), ("confirmed",), ("method",)),
    export="This query, as CSV with a header. Times are seconds of the epoch.",
    sql="""\
SELECT s.email, l.name AS list, s.join_date, s.timestamp, s.confirmed, s.ip, s.method,
  s.added_via, s.unsubscribed, s.bounced, s.complaint
  FROM subscribers s JOIN lists l ON l.id = s.list""",
    worth="`method` 2 (double opt-in) with an address: asserted; `timestamp` is the last "
    "change, which is the confirmation only if nothing came after. Single opt-in, "
    "imports, and what programs added are imports.",
)
