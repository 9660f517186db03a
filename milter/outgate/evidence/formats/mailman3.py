"""Mailman 3: members, of whom it keeps no evidence.

REST says who is a member and not since when; `verified_on` is of an address, for
whatever list, and an administrator can set it. So every row is an import.
"""

from outgate.evidence.addresses import read_person
from outgate.evidence.flag import Flag
from outgate.evidence.format import Ask, Format, Reader, Shape
from outgate.evidence.record import Record
from outgate.evidence.row import Row
from outgate.model.optin import Method


def begin(_: Ask) -> Reader:
    """Give the reader."""

    def read(record: Record) -> Row | None:
        if record.get("role") not in {"", "member"}:
            return None
        return Row(
            address=read_person(record.get("email"), "email"),
            list_name=record.get("list_id"),
            method=Method.IMPORT,
            flags=(Flag.PROVES_NOTHING,),
            line=record.line,
        )

    return read


MEMBERS = Format(
    name="mailman3",
    title="Mailman 3, members",
    source="mailman3",
    shape=Shape.DOCUMENTS,
    begin=begin,
    array="entries",
    export="Answers of `GET /3.1/lists/{list}/roster/member`.",
    worth="Nothing: Mailman 3 keeps neither time nor address of a confirmation, and "
    "`verified_on` is of an address, not of a list. All rows are imports. Let a plugin "
    "tell the registry of new subscriptions, or ask members once more through this gate.",
)
