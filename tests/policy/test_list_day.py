"""What a message adds to its list's day, and what days add up to."""

from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgate.model.list_day import Compliance, weeks
from outgate.model.optin import Permission
from outgate.model.verdict import Mode
from outgate.policy.decision import Decision
from outgate.policy.list_day import list_day_of
from outgate.policy.questions import Source
from policy.builders import fast
from policy.test_permission import LIST, a_house, mail

KEY = ("choir", LIST)


class TestOneMessage:
    """Counted when it has gone or was stopped."""

    def test_all_covered(self) -> None:
        """Its headers are judged, too: One-Click is missing here."""
        found = list_day_of(a_house(known=50).judge(mail(50)))
        assert found == (
            KEY,
            {
                "messages": 1,
                "recipients": 50,
                "asserted": 50,
                "headers-fix": 1,
                "fault:post-missing": 1,
            },
        )

    def test_some_taken_out_and_some_gone(self) -> None:
        house = a_house(known=49, withdrawn=[3])
        assert counts_of(house.judge(mail(50))) == {
            "messages": 1,
            "recipients": 50,
            "asserted": 48,
            "withdrawn": 1,
            "unknown": 1,
            "removed": 2,
        }

    def test_what_is_held(self) -> None:
        assert counts_of(a_house(known=10).judge(mail(50)))["held"] == 1

    def test_what_is_refused(self) -> None:
        """Nobody else was left."""
        house = a_house(withdrawn=[0])
        assert counts_of(house.judge(mail(1)))["refused"] == 1

    def test_monitor_counts_what_left(self) -> None:
        """All of them got it."""
        found = counts_of(a_house(known=10, mode=Mode.MONITOR).judge(mail(50)))
        assert found["unknown"] == 40
        assert not {"held", "removed"} & found.keys()

    def test_other_mail_is_nobodys_day(self) -> None:
        house = a_house(known=2)
        other = mail(2, **{"List-Id": "<other.example.org>"})
        assert list_day_of(house.judge(other)) is None
        house.post.store.source = Source.LOCAL
        assert list_day_of(house.judge(mail(2))) is None


def counts_of(decision: Decision) -> Mapping[str, int]:
    found = list_day_of(decision)
    assert found is not None
    return {
        word: count
        for word, count in found[1].items()
        if not word.startswith(("headers-", "fault:"))
    }


class TestSums:
    """Days become weeks."""

    def test_coverage(self) -> None:
        one = Compliance({"recipients": 8, "asserted": 5, "paper": 1, "import": 2})
        assert one.covered == 6
        assert one.coverage_percent == pytest.approx(75)
        assert one.by_permission == {
            Permission.ASSERTED: 5,
            Permission.PAPER: 1,
            Permission.IMPORT: 2,
        }
        assert Compliance({}).coverage_percent is None

    def test_faults_most_often_first(self) -> None:
        one = Compliance({"fault:b": 1, "fault:c": 2, "fault:a": 1, "headers-fix": 3})
        assert one.faults == [("c", 2), ("a", 1), ("b", 1)]
        assert one.headers == {"fix": 3}

    @fast
    @given(st.dictionaries(st.dates(date(2026, 1, 1)), st.integers(1, 9), max_size=12))
    def test_no_day_is_lost_or_counted_twice(self, mails: dict[date, int]) -> None:
        """Weeks are seven days long, do not meet, and begin with the last day."""
        days = {day: Compliance({"messages": n}) for day, n in mails.items()}
        # Weeks without mail in a thousand years are walked through.
        near = {day: one for day, one in days.items() if (max(days) - day).days < 99}
        found = weeks(near)
        assert sum(one.sums.messages for one in found) == sum(
            one.messages for one in near.values()
        )
        assert all((one.last - one.first).days == 6 for one in found)
        assert [one.last for one in found] == sorted(
            {one.last for one in found}, reverse=True
        )
        if near:
            assert found[0].last == max(near)
