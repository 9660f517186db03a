"""One module for each product; the table of all is here, in the order of the manual."""

from outgate.evidence.format import Format
from outgate.evidence.formats import (
    brevo,
    civicrm,
    listmonk,
    mailchimp,
    mailman2,
    mailman3,
    mailpoet,
    mautic,
    phplist,
    plain,
    sendy,
    sympa,
)

FORMATS: tuple[Format, ...] = (
    plain.CSV,
    plain.NDJSON,
    mailchimp.CSV,
    mailchimp.API,
    listmonk.SQL,
    listmonk.API,
    sympa.DUMP,
    mailpoet.CSV,
    mailpoet.SQL,
    phplist.SQL,
    mailman2.LOG,
    mailman3.MEMBERS,
    civicrm.SQL,
    sendy.SQL,
    mautic.SQL,
    brevo.CSV,
)

BY_NAME = {one.name: one for one in FORMATS}
