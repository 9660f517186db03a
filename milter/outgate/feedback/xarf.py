"""XARF: reports in JSON, of version 3 and 4 (xarf/xarf-spec).

Only reports about mail are read; of the many others (ports, logins, web sites) a person
has to think.
"""

import binascii

from outgate.feedback.documents import (
    Document,
    at,
    items_at,
    scalar_fields,
    text_at,
)
from outgate.feedback.entity import MAX_HEADER_BYTES, Budget, read_headers
from outgate.feedback.feeds import find_feed
from outgate.feedback.report import (
    ComplaintReport,
    Embedded,
    FeedbackType,
    Format,
    dedup_key,
    feedback_type,
    incident_count,
    original_recipients,
    port_number,
    source_address,
)
from outgate.feedback.times import read_time
from outgate.model.address import Address, parse_address, parse_path

_MAIL_TYPES = {
    "spam": FeedbackType.ABUSE,
    "bulk_messaging": FeedbackType.ABUSE,
    "bulk-messaging": FeedbackType.ABUSE,
    "phishing": FeedbackType.FRAUD,
    "fraud": FeedbackType.FRAUD,
    "malware": FeedbackType.VIRUS,
}


def is_xarf(document: Document) -> bool:
    """Whether a document says that it is one."""
    return "xarf_version" in document or (
        isinstance(document.get("Report"), dict) and "ReporterInfo" in document
    )


def read_xarf(
    document: Document, reporter: Address | None = None
) -> ComplaintReport | None:
    """Read a report about mail; None where it is about something else.

    Args:
        document: one of which `is_xarf` is true.
        reporter: header From of the mail that brought it; else what it says itself.
    """
    if "xarf_version" in document:
        return _version_4(document, reporter)
    return _version_3(document, reporter)


def _version_4(document: Document, reporter: Address | None) -> ComplaintReport | None:
    category = text_at(document, "category") or text_at(document, "class")
    kind = text_at(document, "type").lower()
    if category.lower() != "messaging":
        return None
    protocol = text_at(document, "protocol").lower()
    if protocol and protocol != "smtp":
        return None
    return _report(
        document,
        kind=kind,
        reporter=reporter,
        contact=text_at(document, "reporter", "contact"),
        identity=text_at(document, "report_id"),
        time=text_at(document, "timestamp"),
        source=text_at(document, "source_identifier"),
        port=text_at(document, "source_port"),
        sender=text_at(document, "smtp_from"),
        recipients=[text_at({"": one}, "") for one in items_at(document, "smtp_to")],
        evidence=items_at(document, "evidence"),
        names=("content_type", "payload"),
    )


def _version_3(document: Document, reporter: Address | None) -> ComplaintReport | None:
    report = at(document, "Report")
    kind = text_at(report, "ReportType").lower()
    # Phishing and malware are mostly about web sites there, unless a mail proves it.
    found = _report(
        document,
        kind=kind,
        reporter=reporter,
        contact=text_at(document, "ReporterInfo", "ReporterContactEmail")
        or text_at(document, "ReporterInfo", "ReporterOrgEmail"),
        identity=text_at(report, "ReportID") or text_at(document, "ReportID"),
        time=text_at(report, "Date"),
        source=text_at(report, "SourceIp"),
        port=text_at(report, "SourcePort"),
        sender=text_at(report, "SmtpMailFromAddress"),
        recipients=[text_at(report, "SmtpRcptToAddress")],
        evidence=items_at(report, "Samples"),
        names=("ContentType", "Payload"),
    )
    is_mail = kind == "spam" or (kind in _MAIL_TYPES and found.embedded is not None)
    return found if is_mail else None


def _report(
    document: Document,
    *,
    kind: str,
    reporter: Address | None,
    contact: str,
    identity: str,
    time: str,
    source: str,
    port: str,
    sender: str,
    recipients: list[str],
    evidence: list[object],
    names: tuple[str, str],
) -> ComplaintReport:
    fields = scalar_fields(document)
    said = parse_address(contact) if "@" in contact else None
    embedded = _sample(evidence, *names)
    by = reporter or said
    return ComplaintReport(
        format=Format.XARF,
        feed=find_feed(by, "", "").name,
        feedback_type=_MAIL_TYPES.get(kind) or feedback_type(kind),
        fields=fields,
        arrival=read_time(time),
        source=source_address(source),
        source_port=port_number(port),
        original_sender=parse_path(sender.encode("utf-8", "replace"))
        if sender
        else None,
        recipients=original_recipients(recipients),
        embedded=embedded,
        incidents=incident_count(text_at(document, "incident_count")),
        reporter=by,
        dedup_key=dedup_key(Format.XARF, by, identity, fields, embedded),
    )


def _sample(
    evidence: list[object], kind_name: str, payload_name: str
) -> Embedded | None:
    for one in evidence:
        kind = text_at(one, kind_name).lower()
        payload = at(one, payload_name)
        if not isinstance(payload, str) or "rfc822" not in kind:
            continue
        raw = payload.encode("utf-8", "replace")
        # Version 3 has a flag for it; what has no colon and no blank is no message.
        head = raw[:200].split(b"\n")[0]
        if b":" not in head and b" " not in head.strip():
            try:
                raw = binascii.a2b_base64(raw)
            except binascii.Error:
                continue
        headers, start, cut = read_headers(raw, Budget(MAX_HEADER_BYTES // 2))
        if headers:
            return Embedded(raw, has_body=bool(raw[start:].strip()), is_cut=cut)
    return None
