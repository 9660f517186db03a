"""Who is believed."""

import pytest

from outgate.complaints.reporter import Delivery, Reporter, judge_reporter
from outgate.model.address import parse_address
from outgate.model.complaint import Standing
from outgate.policy.complaint_settings import FeedbackLoopSettings

SECRET = "fbl-x7kq2m9z@example.org"
YAHOO = FeedbackLoopSettings(name="yahoo", sender=("yahoo.example",))
COMCAST = FeedbackLoopSettings(
    name="comcast",
    sender=("fbl@comcast.example",),
    verify="address",
    deliver_to=(SECRET,),
)
LOOPS = (YAHOO, COMCAST)
BELIEVED, STRANGER = Standing.ENROLLED, Standing.STRANGER


@pytest.mark.parametrize(
    ("sender", "to", "signed_by", "found"),
    [
        ("fb@arf.yahoo.example", "", ["yahoo.example"], Reporter(BELIEVED, "yahoo")),
        (
            "fb@arf.yahoo.example",
            "",
            ["arf.yahoo.example"],
            Reporter(BELIEVED, "yahoo"),
        ),
        # A parent of all of them, and somebody else's name.
        ("fb@yahoo.example", "", ["example"], Reporter(STRANGER)),
        ("fb@yahoo.example", "", ["evil.example"], Reporter(STRANGER)),
        ("fb@notyahoo.example", "", ["notyahoo.example"], Reporter(STRANGER)),
        ("fb@yahoo.example", "", [], Reporter(STRANGER)),
        ("fbl@comcast.example", SECRET, [], Reporter(BELIEVED, "comcast")),
        ("fbl@comcast.example", "abuse@example.org", [], Reporter(STRANGER)),
        ("other@comcast.example", SECRET, [], Reporter(STRANGER)),
        ("fbl@comcast.example", "", [], Reporter(STRANGER)),
    ],
)
def test_a_loop_has_to_be_proven(
    sender: str, to: str, signed_by: list[str], found: Reporter
) -> None:
    assert (
        judge_reporter(parse_address(sender), Delivery(to), LOOPS, signed_by) == found
    )


def test_a_customer_who_logged_in_is_believed() -> None:
    found = judge_reporter(None, Delivery(login="anne@example.org"), LOOPS, ())

    assert found == Reporter(Standing.CUSTOMER)
