"""Mailman 2.1: `logs/subscribe`, the only place where it notes a subscription.

    Mar 14 09:20:01 2026 (411) news: pending Anne <anne@example.net>  198.51.100.7
    Mar 14 09:26:53 2026 (411) news: new Anne <anne@example.net>, via web confirmation

The second line has no address: it is joined with the first, which may be three days
older (`PENDING_REQUEST_LIFE`). Times are local, without zone or offset.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass

from outgate.evidence.addresses import read_person
from outgate.evidence.flag import Flag
from outgate.evidence.format import Ask, Format, Reader, Shape
from outgate.evidence.moments import Moment, Zone, read_moment
from outgate.evidence.record import Record, RowRejected
from outgate.evidence.row import Row
from outgate.model.optin import Method

_LINE = re.compile(
    r"(?P<month>[A-Z][a-z]{2}) (?P<day>[ \d]\d) (?P<time>\d\d:\d\d:\d\d) "
    r"(?P<year>\d{4}) \(\d+\) (?P<list>\S+): (?P<what>pending|new|deleted)"
    r"(?: \(digest\))? (?P<rest>.*)"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # fmt: skip
_PENDING = re.compile(r"(?P<who>.*?\S)(?:  (?P<client>\S+))?")
_NEW = re.compile(r"(?P<who>.*\S), ?(?P<how>[a-z][a-z ]*)?")
_LIFE_US = 3 * 86_400_000_000
# Requests to confirm that nobody answered are forgotten, the oldest first.
_MAX_PENDING = 100_000


@dataclass(frozen=True, slots=True)
class _Asked:
    moment: Moment | None
    client: str


def begin(ask: Ask) -> Reader:
    """Give the reader, which remembers who was asked."""
    asked: OrderedDict[tuple[str, str], _Asked] = OrderedDict()

    def read(record: Record) -> Row | None:
        found = _LINE.fullmatch(record.get("text"))
        if not found:
            return None
        moment = _moment(found, ask.zone)
        if found["what"] == "pending":
            _remember(found, moment, asked)
            return None
        if found["what"] == "deleted":
            return Row(
                address=_address(re.split(r"[;,] ", found["rest"])[0]),
                list_name=found["list"],
                left=moment,
                flags=(Flag.UNSUBSCRIBED,),
                line=record.line,
            )
        return _new(found, moment, asked, record.line)

    return read


def _remember(
    found: re.Match[str],
    moment: Moment | None,
    asked: OrderedDict[tuple[str, str], _Asked],
) -> None:
    who = _PENDING.fullmatch(found["rest"])
    key = (found["list"], _address(who["who"] if who else "").lower())
    asked[key] = _Asked(moment, (who and who["client"]) or "")
    asked.move_to_end(key)
    if len(asked) > _MAX_PENDING:
        asked.popitem(last=False)


def _new(
    found: re.Match[str],
    moment: Moment | None,
    asked: OrderedDict[tuple[str, str], _Asked],
    line: int,
) -> Row:
    who = _NEW.fullmatch(found["rest"])
    address = _address(who["who"] if who else found["rest"])
    row = Row(address=address, list_name=found["list"], confirm=moment, line=line)
    before = asked.pop((found["list"], address.lower()), None)
    how = (who and who["how"]) or ""
    if not how.endswith("confirmation"):
        row.flags = (Flag.ADDED_BY_OWNER,)
        row.method = Method.IMPORT
        return row
    row.method = Method.COI_MAIL if "email" in how else Method.COI_WEB
    if before and _is_alive(before.moment, moment):
        row.signup = before.moment
        if "@" not in before.client:
            row.signup_ip = row.confirm_ip = before.client
    if row.method is Method.COI_MAIL:
        row.flags = (Flag.CONFIRMED_BY_MAIL,)
    return row


def _is_alive(asked: Moment | None, answered: Moment | None) -> bool:
    if asked is None or answered is None:
        return False
    # An hour more, where clocks were set between.
    return answered.time_us - asked.time_us <= _LIFE_US + 3_600_000_000


def _moment(found: re.Match[str], zone: Zone) -> Moment | None:
    if found["month"] not in _MONTHS:
        raise RowRejected(f"{found['month']} is no month", "1")
    month = _MONTHS.index(found["month"]) + 1
    day = int(found["day"])
    text = f"{found['year']}-{month:02}-{day:02} {found['time']}"
    return read_moment(text, "1", zone)


def _address(text: str) -> str:
    """The address of `Anne <anne@example.net>`, as Python's formataddr writes it."""
    inside = text.rpartition("<")[2].removesuffix(">") if text.endswith(">") else text
    return read_person(inside.strip(), "address")


LOG = Format(
    name="mailman2",
    title="Mailman 2.1, log of subscriptions",
    source="mailman2",
    shape=Shape.LOG,
    begin=begin,
    export="`logs/subscribe` and its older parts, joined in the order of time: "
    "`cat logs/subscribe.1 logs/subscribe`. Declare the host's zone by `--tz`.",
    worth="Confirmed on the web or by mail, with the client that asked for it within "
    "three days before: asserted. Mass subscriptions of an owner are imports. The client "
    "may be what a proxy says (`X-Forwarded-For`).",
)
