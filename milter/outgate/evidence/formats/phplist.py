"""phpList 3: a query of subscribers and their history.

`confirmed` can be set by an administrator; `optedin` is set by the subscriber alone. A
confirmation is noted once, with the lists of that day in its details: who was confirmed
already gets no second one for another list.
"""

from outgate.evidence.addresses import read_person
from outgate.evidence.flag import Flag
from outgate.evidence.format import Ask, Format, Reader, Shape
from outgate.evidence.moments import read_moment
from outgate.evidence.record import Record
from outgate.evidence.row import Row
from outgate.model.optin import Method


def begin(ask: Ask) -> Reader:
    """Give the reader."""

    def read(record: Record) -> Row | None:
        row = Row(
            address=read_person(record.get("email"), "email"),
            list_name=record.get("list"),
            method=Method.COI_WEB,
            signup=read_moment(record.get("subscribed"), "subscribed", ask.zone),
            signup_ip=record.get("subscribed-ip"),
            confirm=read_moment(
                record.get("confirmed-time"), "confirmed_time", ask.zone
            ),
            confirm_ip=record.get("confirmed-ip"),
            needs_signup=True,
            line=record.line,
        )
        row.flags = tuple(_flags_of(record, row))
        return row

    return read


def _flags_of(record: Record, row: Row) -> list[Flag]:
    flags = []
    if record.get("blacklisted") == "1":
        flags.append(Flag.UNSUBSCRIBED)
    elif record.get("confirmed") == "0":
        flags.append(Flag.PENDING)
    if record.get("imported") not in {"", "0"} or record.get("optedin") != "1":
        flags.append(Flag.ADDED_BY_OWNER)
    if row.confirm and row.list_name not in record.get("detail"):
        flags.append(Flag.CONFIRMED_OTHER_LIST)
    return flags


SQL = Format(
    name="phplist",
    title="phpList 3, query",
    source="phplist",
    shape=Shape.TABLE,
    begin=begin,
    needed=(("email",), ("list",), ("optedin",), ("confirmed-time",), ("detail",)),
    export="This query, as CSV with a header. Times are those of the database, or of "
    "`SYSTEM_TIMEZONE`: declare the zone by `--tz`.",
    sql="""\
SELECT u.email, l.name AS list, u.confirmed, u.optedin, u.blacklisted,
  s.date AS subscribed, s.ip AS subscribed_ip,
  c.date AS confirmed_time, c.ip AS confirmed_ip, c.detail,
  (SELECT COUNT(*) FROM phplist_user_user_history i
    WHERE i.userid = u.id AND i.summary LIKE 'Import%') AS imported
  FROM phplist_user_user u
  JOIN phplist_listuser m ON m.userid = u.id JOIN phplist_list l ON l.id = m.listid
  LEFT JOIN phplist_user_user_history c ON c.id = (SELECT MAX(id)
    FROM phplist_user_user_history WHERE userid = u.id AND summary = 'Confirmation')
  LEFT JOIN phplist_user_user_history s ON s.id = (SELECT MIN(id)
    FROM phplist_user_user_history WHERE userid = u.id AND summary = 'Subscription')""",
    worth="With `optedin`, rows `Subscription` and `Confirmation` of the history, and the "
    "list in the details of the confirmation: asserted. `confirmed` alone may be an "
    "administrator's doing.",
)
