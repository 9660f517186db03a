"""Whether a DKIM signature covers what one-click unsubscription needs (RFC 8058 §4).

    DKIM-Signature: v=1; d=example.org; h=From:List-Unsubscribe:List-Unsubscribe-Post; …

Only tags are read; whether the signature is valid is not asked. A message that leaves
may not be signed yet: then it matters what the signer behind this gate will cover,
which its operator knows.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from outgate.message.headers import Headers
from outgate.message.listcheck.note import Level, Note
from outgate.message.listcheck.one_click import POST, UNSUBSCRIBE
from outgate.model.address import canonical_domain

SIGNATURE = "dkim-signature"
ONE_CLICK_HEADERS = frozenset({UNSUBSCRIBE, POST})

# Mail that passed three hops has four; a receiver may stop much earlier (RFC 6376 §4.2).
MAX_SIGNATURES = 16
# A 4096-bit signature in base64 takes 700 bytes.
MAX_SIGNATURE_BYTES = 8192


class SignatureNote(Note):
    """Notes on what is signed of one-click unsubscription."""

    SIGNATURE_COVERS = (
        "signature-covers",
        Level.OK,
        "A DKIM signature covers both headers of one-click unsubscription.",
        "",
        "RFC 8058 §4",
    )
    SIGNATURE_UNKNOWN = (
        "signature-unknown",
        Level.OK,
        "Nothing has signed the message yet; who will, has to cover both headers.",
        "",
        "RFC 8058 §4",
    )
    SIGNATURE_NOT_COVERING = (
        "signature-not-covering",
        Level.FIX,
        (
            "No DKIM signature covers both List-Unsubscribe and List-Unsubscribe-Post, so"
            " mailbox providers don't offer one-click."
        ),
        "Let the signer add both names to the h= of its signature.",
        "RFC 8058 §4",
    )
    SIGNATURE_MISSING = (
        "signature-missing",
        Level.BAD,
        "The message asks for one-click unsubscription and nothing will sign it.",
        "Sign the message with DKIM, both headers included.",
        "RFC 8058 §4",
    )


@dataclass(frozen=True, slots=True)
class Signature:
    """What one DKIM-Signature says.

    Attributes:
        domain: its `d=`, lower case; "" where there is none.
        covers: the names in its `h=`, lower case.
    """

    domain: str
    covers: frozenset[str]


def read_signatures(headers: Headers) -> tuple[Signature, ...]:
    """Read the topmost DKIM signatures, at most `MAX_SIGNATURES`."""
    values = headers.get(SIGNATURE, ())[:MAX_SIGNATURES]
    return tuple(_read(value[:MAX_SIGNATURE_BYTES]) for value in values)


def _read(value: bytes) -> Signature:
    """Read the tag-list (RFC 6376 §3.2); white space in `d=` and `h=` means nothing."""
    tags: dict[bytes, str] = {}
    for piece in value.split(b";"):
        name, equals, text = piece.partition(b"=")
        if equals:
            compact = b"".join(text.split()).decode("latin-1").lower()
            # §3.2 forbids a second one; the first is as good as any.
            tags.setdefault(name.strip(), compact)
    names = tags.get(b"h", "").split(":")
    return Signature(
        canonical_domain(tags.get(b"d", "")), frozenset(filter(None, names))
    )


def judge_coverage(
    signatures: Iterable[Signature], will_sign: frozenset[str] | None
) -> SignatureNote:
    """Judge what is signed of a message that asks for one-click.

    Args:
        signatures: those that are there.
        will_sign: lower-case names of headers that a signer behind this gate covers,
            none where nothing signs; None where that is not known.
    """
    covered = [signature.covers for signature in signatures]
    if will_sign:
        covered.append(will_sign)
    if any(names >= ONE_CLICK_HEADERS for names in covered):
        return SignatureNote.SIGNATURE_COVERS
    if covered:
        return SignatureNote.SIGNATURE_NOT_COVERING
    if will_sign is None:
        return SignatureNote.SIGNATURE_UNKNOWN
    return SignatureNote.SIGNATURE_MISSING
