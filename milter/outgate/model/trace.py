"""What tells later which message was ours, and whose.

A *trace* leaves with the message, signed, in one header; it names nobody. A *trace
record* stays here for some weeks, and says what a complaint is judged by. The id joins
them, and its first six bytes are the time, so that a record is found by its id alone.
"""

from dataclasses import dataclass

from outgate.model.consent import Grade

TRACE_HEADER = "Outgate-Trace"
# RFC 9477 §4.
CFBL_ADDRESS = "CFBL-Address"
CFBL_FEEDBACK_ID = "CFBL-Feedback-ID"
FEEDBACK_ID = "Feedback-ID"
TRACE_HEADERS = frozenset(
    name.lower() for name in (TRACE_HEADER, CFBL_ADDRESS, CFBL_FEEDBACK_ID, FEEDBACK_ID)
)
"""What is looked for before any of them is added, lower case."""

TRACE_ID_BYTES = 16
_RANDOM_BYTES = 10
_TIME_BYTES = TRACE_ID_BYTES - _RANDOM_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What the header of one message says.

    Attributes:
        id: 32 hexadecimal digits, lower case.
        customer: pseudonym of who is accountable: 16 hexadecimal digits.
        time_s: when it was let out, seconds since the epoch.
        grade: the least consent of any recipient who got it, where it is of a
            registered list; `none` for other mail, and where nobody could tell.
        list_id: pseudonym of the registered list: 16 hexadecimal digits; "" for none.
    """

    id: str
    customer: str
    time_s: int
    grade: Grade = Grade.NONE
    list_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRecord:
    """What is kept of one message that left, or is held.

    Attributes:
        customer: name of who is accountable.
        principal: how that is known: login, user, network or address.
        script: name of the script that sent it, "" for none.
        client: address of the SMTP client, "" for a local submission.
        queue_id: the MTA's, "" where unknown.
        mta_name: how the MTA calls itself.
        time_us: of the decision, microseconds since the epoch.
        sender: envelope sender as it may be shown: without what VERP writes into it.
        list_id: registered list, lower case; "" for none.
        grade: as in `Trace`.
        campaign: two bands of the content's fingerprint, keyed; b"" where none is kept.
        recipients: keyed hashes of different ones who got it, in no order that tells
            anything.
        recipient_count: how many there were; of more than are kept, the rest has no hash.
        held: whether the message was held, not let out.
    """

    customer: str
    principal: str
    script: str = ""
    client: str = ""
    queue_id: str = ""
    mta_name: str = ""
    time_us: int
    sender: str = ""
    list_id: str = ""
    grade: Grade = Grade.NONE
    campaign: bytes = b""
    recipients: tuple[bytes, ...] = ()
    recipient_count: int = 0
    held: bool = False


def make_trace_id(now_us: int, random: bytes) -> str:
    """An id: time in milliseconds (6 bytes), then chance.

    Args:
        now_us: microseconds since the epoch.
        random: 10 bytes.

    Raises:
        ValueError: not so many bytes.
    """
    if len(random) != _RANDOM_BYTES:
        raise ValueError(f"{len(random)} random bytes, expected {_RANDOM_BYTES}")
    return f"{now_us // 1_000 & 0xFFFF_FFFF_FFFF:012x}{random.hex()}"


def time_of_trace_id(trace_id: str) -> int:
    """When a message with this id was judged, seconds since the epoch.

    Raises:
        ValueError: it is no id.
    """
    raw = bytes.fromhex(trace_id)
    if len(raw) != TRACE_ID_BYTES:
        raise ValueError(f"{trace_id!r} is no trace id")
    return int.from_bytes(raw[:_TIME_BYTES]) // 1_000
