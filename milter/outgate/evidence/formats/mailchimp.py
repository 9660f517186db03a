"""Mailchimp: the export of an audience (CSV or its ZIP), and answers of API v3.

CONFIRM_TIME is no confirmed opt-in: an owner's import writes it as well, and then there
is no OPTIN_TIME, and no address or the owner's, again and again in one second. So a
confirmation counts only behind a subscription, both with an address. Both addresses can
be written by programs through the API: the evidence is the owner's word.

GMTOFF and TIMEZONE say where a subscriber lives, not in which zone times are.
"""

from outgate.evidence.addresses import read_person
from outgate.evidence.flag import Flag
from outgate.evidence.format import Ask, Format, Reader, Shape
from outgate.evidence.moments import Moment, read_moment
from outgate.evidence.record import Record
from outgate.evidence.row import Row

_GONE = {"unsubscribed", "cleaned", "archived", "non-subscribed", "transactional"}
# How `source` begins where no subscriber filled in a form.
_BY_OWNER = ("import", "admin add", "list import", "copy", "paste")


def begin_csv(ask: Ask) -> Reader:
    """Give the reader of an export."""

    def read(record: Record) -> Row | None:
        def time(column: str) -> Moment | None:
            return read_moment(record.get(column), column.upper(), ask.zone)

        row = Row(
            address=read_person(record.get("email-address", "email"), "Email Address"),
            signup=time("optin-time"),
            signup_ip=record.get("optin-ip"),
            confirm=time("confirm-time"),
            confirm_ip=record.get("confirm-ip"),
            needs_signup=True,
            line=record.line,
        )
        row.left = time("unsub-time") or time("clean-time")
        row.flags = _flags(
            row,
            changed=time("last-changed"),
            status=record.get("status") or ("unsubscribed" if row.left else ""),
            origin=record.get("source"),
        )
        return row

    return read


def begin_api(ask: Ask) -> Reader:
    """Give the reader of `GET /lists/{id}/members`."""

    def read(record: Record) -> Row | None:
        def time(name: str) -> Moment | None:
            return read_moment(record.get(name), name, ask.zone)

        row = Row(
            address=read_person(record.get("email_address"), "email_address"),
            signup=time("timestamp_signup"),
            signup_ip=record.get("ip_signup"),
            confirm=time("timestamp_opt"),
            confirm_ip=record.get("ip_opt"),
            needs_signup=True,
            line=record.line,
        )
        changed = time("last_changed")
        status = record.get("status")
        if status.lower() in _GONE:
            row.left = changed
        row.flags = _flags(
            row, changed=changed, status=status, origin=record.get("source")
        )
        return row

    return read


def _flags(
    row: Row, *, changed: Moment | None, status: str, origin: str
) -> tuple[Flag, ...]:
    flags = []
    if status.lower() in _GONE:
        flags.append(Flag.UNSUBSCRIBED)
    elif status.lower() == "pending":
        flags.append(Flag.PENDING)
    if row.signup is None and row.confirm is not None and row.confirm == changed:
        flags.append(Flag.CONFIRM_IS_IMPORT)
    if origin.lower().startswith(_BY_OWNER):
        flags.append(Flag.ADDED_BY_OWNER)
    return tuple(flags)


_WORTH = (
    "Confirmed opt-in only where `OPTIN_TIME` is before `CONFIRM_TIME` and both have an "
    "address. An owner's import has a `CONFIRM_TIME`, too, mostly that of `LAST_CHANGED`: "
    "it proves nothing."
)

CSV = Format(
    name="mailchimp",
    title="Mailchimp, export of an audience",
    source="mailchimp",
    shape=Shape.TABLE,
    begin=begin_csv,
    needed=(("email-address", "email"), ("confirm-time",), ("optin-time",)),
    export="Audience → Export, the ZIP as it comes or one of its files. Its times say no "
    "zone: declare that of the account by `--tz`, or better use the API.",
    worth=_WORTH,
)
API = Format(
    name="mailchimp-api",
    title="Mailchimp, API v3",
    source="mailchimp",
    shape=Shape.DOCUMENTS,
    begin=begin_api,
    array="members",
    export="Answers of `GET /3.0/lists/{list}/members?count=1000&offset=…`, one after the "
    "other in one file, or one member a line. Times have their offset.",
    worth=_WORTH,
)
