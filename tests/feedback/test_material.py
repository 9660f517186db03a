"""Real complaints and bounces, against what others read in them."""

from collections import Counter

import pytest

from feedback.material import CAUSES, content, every_message, table
from outgate.feedback.bounce import read_bounce
from outgate.feedback.complaint import read_complaint
from outgate.feedback.outcome import Outcome
from outgate.feedback.report import Unread, UnreadReport

pytestmark = pytest.mark.material

_FIELDS = (
    "feedback_type",
    "user_agent",
    "source_ip",
    "original_mail_from",
    "original_rcpt_to",
    "reported_domain",
)


class TestComplaints:
    """`arf_index.tsv`: fields as another parser read them."""

    def test_fields(self) -> None:
        """Equal, or filed with a reason; the index is empty where it read nothing."""
        read = Counter[str]()
        for row in table("arf_index.tsv"):
            try:
                report = read_complaint(content(row["file"]))
            except UnreadReport as error:
                read[error.reason] += 1
                continue
            read["read"] += 1
            found = {
                name: report.fields.first(name.replace("_", "-")) for name in _FIELDS
            }
            if row["feedback_type"]:
                assert found == {name: row[name] for name in _FIELDS}, row["file"]

        assert read == {"read": 20, Unread.UNREADABLE: 1}

    def test_feedback_types(self) -> None:
        """`sisimai_expected.tsv` names them."""
        rows = [
            row for row in table("vectors/sisimai_expected.tsv") if row["feedback_type"]
        ]
        found = {
            row["file_in_collection"]: read_complaint(
                content(row["file_in_collection"])
            ).feedback_type.value
            for row in rows
        }

        assert found == {
            row["file_in_collection"]: row["feedback_type"] for row in rows
        }


class TestBounces:
    """`sisimai_expected.tsv`: status and reason of each recipient."""

    def test_agreement(self) -> None:
        """Printed with `-s`; no less than when it was last looked at by a person."""
        tally = Counter[str]()
        expected: dict[str, list[dict[str, str]]] = {}
        for row in table("vectors/sisimai_expected.tsv"):
            name = row["file_in_collection"]
            if name.startswith("bounce/") and not row["feedback_type"]:
                expected.setdefault(name, []).append(row)
        for name, rows in expected.items():
            left = _outcomes(name)
            for row in rows:
                tally["rows"] += 1
                wanted = CAUSES.get(row["reason"], "other")
                if row["reason"] == "delivered":
                    wanted = ""
                best = next((one for one in left if _cause(one) == wanted), None)
                best = best or next(iter(left), None)
                if best is None:
                    continue
                left.remove(best)
                tally["recipient"] += 1
                tally["cause"] += _cause(best) == wanted
                tally["status"] += best.status == row["dsn_status"]
        print(dict(tally))  # noqa: T201 - the figures are what one runs it for

        assert tally["rows"] == 349
        assert tally["recipient"] >= 345
        assert tally["cause"] >= 290
        assert tally["status"] >= 260


def _outcomes(name: str) -> list[Outcome]:
    try:
        return list(read_bounce(content(name)).outcomes)
    except UnreadReport:
        return []


def _cause(outcome: Outcome) -> str:
    return outcome.cause.value if outcome.cause else ""


def test_no_message_breaks_them() -> None:
    """Of every real message, malformed ones too: a value, or one typed error."""
    count = 0
    for path in every_message():
        raw = path.read_bytes()
        for read in (read_complaint, read_bounce):
            try:
                read(raw)
            except UnreadReport:
                count += 1

    assert count


def test_people_and_lists_rarely_complain() -> None:
    """What is no report is filed: the few exceptions have a message attached."""
    read = Counter[str]()
    for path in every_message():
        if path.parent.name in {"personal", "list", "transactional"}:
            try:
                read[read_complaint(path.read_bytes()).format.value] += 1
            except UnreadReport:
                read["filed"] += 1
    print(dict(read))  # noqa: T201 - the figures are what one runs it for

    assert read["arf"] == read["jmrp"] == read["xarf"] == 0
