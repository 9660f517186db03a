"""A message in an MTA's queue, in the shape that `postqueue -j` prints (postqueue(1)).

Sendmail's queue is brought into the same shape, so that one test reads both. Two
differences remain: Sendmail's `queue_name` is "hold" where it quarantined and
"deferred" otherwise, and only Sendmail keeps a `reason` for the quarantine.
"""

from typing import NotRequired, TypedDict


class Recipient(TypedDict):
    """A recipient that is still to be served."""

    address: str
    delay_reason: NotRequired[str]


class Queued(TypedDict):
    """A queued message."""

    queue_name: str
    queue_id: str
    sender: str
    recipients: list[Recipient]
    message_size: int
    arrival_time: NotRequired[int]
    forced_expire: NotRequired[bool]
    reason: NotRequired[str]
