"""Brevo: its CSV export, which has no address of any client.

`DOUBLE_OPT-IN` says that somebody confirmed, and not when or from where; times are as an
account shows them.
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
        return Row(
            address=read_person(record.get("email"), "EMAIL"),
            method=Method.IMPORT,
            flags=(Flag.PROVES_NOTHING,),
            line=record.line,
        )

    return read


CSV = Format(
    name="brevo",
    title="Brevo, CSV export",
    source="brevo",
    shape=Shape.TABLE,
    begin=begin,
    needed=(("email",), ("added-time",)),
    export="Contacts → Export.",
    worth="Nothing alone: there is no address of a client, and no time of a confirmation. "
    "All rows are imports. Ask Brevo for the log of double opt-ins and bring it as plain "
    "CSV.",
)
