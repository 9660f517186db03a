"""Mautic 5: a query of form submissions; it has no confirmed opt-in of its own.

Who built one out of a campaign with a link to confirm can add the click to the query as
`confirm_time_utc` and `confirm_ip`. Its tables have UTC; its CSV export of submissions
has the user's zone, and is another thing.
"""

from outgate.evidence.addresses import read_person
from outgate.evidence.flag import Flag
from outgate.evidence.format import Ask, Format, Reader, Shape
from outgate.evidence.moments import SOURCE_UTC, read_moment
from outgate.evidence.record import Record
from outgate.evidence.row import Row
from outgate.model.optin import Method


def begin(_: Ask) -> Reader:
    """Give the reader."""

    def read(record: Record) -> Row | None:
        row = Row(
            address=read_person(record.get("email"), "email"),
            list_name=record.get("list"),
            method=Method.COI_WEB,
            signup=read_moment(
                record.get("date-submitted-utc"), "date_submitted_utc", SOURCE_UTC
            ),
            signup_ip=record.get("ip-address"),
            confirm=read_moment(
                record.get("confirm-time-utc"), "confirm_time_utc", SOURCE_UTC
            ),
            confirm_ip=record.get("confirm-ip"),
            needs_signup=True,
            line=record.line,
        )
        if record.get("manually-removed") == "1" or record.get("do-not-contact"):
            row.flags = (Flag.UNSUBSCRIBED,)
        elif row.confirm is None:
            row.method = Method.OTHER
            row.flags = (Flag.SINGLE_OPT_IN,)
        return row

    return read


SQL = Format(
    name="mautic",
    title="Mautic 5, query",
    source="mautic",
    shape=Shape.TABLE,
    begin=begin,
    needed=(("email",), ("date-submitted-utc",), ("ip-address",)),
    zone=SOURCE_UTC,
    export="This query, as CSV with a header; add `confirm_time_utc` and `confirm_ip` "
    "where a campaign of yours asks for a confirmation.",
    sql="""\
SELECT l.email, f.name AS list, s.date_submitted AS date_submitted_utc, i.ip_address,
  (SELECT MAX(d.reason) FROM lead_donotcontact d
    WHERE d.lead_id = l.id AND d.channel = 'email') AS do_not_contact
  FROM form_submissions s JOIN leads l ON l.id = s.lead_id
  JOIN forms f ON f.id = s.form_id LEFT JOIN ip_addresses i ON i.id = s.ip_id""",
    worth="A form that was filled in is no confirmation: an import. With the click of a "
    "campaign that asks for one, and its address: asserted.",
)
