"""Tokens: the one of the specification, and others like it."""

from typing import Any

from outgate.message.optin_evidence import Algorithm, Token, from_base64url
from outgate.model.optin import Method

# The key of the specification.
SEED = bytes(range(32))
PUBLIC = "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"
LIST = "news.example.org"
# For customer `choir` and that list.
PROOF = (
    "Tfs4fq7zaS6-bQIVjzPVRGoPSs858Bi4_gUaOIBr9sL"
    "U5FDegwUICMSurAHd3rsLBC18fg2TLdgJcPUq926nDw"
)
ANNA = b"<Anna@Example.NET>"

VECTOR_HEADER = (
    "v=1; a=ed25519; d=lists.example.org; s=2026a; l=news.example.org; m=coi; "
    "t=2026-03-14T09:26:53+01:00; x=2027-04-14T00:00:00Z; e=01JPA7Q3X8; "
    "eh=THhGkStaNrI9ypjUgBPOFQ; b=co799VNan7zsbKmL7rqsuXOioAIfkd3do728_9xO2z-"
    "dSbCTqavZCrgxMC7nqB2xdUlrrZVPn8HOMzML2kc6CA"
)
_HINTED = (
    "DKkoAZt7Vu7sHHwcsMfwBkvggZUgZeiC_A-Rx9krPZhufIQ59SxdQdcuZOxt6YS3cQoDK_sd-"
    "9YoLI2KpppBAA"
)
_HMAC = "o9oJACTLmcz_zg28YsdGEGyNXZbNRg1VJlry2HZzeQU"


def a_token(**changed: Any) -> Token:
    """The token of the specification, unsigned, with these values instead."""
    values: dict[str, Any] = {
        "algorithm": Algorithm.ED25519,
        "issuer": "lists.example.org",
        "selector": "2026a",
        "list_id": LIST,
        "method": Method.COI,
        "time": "2026-03-14T09:26:53+01:00",
        "expires": "2027-04-14T00:00:00Z",
        "evidence_id": "01JPA7Q3X8",
        "commitment": "THhGkStaNrI9ypjUgBPOFQ",
    }
    return Token(**values | changed)


VECTOR = a_token(signature=from_base64url(VECTOR_HEADER.rpartition("b=")[2]))
VECTOR_HINTED = a_token(routing_hint="ae", signature=from_base64url(_HINTED))
VECTOR_HMAC = a_token(algorithm=Algorithm.HMAC_SHA256, signature=from_base64url(_HMAC))
