"""One message on its way out."""

import pytest

from outgate.model.identity import Path
from outgate.model.transaction import Session, Transaction


def test_a_transaction_begins_empty() -> None:
    """Two of one session share nothing but the session."""
    session = Session()
    one, other = Transaction(session=session), Transaction(session=session)
    one.recipients.append(b"<bart@example.net>")
    one.headers["subject"] = [b"x"]
    assert other.recipients == []
    assert other.headers == {}
    assert session.path is Path.SMTP


@pytest.mark.parametrize(
    ("declared", "headers", "body", "size"),
    [
        pytest.param(5000, 400, 100, 5000, id="declared: the body is not seen whole"),
        pytest.param(0, 400, 100, 500, id="seen, where nothing was declared"),
        pytest.param(1, 400, 100, 500, id="seen, where too little was declared"),
    ],
)
def test_the_size_is_the_larger_of_what_was_declared_and_seen(
    declared: int, headers: int, body: int, size: int
) -> None:
    """`SIZE=1` does not make a message small."""
    transaction = Transaction(
        session=Session(),
        declared_size_bytes=declared,
        header_bytes=headers,
        body_bytes=body,
    )
    assert transaction.size_bytes == size
