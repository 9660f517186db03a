"""The user who called sendmail."""

import pytest
from hypothesis import given

from message.builders import fast, headers, hostile_values
from outgate.message.local_user import sendmail_local_user

_SUBMITTED = (
    "Received: (from {user}@localhost)\n"
    "\tby host.example.org (8.17.1.9/8.17.1.9/Submit) id 5A1B2C3D4E5F;\n"
    "\tTue, 3 Mar 2026 10:00:00 GMT"
)
_RELAYED = (
    "Received: from client.example.com (client.example.com [192.0.2.1])\n"
    "\tby host.example.org (8.17.1.9/8.17.1.9) with ESMTP id 5A1B2C3D4E5E;\n"
    "\tTue, 3 Mar 2026 10:00:01 GMT"
)


class TestSendmail:
    """The Received line of submit.cf."""

    @pytest.mark.parametrize(
        "user", ["anne", "www-data", "root", "_apt", "A.Example", "x" * 32]
    )
    def test_its_user_is_read(self, user: str) -> None:
        """As it is spelt: user names have upper and lower case."""
        assert sendmail_local_user(headers(_SUBMITTED.format(user=user))) == user

    def test_it_may_name_a_recipient(self) -> None:
        """With one recipient Sendmail adds a for clause behind the id."""
        block = (
            "Received: (from anne@localhost) by mx (8.15.2/8.15.2/Submit) id x1\n"
            "\tfor bart@example.net; Tue, 3 Mar 2026 10:00:00 GMT"
        )
        assert sendmail_local_user(headers(block)) == "anne"

    def test_it_need_not_say_submit(self) -> None:
        """`/Submit` is Debian's name for submit.cf; others name their version only."""
        block = _SUBMITTED.format(user="anne").replace("/Submit", "")
        assert sendmail_local_user(headers(block)) == "anne"

    def test_only_the_topmost_line_counts(self) -> None:
        """What stands below came with the message."""
        block = f"{_RELAYED}\n{_SUBMITTED.format(user='root')}"
        assert sendmail_local_user(headers(block)) is None

    @pytest.mark.parametrize(
        "line",
        [
            _RELAYED,
            _SUBMITTED.format(user=""),
            _SUBMITTED.format(user="-rf"),
            _SUBMITTED.format(user="x" * 33),
            _SUBMITTED.format(user="anne example"),
            _SUBMITTED.format(user="anne").replace("localhost", "localhost.evil"),
            _SUBMITTED.format(user="anne").replace("(from", "x (from"),
            _SUBMITTED.format(user="anne").replace("by host.example.org ", ""),
            "Received:",
            "",
        ],
    )
    def test_any_other_line_names_nobody(self, line: str) -> None:
        """It is parsed strictly, since a name makes someone accountable."""
        assert sendmail_local_user(headers(line)) is None

    @fast
    @given(hostile_values)
    def test_any_bytes_are_read(self, value: bytes) -> None:
        """A name is a name, or there is none."""
        user = sendmail_local_user({"received": [value]})
        assert user is None or user == "anne"
