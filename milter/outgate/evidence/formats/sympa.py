"""Sympa 6.2: `member.dump` of a list, and its log table for what a dump has not.

A dump has times but no addresses of clients, and does not tell who subscribed from whom
an owner added. Both are in `logs_table`, as long as Sympa keeps it
(`logs_expiration_period`).
"""

from outgate.evidence.addresses import read_person
from outgate.evidence.flag import Flag
from outgate.evidence.format import Ask, Format, Reader, Shape
from outgate.evidence.moments import Moment, read_epoch
from outgate.evidence.record import Record, RowRejected
from outgate.evidence.row import Row
from outgate.evidence.scratch import Scratch
from outgate.evidence.tables import Table
from outgate.model.optin import Method

_NEEDED = (("date-logs",), ("action-logs",), ("client-logs",), ("daemon-logs",))
# What a subscriber does himself, on the web or by mail; and what an owner does.
_OWN = {"subscribe", "auth", "sub", "confirm", "auth-subscribe"}
_BY_OWNER = {"add", "import", "sync-include", "addsubscribers"}
_FAILED = {"error", "failure"}


def begin(ask: Ask) -> Reader:
    """Give the reader, which knows the logs."""
    logs = _read_logs(ask)

    def read(record: Record) -> Row | None:
        address = read_person(record.get("email"), "email")
        subscribed = read_epoch(record.get("date"), "date")
        row = Row(
            address=address,
            signup=subscribed,
            confirm=read_epoch(record.get("update_date"), "update_date") or subscribed,
            line=record.line,
        )
        row.flags = tuple(_flags_of(record))
        if found := logs.one(
            "SELECT time, client, daemon, action FROM log WHERE address = ?",
            (address.lower(),),
        ):
            time, client, daemon, action = map(str, found)
            if action in _BY_OWNER:
                row.flags = (*row.flags, Flag.ADDED_BY_OWNER)
            elif daemon == "wwsympa":
                row.confirm = read_epoch(time, "date_logs")
                row.confirm_ip = client
                row.method = Method.COI_WEB
            else:
                row.confirm = read_epoch(time, "date_logs")
                row.method = Method.COI_MAIL
                row.flags = (*row.flags, Flag.CONFIRMED_BY_MAIL)
        return row

    return read


def _flags_of(record: Record) -> list[Flag]:
    flags = []
    if any(record.get(name) for name in ("inclusion", "inclusion_ext")) or (
        record.get("included") == "1"
    ):
        flags.append(Flag.ADDED_BY_OWNER)
    return flags


def _read_logs(ask: Ask) -> Scratch:
    """The last thing that happened to each address.

    Raises:
        SourceError: a file of logs cannot be read.
    """
    scratch = Scratch()
    scratch.run(
        "CREATE TABLE log (address TEXT PRIMARY KEY, time TEXT, client TEXT, "
        "daemon TEXT, action TEXT) WITHOUT ROWID"
    )
    for source in ask.logs:
        for record in Table(source.lines(), source.name, _NEEDED):
            if noted := _noted(record):
                scratch.run(
                    "INSERT INTO log VALUES (?, ?, ?, ?, ?) ON CONFLICT (address) "
                    "DO UPDATE SET time = excluded.time, client = excluded.client, "
                    "daemon = excluded.daemon, action = excluded.action "
                    "WHERE CAST(excluded.time AS REAL) >= CAST(time AS REAL)",
                    noted,
                )
    return scratch


def _noted(record: Record) -> tuple[str, ...] | None:
    action = record.get("action-logs").lower().replace("_", "-").removeprefix("do-")
    address = record.get("target-email-logs", "user-email-logs").lower()
    if (
        record.broken
        or action not in _OWN | _BY_OWNER
        or record.get("status-logs").lower() in _FAILED
        or not address
    ):
        return None
    time = record.get("date-logs")
    try:
        moment: Moment | None = read_epoch(time, "date_logs")
    except RowRejected:
        moment = None
    if moment is None:
        return None
    daemon = record.get("daemon-logs").lower()
    return address, time, record.get("client-logs"), daemon, action


DUMP = Format(
    name="sympa",
    title="Sympa, dump of a list and its logs",
    source="sympa",
    shape=Shape.BLOCKS,
    begin=begin,
    logs=True,
    export="`sympa dump LIST` writes `member.dump`; with it by `--logs` a CSV of this "
    "query. Times are seconds of the epoch.",
    sql="""\
SELECT date_logs, list_logs, action_logs, target_email_logs, user_email_logs,
  status_logs, client_logs, daemon_logs FROM logs_table
  WHERE list_logs = 'LIST' ORDER BY date_logs, usec_logs""",
    worth="Confirmed on the web, with the client that the logs have: asserted. Confirmed "
    "by mail there is no client: an import. `ADD` of an owner, and members of other data "
    "sources, are imports. Logs expire: export them before.",
)
