"""What an envelope says about delivery status notifications (RFC 3461).

`NOTIFY=` says when the sender wants one, `ORCPT=` names the recipient as the sender knew
him, `ENVID=` the transaction; the last two are in xtext (§4).
"""

import re
from collections.abc import Sequence

_ENCODED = re.compile(rb"\+([0-9A-F]{2})")
_FAILURE = b"FAILURE"


def wants_failures(options: Sequence[bytes]) -> bool:
    """Whether the sender wants to hear of a failure: by default, yes (§4.1)."""
    for option in options:
        name, _, value = option.upper().partition(b"=")
        if name == b"NOTIFY":
            return _FAILURE in value.split(b",")
    return True


def original_recipient(options: Sequence[bytes]) -> str:
    """Type and address of `ORCPT=`, decoded (§4.2); "" where there is none."""
    for option in options:
        name, _, value = option.partition(b"=")
        kind, separator, address = value.partition(b";")
        if name.upper() == b"ORCPT" and separator and kind.isascii():
            return f"{kind.decode()};{decode_xtext(address)}"
    return ""


def decode_xtext(text: bytes) -> str:
    """What xtext stands for (§4); nothing that is no printable ASCII stays."""
    decoded = _ENCODED.sub(lambda found: bytes((int(found[1], 16),)), text)
    return "".join(chr(one) if 0x20 <= one < 0x7F else "?" for one in decoded)  # noqa: PLR2004
