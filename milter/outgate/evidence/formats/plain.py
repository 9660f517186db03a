"""Our own format, for whoever can write a query: CSV, or one JSON object a line.

    address,method,confirm-time,confirm-ip,signup-time,signup-ip
    anne@example.net,coi-web,2026-03-14T09:26:53+01:00,198.51.100.7,,

The same names in JSON, or `confirm.time` inside of an object `confirm`.
"""

from dataclasses import replace

from outgate.evidence.addresses import read_person
from outgate.evidence.flag import Flag
from outgate.evidence.format import Ask, Format, Reader, Shape
from outgate.evidence.moments import declared_zone, read_moment
from outgate.evidence.record import Record, RowRejected
from outgate.evidence.row import Row
from outgate.model.optin import Method

_ADDRESS = ("address", "addr", "email", "email-address")
_METHODS = {method.value: method for method in Method}
_GONE = {"unsubscribed", "bounced", "cleaned", "removed"}
_STATUS = {"", "subscribed", "confirmed", "active"}


def begin(ask: Ask) -> Reader:
    """Give the reader."""

    def read(record: Record) -> Row | None:
        zone = ask.zone
        if name := record.get("zone", "tz.zone"):
            try:
                zone = declared_zone(name)
            except ValueError as error:
                raise RowRejected(str(error), "zone") from None
        row = Row(
            address=read_person(record.get(*_ADDRESS), "address"),
            list_name=record.get("list"),
            method=_method(record.get("method")),
            signup=read_moment(
                record.get("signup-time", "signup.time"), "signup-time", zone
            ),
            signup_ip=record.get("signup-ip", "signup.ip"),
            confirm=read_moment(
                record.get("confirm-time", "confirm.time"), "confirm-time", zone
            ),
            confirm_ip=record.get("confirm-ip", "confirm.ip"),
            line=record.line,
        )
        if row.method is Method.IMPORT:
            row.flags = (Flag.ADDED_BY_OWNER,)
        return _with_status(row, record, ask)

    return read


def _method(text: str) -> Method:
    if not text:
        return Method.COI
    method = _METHODS.get(text.lower())
    if method is None:
        raise RowRejected(f"{text[:40]!r} is none of {', '.join(_METHODS)}", "method")
    if method is Method.PAPER:
        raise RowRejected(
            "paper needs its scan: `outgate evidence add-paper`", "method"
        )
    return method


def _with_status(row: Row, record: Record, ask: Ask) -> Row:
    status = record.get("status").lower()
    if status in _STATUS:
        return row
    if status in {"pending", "unconfirmed"}:
        return replace(row, flags=(*row.flags, Flag.PENDING))
    if status in _GONE:
        left = read_moment(record.get("left-time"), "left-time", ask.zone)
        return replace(row, flags=(*row.flags, Flag.UNSUBSCRIBED), left=left)
    known = sorted((_STATUS | _GONE | {"pending"}) - {""})
    raise RowRejected(f"{status[:40]!r} is none of {', '.join(known)}", "status")


_EXPORT = (
    "`address` is needed. `confirm-time` and `confirm-ip` make it evidence; `signup-time` "
    "and `signup-ip` help to see that it was no import. `method` is `coi` (confirmed "
    "opt-in, the default), `coi-web`, `coi-mail`, `import` or `other`. `zone`, an IANA "
    "name, says how the times of its row are meant that have no offset. `list` tells "
    "lists apart, `status` may be `subscribed`, `pending` or `unsubscribed` (with "
    "`left-time`). Other columns are not read."
)
_WORTH = (
    "A row with time, zone and address of the confirmation is asserted. Nothing but the "
    "word of whoever made the file stands behind it, and he can be held to it."
)

CSV = Format(
    name="csv",
    title="Plain CSV",
    source="csv",
    shape=Shape.TABLE,
    begin=begin,
    needed=(_ADDRESS,),
    export=_EXPORT,
    worth=_WORTH,
)
NDJSON = Format(
    name="ndjson",
    title="Plain JSON, one object a line",
    source="ndjson",
    shape=Shape.DOCUMENTS,
    begin=begin,
    export="The same names as in plain CSV, or `signup.time` as an object `signup` with "
    "`time`. An array of objects is read, too.",
    worth=_WORTH,
)
