"""One address as a dossier shows it: consented, signed, withdrawn, erased, imported."""

from collections import Counter
from datetime import date

from outgate.evidence.dossier.facts import (
    Dossier,
    ListCount,
    Opened,
    Scan,
    ScanState,
    Subscription,
)
from outgate.model.consent import Grade
from outgate.model.list_day import Compliance, Week
from outgate.model.optin import (
    Method,
    Permission,
    Record,
    State,
    ZoneSource,
    canonical_evidence,
    commitment_of,
)
from outgate.model.optin_proof import Proof

BART = "bart@example.net"
CONFIRMED_US = 1_773_476_813_000_000
SIGNED_US = 1_771_369_200_000_000
MADE_US = 1_795_510_800_000_000
SCAN = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
CONFIRMED = canonical_evidence(
    {
        "addr": BART,
        "confirm.ip": "198.51.100.7",
        "confirm.time": "2026-03-14T09:26:53+01:00",
        "list": "members.choir.example",
        "method": "coi-web",
        "salt": "nZ0kP4mYcQb8sXw2rTf6uA",
        "source.file-sha256": "2c26b46b68ffc68ff99b453c1d304134"
        "13422d706483bfa0f98a5e886266e7ae",
        "source.line": 4,
        "source.software": "listmonk",
        "tz.kind": "explicit",
    }
)
SIGNED = canonical_evidence(
    {
        "addr": BART,
        "collected-us": SIGNED_US,
        "collector": "Dora",
        "list": "concerts.choir.example",
        "method": "paper",
        "place": "Vienna, Easter concert",
        "salt": "wq3m8EJp0vYt5ZbKc1LsRg",
        "scan-sha256": SCAN,
        "tz.kind": "declared",
        "tz.zone": "Europe/Vienna",
    }
)
OF_CONFIRMED = Record(
    time_us=CONFIRMED_US,
    offset_minutes=60,
    zone=ZoneSource.EXPLICIT,
    method=Method.COI_WEB,
    grade=Grade.ASSERTED,
    evidence_id="01JPA7Q3X8",
    commitment=commitment_of(CONFIRMED),
    source="listmonk",
)
OF_SIGNED = Record(
    time_us=SIGNED_US,
    offset_minutes=60,
    zone=ZoneSource.DECLARED,
    method=Method.PAPER,
    grade=Grade.PAPER,
    commitment=commitment_of(SIGNED),
    source="paper",
)
CONSENTED = Subscription(
    list_id="members.choir.example",
    customer="choir",
    record=OF_CONFIRMED,
    proof=Proof.MATCHES,
    opened=Opened(OF_CONFIRMED, CONFIRMED),
    contradicted_us=CONFIRMED_US,
    count=ListCount(
        Counter(
            {
                Permission.ASSERTED: 1203,
                Permission.PAPER: 41,
                Permission.IMPORT: 6,
                Permission.WITHDRAWN: 88,
            }
        ),
        erased=2,
        weeks=(
            Week(
                date(2026, 11, 14),
                date(2026, 11, 20),
                Compliance({"messages": 2, "recipients": 40, "asserted": 39}),
            ),
            Week(
                date(2026, 11, 7),
                date(2026, 11, 13),
                Compliance({"messages": 1, "recipients": 20, "unknown": 20, "held": 1}),
            ),
        ),
    ),
)
LEFT = Subscription(
    list_id="concerts.choir.example",
    customer="choir",
    record=Record(
        state=State.WITHDRAWN,
        time_us=CONFIRMED_US,
        zone=ZoneSource.SOURCE_UTC,
        source="operator",
    ),
    proof=Proof.EARLIER,
    opened=Opened(
        OF_SIGNED,
        SIGNED,
        Scan(f"/var/lib/outgate/evidence/scans/{SCAN}", ScanState.MATCHES),
    ),
    challenged_us=SIGNED_US,
)
ERASED = Subscription(
    list_id="news.choir.example",
    customer="choir",
    record=Record(state=State.ERASED, time_us=CONFIRMED_US),
)
IMPORTED = Subscription(
    list_id="offers.shop.example",
    customer="shop",
    record=Record(grade=Grade.IMPORT, method=Method.IMPORT, source="sendy"),
)
UNKNOWN = Subscription(list_id="jobs.shop.example", customer="shop")


def a_dossier(*subscriptions: Subscription, address: str = BART) -> Dossier:
    """One about Bart, made at noon for a complaint."""
    return Dossier(
        address=address,
        subscriptions=subscriptions,
        made_us=MADE_US,
        why="complaint 4711",
        actor="dora",
    )


ALL = a_dossier(CONSENTED, LEFT, ERASED, IMPORTED, UNKNOWN)
