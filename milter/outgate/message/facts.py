"""Everything that policy asks of a message, read once at end-of-message.

Ordinary mail costs a few dictionary look-ups. What list headers say beyond the List-Id
is asked by the rule that wants to know it.
"""

from typing import NamedTuple

from outgate.message.classify import classify, declares_bulk, is_forwarded
from outgate.message.headers import header_from_address
from outgate.message.listcheck.headers import list_id_of
from outgate.message.script import SCRIPT_HEADERS, read_script
from outgate.model.address import Address
from outgate.model.transaction import Transaction
from outgate.model.verdict import MailClass


class Facts(NamedTuple):
    """What a message says about itself.

    Attributes:
        mail_class: which kind of mail it declares itself to be.
        declares_bulk: whether it calls itself list or bulk mail, whatever its class.
        header_from: first address of header From; None where there is none.
        list_id: the well-formed List-Id, or "".
        forwarded: whether anything says that it was passed on, and not written, here.
        script: which script of a web site sent it, "" where nothing tells; to be
            believed only of local users' mail.
        site: the web site of that script, likewise.
    """

    mail_class: MailClass
    declares_bulk: bool
    header_from: Address | None
    list_id: str
    forwarded: bool
    script: str = ""
    site: str = ""


def read_facts(transaction: Transaction) -> Facts:
    """Read the facts of one message; never raises, whatever the message is."""
    headers = transaction.headers
    list_id = list_id_of(headers)
    script = site = ""
    if not SCRIPT_HEADERS.isdisjoint(headers):
        script, site = read_script(headers)
    bulk = declares_bulk(headers)
    return Facts(
        classify(transaction, bulk=bulk, list_id=list_id),
        bulk,
        header_from_address(headers),
        list_id,
        is_forwarded(transaction),
        script,
        site,
    )
