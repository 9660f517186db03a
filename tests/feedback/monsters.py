"""Reports that are made to cost: depth, boundaries, headers, encodings, JSON, replies."""

import base64

_MIB = 1024 * 1024
_MIXED = b"From: a@b\nContent-Type: multipart/mixed; boundary=b\n\n"
_ARF = (
    b"From: a@b\nContent-Type: multipart/report; report-type=feedback-report; "
    b"boundary=B\n\n--B\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n"
)
_DSN = (
    b"From: mailer-daemon@b\nContent-Type: multipart/report; "
    b"report-type=delivery-status; boundary=B\n\n--B\n"
    b"Content-Type: message/delivery-status\n\n"
)
_PROSE = b"From: mailer-daemon@b\nTo: x@y.z\nSubject: failure notice\n\n"
_PERSON = b"Final-Recipient: rfc822;a@b.c\nDiagnostic-Code: smtp; "
_ENCODED = b"--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: "


def _nested(depth: int) -> bytes:
    levels = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level)
        for level in range(depth)
    )
    return levels + b"x" * _MIB


MONSTERS: dict[str, bytes] = {
    "nested": _nested(300),
    "one-boundary": _MIXED
    + b"--b\nContent-Type: multipart/mixed; boundary=b\n\n" * 80_000,
    "parts": _MIXED + b"--b\n\nx\n" * 400_000,
    "near-boundaries": _MIXED + b"--b\n\n" + b"--bx\n" * 800_000,
    "long-boundary": b"From: a@b\nContent-Type: multipart/mixed; boundary="
    + b"b" * _MIB,
    "headers": b"a:\n" * 1_400_000,
    "fields": _ARF + b"a:\n" * 1_400_000,
    "recipients": _ARF + b"Original-Rcpt-To: <qqqqqqqqqq@b.example>\n" * 90_000,
    "encoded-words": b"From: " + b"=?utf-8?b?w6Q=?= " * 200_000 + b"\n\nx",
    "base64": _MIXED
    + _ENCODED
    + b"base64\n\n"
    + base64.encodebytes(b"A: b\n" * 600_000),
    "base64-padding": _MIXED + _ENCODED + b"base64\n\n" + b"A=" * (2 * _MIB),
    "quoted-printable": _MIXED
    + _ENCODED
    + b"quoted-printable\n\n"
    + b"=41=\n" * 800_000,
    "json-deep": b'{"a":' * 100_000,
    "json-wide": b'{"xarf_version":"4","a":[' + b'{"":1},' * 70_000 + b"1]}",
    "json-many": _MIXED
    + (b'--b\nContent-Type: application/json\n\n{"q":[' + b'{"":1},' * 9_000 + b"1]}\n")
    * 58,
    "json-number": b'{"xarf_version":' + b"9" * 500_000 + b"}",
    "quotes": b"From: a@b\n\n" + b"> " * (2 * _MIB),
    "marks": b"From: a@b\n\n" + b"-----Original Message-----\n" * 100_000,
    "spaces": b"From: a@b\n\n" + b" " * (4 * _MIB),
    "html": b"From: a@b\nContent-Type: text/html\n\n" + b"<br" * _MIB,
    "many-people": _DSN + (_PERSON + b"550 5.1.1 mailbox user\n\n") * 40_000,
    "long-replies": _DSN + (_PERSON + b"mailbox " * 220 + b"\n\n") * 2_000,
    "longer-replies": _DSN
    + (_PERSON + b"exceed too many over domain " * 60 + b"\n\n") * 2_000,
    "blank-lines": _DSN + b"a:\n\n" * 1_000_000,
    "named": _PROSE
    + b"".join(b"a%d@b.c mailbox x\n" % number for number in range(150_000)),
    "no-ends": _PROSE + b"a" * 500_000 + b"@" * 500_000,
    "indented": _PROSE + (b" " * 900 + b"\n") * 4_000,
    "html-opened": b"From: a@b\nContent-Type: text/html\n\n" + b"<br " * _MIB,
    "html-entities": b"From: a@b\nContent-Type: text/html\n\n" + b"&amp;&#1" * 200_000,
    "utf-16": b"From: a@b\nContent-Type: text/plain; charset=utf-16\n\n"
    + b"\x00>" * (2 * _MIB),
}
