"""What grades, methods, zones and checks mean, for who has never heard of them."""

from collections.abc import Mapping

from outgate.model.consent import Grade
from outgate.model.optin import Method, State, ZoneSource
from outgate.model.optin_proof import Proof

GRADES: Mapping[Grade, str] = {
    Grade.WITNESSED: "this network saw the request to confirm, and the answer",
    Grade.CORROBORATED: "the list host says so, and this network saw the request to "
    "confirm",
    Grade.ASSERTED: "the list host says so, with time, time zone and client's address, "
    "and is held to it",
    Grade.PAPER: "a sheet of paper with a date",
    Grade.IMPORT: "an address in a file, which proves nothing: no consent",
    Grade.NONE: "nothing stands behind it: no consent",
}

METHODS: Mapping[Method, str] = {
    Method.COI: "confirmed opt-in",
    Method.COI_MAIL: "confirmed opt-in, confirmed by mail",
    Method.COI_WEB: "confirmed opt-in, confirmed on a web page",
    Method.PAPER: "signed on paper",
    Method.IMPORT: "an address in a file",
    Method.OTHER: "in another way, or not known how",
}

ZONES: Mapping[ZoneSource, str] = {
    ZoneSource.EXPLICIT: "it stood beside the time",
    ZoneSource.SOURCE_UTC: "the software writes UTC",
    ZoneSource.DECLARED: "an operator declared the zone of the whole source",
    ZoneSource.UNKNOWN: "nobody knows it",
}

PROOFS: Mapping[Proof, str] = {
    Proof.MATCHES: "the raw record hashes to the commitment on file",
    Proof.DIFFERS: "the raw record does NOT hash to the commitment on file",
    Proof.EARLIER: "the raw record is of an earlier consent than what is on file now",
    Proof.ELSEWHERE: "the list host keeps the raw record; what it shows must hash to the "
    "commitment on file",
    Proof.UNREADABLE: "a raw record is kept, but does not open: it was changed, or "
    "sealed under another secret or by a newer Outgate",
    Proof.NONE: "no raw record is kept",
}

STATES: Mapping[State, str] = {
    State.CONSENT: "on file as a subscriber",
    State.WITHDRAWN: "withdrawn: no subscriber any more",
    State.ERASED: "erased",
}
