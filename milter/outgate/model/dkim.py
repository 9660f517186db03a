"""What became of a message's DKIM signatures (RFC 6376)."""

from dataclasses import dataclass
from enum import StrEnum

SIGNATURE_HEADER = "DKIM-Signature"


class Algorithm(StrEnum):
    """Signature algorithms: the two that RFC 8301 §3.1 and RFC 8463 leave."""

    RSA_SHA256 = "rsa-sha256"
    ED25519_SHA256 = "ed25519-sha256"

    @property
    def key_type(self) -> str:
        """The `k=` of its key record (RFC 6376 §3.6.1)."""
        return self.value.partition("-")[0]


class SigningResult(StrEnum):
    """What became of one signature.

    The value is the word in the log and the label of the metric.
    """

    SIGNED = "signed"
    ERROR = "error"
    NO_KEY = "no-key"
    NOT_PERMITTED = "not-permitted"
    UNSIGNABLE = "unsignable"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature, or why there is none.

    Attributes:
        domain: its `d=`; "" where no key was found.
        selector: its `s=`.
        algorithm: None where none was made or tried.
        value: of the header, folded with LF and TAB; "" where none was made.
    """

    result: SigningResult
    domain: str = ""
    selector: str = ""
    algorithm: Algorithm | None = None
    value: str = ""
