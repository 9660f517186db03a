"""List-Ids that no header can have are errors."""

import pytest

from outgate.config.limit_checks import is_list_id


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("members.choir.example", True),
        ("Members.Choir.Example", True),
        ("m\u00fcsli.example", False),
        ("a\x1b[2J.example", False),
        ("<a.example>", False),
        ("a b.example", False),
        ("a" * 256, False),
        ("", False),
    ],
)
def test_what_a_header_can_have(text: str, good: bool) -> None:
    """Mail of any other list would not be known."""
    assert is_list_id(text) is good
