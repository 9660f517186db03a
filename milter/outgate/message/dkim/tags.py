"""The tags of a DKIM-Signature (RFC 6376 §3.5), and of a key record (§3.6.1).

    v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=2026a; t=1795500000;
     h=from:from:to:to:…; bh=…; b=…

Never `l=` (§8.2): whatever is added to a signed body would count as signed.
"""

import base64
from collections.abc import Iterable, Sequence
from functools import lru_cache

from outgate.model.dkim import Algorithm

# RFC 5322 §2.1.1.
_LINE_CHARACTERS = 76
_FOLD = "\n\t"
# RFC 1035 §3.3: one character-string of a TXT record.
_STRING_CHARACTERS = 255


def unsigned_value(
    algorithm: Algorithm,
    domain: str,
    selector: str,
    *,
    names: Sequence[str],
    body_sha256: bytes,
    now_s: int,
    expires_s: int = 0,
    identity: str = "",
) -> str:
    """The header's value with an empty `b=`, folded by LF and TAB.

    Args:
        algorithm: `a=`.
        domain: `d=`, in A-labels.
        selector: `s=`.
        names: `h=`.
        body_sha256: digest of the relaxed body.
        now_s: `t=`, seconds since the epoch.
        expires_s: `x=`; 0 for none.
        identity: `i=`; "" for none.
    """
    tags = [
        "v=1;",
        f"a={algorithm};",
        "c=relaxed/relaxed;",
        f"d={domain};",
        f"s={selector};",
        f"t={now_s};",
    ]
    if expires_s:
        tags.append(f"x={expires_s};")
    if identity:
        tags.append(f"i={identity};")
    lines = [*_lines(tags, " "), _header_list(tuple(names))]
    lines += [f"bh={base64.b64encode(body_sha256).decode()};", "b="]
    return _FOLD.join(lines)


def with_signature(unsigned: str, signature: bytes) -> str:
    """The value with its `b=`, in lines that are not too long."""
    text = base64.b64encode(signature).decode()
    width = _LINE_CHARACTERS - len("b=")
    pieces = [text[start : start + width] for start in range(0, len(text), width)]
    return unsigned + _FOLD.join(pieces)


def key_record(algorithm: Algorithm, public: bytes) -> str:
    """The TXT record of a key.

    Args:
        algorithm: what it signs with.
        public: of RSA the SubjectPublicKeyInfo in DER, of Ed25519 the 32 octets
            (RFC 8463 §4.2).
    """
    # §3.6.1 h=: no other hash will do, so that none weaker is believed.
    encoded = base64.b64encode(public).decode()
    return f"v=DKIM1; h=sha256; k={algorithm.key_type}; p={encoded}"


def read_key_record(record: bytes) -> dict[str, str]:
    """Tags of a key record; white space in values means nothing. Never raises."""
    tags: dict[str, str] = {}
    for piece in record.decode("latin-1").split(";"):
        name, equals, value = piece.partition("=")
        if equals:
            tags.setdefault(name.strip(), "".join(value.split()))
    return tags


def zone_line(domain: str, selector: str, record: str) -> str:
    """The record as a line of a zone file, in strings of 255 characters."""
    strings = " ".join(
        f'"{record[start : start + _STRING_CHARACTERS]}"'
        for start in range(0, len(record), _STRING_CHARACTERS)
    )
    return f"{selector}._domainkey.{domain}. IN TXT ( {strings} )"


@lru_cache(maxsize=256)
def _header_list(names: tuple[str, ...]) -> str:
    """The folded `h=`; most mail of a domain has the same headers."""
    words = [f"{name}:" for name in names]
    words[0] = f"h={words[0]}"
    words[-1] = words[-1].replace(":", ";")
    return _FOLD.join(_lines(words, ""))


def _lines(words: Iterable[str], between: str) -> list[str]:
    """Words in lines of at most 76 characters."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + len(between) + len(word) <= _LINE_CHARACTERS:
            lines[-1] += between + word
        else:
            lines.append(word)
    return lines
