"""What became of a message: at the next hop, and in the log."""

from lab.outgate import Outgate
from lab.sink import Delivery, Sink
from lab.waiting import wait_until


def delivered(sink: Sink, subject: str) -> list[Delivery]:
    """What reached the next hop."""
    wanted = f"Subject: {subject}".encode()
    return [one for one in sink.messages if wanted in one.data]


def line_of(outgate: Outgate, queue_id: str | None) -> dict[str, str]:
    """The canonical line, once it is written."""
    wait_until(
        lambda: any(one.get("queue-id") == queue_id for one in outgate.messages()),
        f"the line of {queue_id}",
    )
    return outgate.message(queue_id or "")
