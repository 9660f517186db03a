"""A judged row, as the registry takes it and as programs read it.

The evidence of a consent is one flat JSON object: what the row says, where it stood, and
a salt. The salt is a keyed hash and not random: importing the same file again gives the
same evidence, and without the key nobody can guess what a commitment is of.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from outgate.evidence.flag import Flag
from outgate.evidence.judge import Judged
from outgate.evidence.moments import Zone, in_offset
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

_SALT_BYTES = 16
# Whose time nobody believes, has none.
_NO_TIME = frozenset({Flag.CONFIRM_IN_FUTURE, Flag.MISSING_HOUR, Flag.TOO_OLD})
# Of a text that an importer took over unread.
_MAX_TEXT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows are from.

    Attributes:
        customer: whose list it is.
        list_id: lower case, no brackets.
        software: as the registry calls it.
        version: as an operator says it, "" where he does not.
        file_sha256: of the file, in hex.
        zone: how times were meant that say no zone.
    """

    customer: str
    list_id: str
    software: str
    version: str
    file_sha256: str
    zone: Zone


def fields(judged: Judged, mailbox: str, origin: Origin) -> dict[str, str | int]:
    """What is known of one subscription, flat; what is not known is left out.

    `confirm.time` is RFC 3339 in the zone in which the source noted it.
    """
    row, confirm = judged.row, judged.row.confirm
    known: dict[str, str | int] = {
        "addr": mailbox,
        "list": origin.list_id,
        "method": row.method.value,
        "source.software": origin.software,
        "source.file-sha256": origin.file_sha256,
        "source.line": row.line,
    }
    if confirm is not None:
        known["confirm.time"] = in_offset(confirm).isoformat()
        known["tz.kind"] = confirm.zone.value
        if confirm.zone is not ZoneSource.EXPLICIT:
            known["tz.zone"] = origin.zone.name
        if confirm.is_ambiguous:
            known["tz.fold"] = "ambiguous"
    if row.signup is not None:
        known["signup.time"] = in_offset(row.signup).isoformat()
    if row.confirm_ip:
        known["confirm.ip"] = _text(row.confirm_ip)
    if row.signup_ip:
        known["signup.ip"] = _text(row.signup_ip)
    if origin.version:
        known["source.version"] = _text(origin.version)
    if judged.flags:
        known["flags"] = ",".join(judged.flags)
    return known


def opt_in(
    judged: Judged, mailbox: str, origin: Origin, salt_key: bytes
) -> OptIn | None:
    """What the registry is to keep of a row, None for nothing.

    A subscription that ended is a withdrawal where the source says when; without a time
    it would take back what came later.

    Args:
        judged: the row.
        mailbox: canonical.
        origin: where it is from.
        salt_key: a secret.
    """
    if judged.is_left_out:
        record = _withdrawal(judged, origin)
        evidence = b""
    elif judged.grade.is_consent:
        known = fields(judged, mailbox, origin)
        known["salt"] = _salt(known, salt_key)
        evidence = canonical_evidence(known)
        record = _consent(judged, origin, commitment_of(evidence))
    else:
        evidence = b""
        record = _consent(judged, origin, b"")
    if record is None:
        return None
    return OptIn(
        customer=origin.customer,
        list_id=origin.list_id,
        mailbox=mailbox,
        record=record,
        client_ip=judged.client.address if judged.client else None,
        evidence=evidence,
    )


def _consent(judged: Judged, origin: Origin, commitment: bytes) -> Record:
    row = judged.row
    confirm = None if _NO_TIME.intersection(judged.flags) else row.confirm
    return Record(
        time_us=confirm.time_us if confirm else None,
        offset_minutes=confirm.offset_minutes if confirm else 0,
        zone=confirm.zone if confirm else ZoneSource.UNKNOWN,
        method=row.method if judged.grade is not Grade.IMPORT else Method.IMPORT,
        grade=judged.grade,
        commitment=commitment,
        source=origin.software,
    )


def _withdrawal(judged: Judged, origin: Origin) -> Record | None:
    left = judged.row.left
    if left is None:
        return None
    return Record(
        state=State.WITHDRAWN,
        time_us=left.time_us,
        offset_minutes=left.offset_minutes,
        zone=left.zone,
        source=origin.software,
    )


def _salt(known: Mapping[str, str | int], key: bytes) -> str:
    text = "\n".join(map(str, known.values()))
    digest = blake2b(
        text.encode(), key=key, digest_size=_SALT_BYTES, person=b"evidence salt"
    )
    return urlsafe_b64encode(digest.digest()).decode().rstrip("=")


def _text(text: str) -> str:
    if text.isascii():
        return text[:_MAX_TEXT_CHARACTERS]
    return text[:_MAX_TEXT_CHARACTERS].encode("utf-8", "backslashreplace").decode()
