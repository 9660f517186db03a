"""Several messages of one mailing."""

import pytest

from message.builders import headers
from outgate.message.listcheck.campaign import CampaignNote, compare
from outgate.message.listcheck.check import ListCheck, check_list
from outgate.message.listcheck.note import Level

_POST = "List-Unsubscribe-Post: List-Unsubscribe=One-Click"


def _message(link: str, post: str = _POST) -> ListCheck:
    return check_list(
        headers(f"List-Id: <a.example.org>\nList-Unsubscribe: <{link}>\n{post}")
    )


@pytest.mark.parametrize(
    ("links", "shared"),
    [
        (["https://a.org/"] * 3, 3),
        (["https://a.org/"] * 3 + ["https://a.org/?t=4"], 3),
        (["https://a.org/"] * 2, 0),
        ([f"https://a.org/?t={token}" for token in range(4)], 0),
        (["mailto:leave@a.org"] * 3, 0),
    ],
)
def test_a_link_of_three_recipients_tells_none(links: list[str], shared: int) -> None:
    """RFC 8058 §3.1: it has to identify the recipient."""
    checks = compare([_message(link) for link in links])
    hit = [
        one
        for one in checks
        if any(remark.note is CampaignNote.LINK_SHARED for remark in one.remarks)
    ]
    assert len(hit) == shared
    assert all(one.level is Level.BAD for one in hit)


def test_without_one_click_a_shared_page_is_fine() -> None:
    """There the recipient says who he is."""
    before = [_message("https://a.org/", post="") for _ in range(3)]
    assert compare(before) == tuple(before)
