"""Consents of one list, as an importer tells them, and how they end."""

from ipaddress import ip_address

from outgate.model.consent import Grade
from outgate.model.optin import (
    Method,
    OptIn,
    Record,
    State,
    ZoneSource,
    canonical_evidence,
    commitment_of,
)
from store.builders import ANNE, START_US

LIST = "members.choir.example"
BART = "bart0@example.net"
WITHDRAWN = Record(
    state=State.WITHDRAWN,
    time_us=START_US,
    zone=ZoneSource.SOURCE_UTC,
    source="operator",
)


def an_optin(
    time_us: int,
    *,
    customer: str = ANNE,
    mailbox: str = BART,
    evidence: bool = False,
) -> OptIn:
    """A confirmation on a web page; what stands behind it differs for each moment."""
    salt = f"{time_us:022}"
    text = canonical_evidence(
        {"ip": "192.0.2.7", "salt": salt, "ua": "Mozilla/5.0 (X11; Linux x86_64)"}
    )
    record = Record(
        time_us=time_us,
        offset_minutes=60,
        zone=ZoneSource.EXPLICIT,
        method=Method.COI_WEB,
        grade=Grade.ASSERTED,
        evidence_id="01JPA7Q3X8" if evidence else "",
        commitment=commitment_of(text) if evidence else b"",
        source="mailman3",
    )
    return OptIn(
        customer=customer,
        list_id=LIST,
        mailbox=mailbox,
        record=record,
        client_ip=ip_address("192.0.2.7"),
        evidence=text if evidence else b"",
    )
