"""MailPoet 3 and newer, in WordPress: its CSV export, or a query of its tables.

One confirmation is noted for each subscriber, whatever his lists: a list that he came to
afterwards was not confirmed. Newer versions write UTC, older ones WordPress's zone, and
an export does not say which.
"""

from outgate.evidence.addresses import read_person
from outgate.evidence.flag import Flag
from outgate.evidence.format import Ask, Format, Reader, Shape
from outgate.evidence.moments import Moment, read_moment
from outgate.evidence.record import Record
from outgate.evidence.row import Row
from outgate.model.optin import Method

_BY_OWNER = {"imported", "administrator", "wordpress_user", "woocommerce_user"}
_GONE = {"unsubscribed", "bounced", "trash"}


def begin_csv(ask: Ask) -> Reader:
    """Give the reader of the export."""

    def read(record: Record) -> Row | None:
        def time(name: str) -> Moment | None:
            return read_moment(record.get(name), name, ask.zone)

        row = _row(record, time("subscription-time"), time("confirmation-time"))
        row.signup_ip = record.get("subscription-ip")
        row.confirm_ip = record.get("confirmation-ip")
        row.flags = _status(record.get("list-status"), record.get("global-status"))
        return row

    return read


def begin_sql(ask: Ask) -> Reader:
    """Give the reader of the query."""

    def read(record: Record) -> Row | None:
        def time(name: str) -> Moment | None:
            return read_moment(record.get(name), name, ask.zone)

        row = _row(record, time("created-at"), time("confirmed-at"))
        row.signup_ip = record.get("subscribed-ip")
        row.confirm_ip = record.get("confirmed-ip")
        flags = list(_status(record.get("list-status"), record.get("status")))
        if record.get("source").lower() in _BY_OWNER:
            flags.append(Flag.ADDED_BY_OWNER)
        joined = time("list-created-at")
        if joined and row.confirm and joined.time_us > row.confirm.time_us:
            flags.append(Flag.CONFIRMED_OTHER_LIST)
        row.flags = tuple(flags)
        return row

    return read


def _row(record: Record, signup: Moment | None, confirm: Moment | None) -> Row:
    return Row(
        address=read_person(record.get("email"), "email"),
        list_name=record.get("list"),
        method=Method.COI_WEB,
        signup=signup,
        confirm=confirm,
        needs_signup=True,
        line=record.line,
    )


def _status(*words: str) -> tuple[Flag, ...]:
    known = {word.lower() for word in words}
    if known & _GONE:
        return (Flag.UNSUBSCRIBED,)
    return (Flag.PENDING,) if "unconfirmed" in known else ()


_ZONE = (
    "MailPoet 5 writes UTC (`--tz UTC`); older versions may have written WordPress's zone: "
    "compare a row with what the web pages show."
)
_WORTH = (
    "Subscribed and confirmed, both with an address: asserted, for lists that the "
    "subscriber was on when he confirmed. The CSV does not tell imports and later lists "
    "apart: the query does, and is to be preferred. The address is that of a proxy where "
    "there is one."
)

CSV = Format(
    name="mailpoet",
    title="MailPoet, CSV export",
    source="mailpoet",
    shape=Shape.TABLE,
    begin=begin_csv,
    needed=(("email",), ("confirmation-time",), ("confirmation-ip",)),
    export=f"Subscribers → Export, as CSV, with all fields. {_ZONE}",
    worth=_WORTH,
)
SQL = Format(
    name="mailpoet-sql",
    title="MailPoet, query",
    source="mailpoet",
    shape=Shape.TABLE,
    begin=begin_sql,
    needed=(("email",), ("source",), ("confirmed-at",), ("list-created-at",)),
    export=f"This query, as CSV with a header. {_ZONE}",
    sql="""\
SELECT s.email, s.status, s.source, s.created_at, s.subscribed_ip, s.confirmed_at,
  s.confirmed_ip, g.name AS list, m.status AS list_status, m.created_at AS list_created_at
  FROM wp_mailpoet_subscribers s
  JOIN wp_mailpoet_subscriber_segment m ON m.subscriber_id = s.id
  JOIN wp_mailpoet_segments g ON g.id = m.segment_id""",
    worth=_WORTH,
)
