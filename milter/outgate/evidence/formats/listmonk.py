"""listmonk 2.5 and newer: a query of its database, or answers of its API.

listmonk notes the address of a confirmation only with `privacy.record_optin_ip`, which
is off by default; an IPv6 address without a proxy is cut at its first colon. Its own
CSV export has no evidence at all.
"""

import json

from outgate.evidence.addresses import read_person
from outgate.evidence.flag import Flag
from outgate.evidence.format import Ask, Format, Reader, Shape
from outgate.evidence.moments import Moment, read_moment
from outgate.evidence.record import Record, RowRejected
from outgate.evidence.row import Row
from outgate.model.optin import Method

_STATUS = ("confirmed", "unconfirmed", "unsubscribed")


def begin_sql(ask: Ask) -> Reader:
    """Give the reader of the query."""

    def read(record: Record) -> Row | None:
        return _row(
            record,
            list_name=record.get("list"),
            optin=record.get("optin"),
            status=record.get("status"),
            client=record.get("optin-ip") or _client_of(record.get("meta")),
            created=read_moment(record.get("created-at"), "created_at", ask.zone),
            updated=read_moment(record.get("updated-at"), "updated_at", ask.zone),
        )

    return read


def begin_api(ask: Ask) -> Reader:
    """Give the reader of `GET /api/subscribers`, one record for each list."""

    def read(record: Record) -> Row | None:
        def time(name: str) -> Moment | None:
            return read_moment(record.get(f"lists[].{name}"), name, ask.zone)

        return _row(
            record,
            list_name=record.get("lists[].name"),
            optin=record.get("lists[].optin"),
            status=record.get("lists[].subscription_status"),
            client=record.get("lists[].subscription_meta.optin_ip"),
            created=time("subscription_created_at"),
            updated=time("subscription_updated_at"),
        )

    return read


def _row(
    record: Record,
    *,
    list_name: str,
    optin: str,
    status: str,
    client: str,
    created: Moment | None,
    updated: Moment | None,
) -> Row:
    if status not in _STATUS:
        raise RowRejected(f"{status[:40]!r} is none of {', '.join(_STATUS)}", "status")
    row = Row(
        address=read_person(record.get("email"), "email"),
        list_name=list_name,
        method=Method.COI_WEB,
        signup=created,
        line=record.line,
    )
    if status == "unsubscribed":
        # updated_at is the end of the subscription, and what was before is lost.
        row.left = updated
        row.flags = (Flag.UNSUBSCRIBED,)
    elif optin != "double":
        row.flags = (Flag.SINGLE_OPT_IN,)
    elif status == "unconfirmed":
        row.flags = (Flag.PENDING,)
    else:
        row.confirm = updated
        row.confirm_ip = client
        if updated is not None and updated == created:
            # Nobody confirms in the microsecond in which he subscribes.
            row.flags = (Flag.CONFIRM_IS_IMPORT,)
    return row


def _client_of(meta: str) -> str:
    """`optin_ip` of the column `meta`."""
    if not meta:
        return ""
    try:
        value = json.loads(meta)
    except (ValueError, RecursionError):
        raise RowRejected("is no JSON", "meta") from None
    found = value.get("optin_ip", "") if isinstance(value, dict) else ""
    return found if isinstance(found, str) else ""


_WORTH = (
    "Confirmed on a list with `optin = double` and with an address: asserted. Without "
    "`privacy.record_optin_ip` there is no address, and the rows are imports. The address "
    "is what `X-Forwarded-For` says, which a client can write."
)

SQL = Format(
    name="listmonk",
    title="listmonk, query",
    source="listmonk",
    shape=Shape.TABLE,
    begin=begin_sql,
    needed=(("email",), ("list",), ("optin",), ("status",), ("updated-at",)),
    export="This query in `psql`. The CSV export of its web pages has no evidence and is "
    "refused.",
    sql="""\
\\copy (SELECT s.email, l.name AS list, l.optin, sl.status,
  sl.meta->>'optin_ip' AS optin_ip, sl.created_at, sl.updated_at
  FROM subscriber_lists sl JOIN subscribers s ON s.id = sl.subscriber_id
  JOIN lists l ON l.id = sl.list_id) TO 'listmonk.csv' CSV HEADER""",
    worth=_WORTH,
)
API = Format(
    name="listmonk-api",
    title="listmonk, API",
    source="listmonk",
    shape=Shape.DOCUMENTS,
    begin=begin_api,
    array="results",
    inner="lists",
    export="Answers of `GET /api/subscribers?per_page=…&page=…`, one after the other in "
    "one file.",
    worth=_WORTH,
)
