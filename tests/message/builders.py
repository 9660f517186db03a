"""Headers and transactions as a milter sees them, and hostile bytes by Hypothesis."""

from hypothesis import settings
from hypothesis import strategies as st

from outgate.message.wanted import WANTED_HEADERS
from outgate.model.transaction import Session, Transaction

HeaderMap = dict[str, list[bytes]]

# Enough to find what a byte-wise parser gets wrong, and quick enough to run always.
fast = settings(max_examples=60, deadline=None)


def headers(text: str) -> HeaderMap:
    """Read a header block as Postfix hands it on: LF folds, the first space eaten."""
    return headers_from_bytes(text.strip("\n").encode())


def headers_from_bytes(block: bytes) -> HeaderMap:
    found: HeaderMap = {}
    values: list[bytes] = []
    for line in block.split(b"\n"):
        stripped = line.removesuffix(b"\r")
        if stripped[:1] in {b" ", b"\t"} and values:
            values[-1] += b"\n" + stripped
        elif b":" in stripped:
            name, _, value = stripped.partition(b":")
            key = name.strip().lower().decode("latin-1")
            values = found.setdefault(key, [])
            values.append(value.removeprefix(b" "))
    return found


def a_transaction(
    block: str | HeaderMap = "",
    *,
    sender: bytes = b"<anne@example.com>",
    recipients: int = 1,
    queue_id: str = "4XyZ1a2b3c",
    body_digest: bytes = b"\x01" * 32,
) -> Transaction:
    return Transaction(
        session=Session(),
        sender=sender,
        recipients=[b"<bart%d@example.net>" % number for number in range(recipients)],
        recipient_count=recipients,
        headers=headers(block) if isinstance(block, str) else block,
        body_digest=body_digest,
        queue_id=queue_id,
    )


# Bytes that mean something to one of the parsers, so that random values reach deep.
_PIECES = (
    b'"',
    b"\\",
    b"(",
    b")",
    b"<",
    b">",
    b",",
    b":",
    b";",
    b"@",
    b" ",
    b"\t",
    b"\r\n ",
    b"\n\t",
    b"\n",
    b"\x00",
    b"\xff\xc3\xa9",
    b"[",
    b"]",
    b"{{unsub}}",
    b"%",
    b"%%",
    b"=?utf-8?q?=3C",
    b"=?utf-7?B?+2AA-?=",
    b"=?utf-16?b?PD8?=",
    b"?=",
    b"https://example.org/leave",
    b"mailto:leave@example.org",
    b"http://127.0.0.1:8080/",
    b"//",
    b".",
    b"localhost",
    b"news.example.org",
    b"List-Unsubscribe=One-Click",
    b"auto-replied",
    b"bulk",
    b"multipart/report; report-type=delivery-status",
    b"text/calendar; method=REQUEST",
    b"(from anne@localhost)\n\tby host.example.org (8.17.1/8.17.1/Submit) id 5A1;",
    b"1001:contact.php(3) : eval()'d code",
    b"shop.example/contact.php/x for 203.0.113.9",
    b"confirm 0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c",
    b"Anne",
    b"anne@example.com",
)
hostile_values = st.lists(
    st.one_of(st.sampled_from(_PIECES), st.binary(max_size=8)), max_size=12
).map(b"".join)
header_names = st.one_of(
    st.sampled_from(sorted(WANTED_HEADERS)),
    st.sampled_from(["to", "x-unknown", "reply-to", "dkim-signature", "list-"]),
)
hostile_headers = st.dictionaries(
    header_names, st.lists(hostile_values, max_size=3), max_size=8
)
