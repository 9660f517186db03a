"""What makes two attempts the same message."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.builders import HeaderMap, a_transaction, fast, hostile_headers
from outgate.message.retry import retry_material
from outgate.model.transaction import Transaction

_BLOCK = (
    "Date: Tue, 3 Mar 2026 10:00:00 +0100\n"
    "Subject: Dinner on Friday\n"
    "Message-ID: <4711@client.example.com>"
)


class TestSameMessage:
    """What may differ between two attempts."""

    def test_a_retry_is_the_same(self) -> None:
        """The queue id is a new one each time."""
        first = a_transaction(_BLOCK, queue_id="4XyZ1a2b3c")
        second = a_transaction(_BLOCK, queue_id="4XyZ9z8y7x")
        assert retry_material(first) == retry_material(second)

    def test_order_and_brackets_of_recipients_are_nothing(self) -> None:
        """A client may sort them, and Postfix's local submission has no brackets."""
        first = a_transaction(_BLOCK, recipients=3)
        second = replace(
            first,
            sender=b"anne@example.com",
            recipients=[path.strip(b"<>") for path in reversed(first.recipients)],
        )
        assert retry_material(first) == retry_material(second)

    def test_folds_are_nothing(self) -> None:
        """A relay may fold a Subject anew."""
        first = a_transaction("Subject: Dinner on\n Friday")
        second = a_transaction("Subject: Dinner on Friday")
        assert retry_material(first) == retry_material(second)

    @pytest.mark.parametrize(
        "message_id",
        [
            "<20260303090000.4XyZ1a2b3c@mta.example.org>",  # Postfix
            "<202603030900.4XyZ1a2b3c@mta.example.org>",  # Sendmail
        ],
    )
    def test_a_message_id_of_the_mta_is_nothing(self, message_id: str) -> None:
        """It holds the queue id, so that the retry's is another one."""
        first = a_transaction(f"Message-ID: {message_id}", queue_id="4XyZ1a2b3c")
        second = a_transaction(
            f"Message-ID: {message_id.replace('4XyZ1a2b3c', '4XyZ9z8y7x')}",
            queue_id="4XyZ9z8y7x",
        )
        assert retry_material(first) == retry_material(second)

    def test_without_queue_id_no_message_id_counts(self) -> None:
        """Nobody knows who made it."""
        first = a_transaction("Message-ID: <1@a.example>", queue_id="")
        second = a_transaction("Message-ID: <2@a.example>", queue_id="")
        assert retry_material(first) == retry_material(second)


class TestOtherMessage:
    """What makes it another message."""

    @pytest.mark.parametrize(
        "other",
        [
            a_transaction(_BLOCK, sender=b"<mallory@example.com>"),
            a_transaction(_BLOCK, recipients=2),
            a_transaction(_BLOCK, body_digest=b"\x02" * 32),
            a_transaction(_BLOCK.replace("Friday", "Sunday")),
            a_transaction(_BLOCK.replace("10:00", "10:01")),
            a_transaction(_BLOCK.replace("4711@", "4712@")),
            a_transaction(_BLOCK + "\nSubject: another"),
            a_transaction(""),
            replace(a_transaction(_BLOCK), recipient_count=20_000),
        ],
    )
    def test_each_part_counts(self, other: Transaction) -> None:
        """Sender, recipients, body, Subject, Date and the client's Message-ID."""
        assert retry_material(other) != retry_material(a_transaction(_BLOCK))

    def test_a_queue_id_in_the_domain_is_a_coincidence(self) -> None:
        """Only the local part tells who made a Message-ID."""
        first = a_transaction("Message-ID: <1@4XyZ1a2b3c.example>")
        second = a_transaction("Message-ID: <2@4XyZ1a2b3c.example>")
        assert retry_material(first) != retry_material(second)

    @fast
    @given(
        st.lists(st.binary(max_size=6), max_size=3),
        st.lists(st.binary(max_size=6), max_size=3),
    )
    def test_no_two_sets_of_recipients_write_the_same(
        self, ours: list[bytes], theirs: list[bytes]
    ) -> None:
        """Lengths stand before the parts, so nothing runs into its neighbour."""
        one = replace(a_transaction(), recipients=[b"<%b>" % path for path in ours])
        two = replace(a_transaction(), recipients=[b"<%b>" % path for path in theirs])
        same = sorted(ours) == sorted(theirs)
        assert (retry_material(one) == retry_material(two)) is same


@fast
@given(hostile_headers, st.text(max_size=12))
def test_any_headers_have_an_identity(found: HeaderMap, queue_id: str) -> None:
    """Nothing is raised, and the identity depends on nothing else."""
    once = retry_material(a_transaction(found, queue_id=queue_id))
    again = retry_material(
        a_transaction({**found, "x-other": [b"x"]}, queue_id=queue_id)
    )
    assert once == again
