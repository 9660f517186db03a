"""Each format by the traps that its product is known for: one row, its grade and flags."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from evidence.builders import imported, judged, one_judged, written
from outgate.evidence.format import Shape
from outgate.evidence.formats import FORMATS
from outgate.evidence.judge import Judged
from outgate.evidence.moments import ZoneMissing, in_offset
from outgate.model.errors import SourceError


@dataclass(frozen=True)
class Trap:
    """One row of a product, and what it is worth.

    Attributes:
        flags: words, as a report prints them.
    """

    kind: str
    name: str
    head: str
    row: str
    grade: str
    flags: str = ""
    tz: str = ""


_PLAIN = "address,method,confirm-time,confirm-ip,signup-time,signup-ip,status\n"
_ANNE = "anne@example.net"
_AT = "2026-03-14T09:26:53+01:00"
_MAILCHIMP = (
    "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,"
    "GMTOFF,DSTOFF,TIMEZONE,LAST_CHANGED,LEID,EUID,NOTES\n"
)
_LISTMONK = "email,list,optin,status,optin_ip,created_at,updated_at\n"
_MAILPOET = (
    "\ufeffEmail,First name,Last name,Subscription IP,Subscription time,"
    "Confirmation time,Confirmation IP,List status,Global status,List\n"
)
_MAILPOET_SQL = (
    "email\tstatus\tsource\tcreated_at\tsubscribed_ip\tconfirmed_at\tconfirmed_ip\tlist"
    "\tlist_status\tlist_created_at\n"
)
_PHPLIST = (
    "email,list,confirmed,optedin,blacklisted,subscribed,subscribed_ip,confirmed_time,"
    "confirmed_ip,detail,imported\n"
)
_SENDY = (
    "email,list,join_date,timestamp,confirmed,ip,method,added_via,unsubscribed,bounced,"
    "complaint\n"
)
_MAUTIC = "email,list,date_submitted_utc,ip_address,confirm_time_utc,confirm_ip\n"
_CIVI = "email,list,date,method,status,tracking\n"
_BOTH = "2026-03-14 09:20:01,198.51.100.7,2026-03-14 09:26:53,198.51.100.7"

TRAPS = [
    Trap("csv", "whole", _PLAIN, f"{_ANNE},coi-web,{_AT},198.51.100.7", "asserted"),
    Trap("csv", "no ip", _PLAIN, f"{_ANNE},coi,{_AT},", "import", "no-ip"),
    Trap(
        "csv",
        "address only",
        "email\n",
        _ANNE,
        "import",
        "no-confirmation no-ip",
    ),
    Trap(
        "csv",
        "an import that says so",
        _PLAIN,
        f"{_ANNE},import,{_AT},198.51.100.7",
        "import",
        "added-by-owner",
    ),
    Trap(
        "csv",
        "confirmed before signed up",
        _PLAIN,
        f"{_ANNE},coi,{_AT},198.51.100.7,2026-03-14T08:26:54Z",
        "import",
        "confirm-before-signup",
    ),
    Trap(
        "csv",
        "in the future",
        _PLAIN,
        f"{_ANNE},coi,2027-03-14T09:26:53Z,198.51.100.7",
        "import",
        "confirm-in-future",
    ),
    Trap(
        "csv",
        "an hour that was there twice",
        _PLAIN,
        f"{_ANNE},coi,2025-10-26 02:30:00,198.51.100.7",
        "asserted",
        "ambiguous-hour",
        tz="Europe/Vienna",
    ),
    Trap(
        "csv",
        "an hour that never was",
        _PLAIN,
        f"{_ANNE},coi,2026-03-29 02:30:00,198.51.100.7",
        "import",
        "missing-hour",
        tz="Europe/Vienna",
    ),
    Trap(
        "csv",
        "an office",
        _PLAIN,
        f"info@example.net,coi,{_AT},198.51.100.7",
        "asserted",
        "role-account",
    ),
    Trap("csv", "pending", _PLAIN, f"{_ANNE},coi,,,,,pending", "none", "pending"),
    Trap(
        "csv",
        "too old",
        _PLAIN,
        f"{_ANNE},coi,1970-01-01T00:00:01Z,198.51.100.7",
        "import",
        "too-old",
    ),
    Trap(
        "ndjson",
        "whole, nested",
        "",
        f'{{"addr": "{_ANNE}", "method": "coi-web", "confirm": '
        f'{{"time": "{_AT}", "ip": "198.51.100.7"}}}}',
        "asserted",
    ),
    Trap(
        "mailchimp",
        "whole",
        _MAILCHIMP,
        f"{_ANNE},Anne,2,{_BOTH},-5,-4,America/New_York,2026-03-14 09:26:53,1,ab,",
        "asserted",
        tz="Europe/Vienna",
    ),
    Trap(
        "mailchimp",
        "an import of the owner",
        _MAILCHIMP,
        f'{_ANNE},Anne,2,"","","2016-04-18 13:51:14","",,,,"2016-04-18 13:51:14",1,ab,',
        "import",
        "confirm-is-import no-ip no-signup",
        tz="UTC",
    ),
    Trap(
        "mailchimp",
        "an import with the owner's address",
        _MAILCHIMP,
        f"{_ANNE},Anne,2,,,2016-04-18 13:51:14,198.51.100.7,,,,2016-04-18 13:51:14,1,,",
        "import",
        "confirm-is-import no-signup",
        tz="UTC",
    ),
    Trap(
        "mailchimp",
        "both at once",
        _MAILCHIMP,
        f"{_ANNE},Anne,2,2016-04-18 13:51:14,198.51.100.7,2016-04-18 13:51:14,"
        "198.51.100.7,,,,2019-01-01 00:00:00,1,,",
        "import",
        "confirm-is-import",
        tz="UTC",
    ),
    Trap(
        "mailchimp",
        "unsubscribed",
        "Email Address,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,UNSUB_TIME\n",
        f"{_ANNE},{_BOTH},2026-04-01 00:00:00",
        "none",
        "unsubscribed",
        tz="UTC",
    ),
    Trap(
        "mailchimp-api",
        "whole",
        "",
        f'{{"members":[{{"email_address":"{_ANNE}","status":"subscribed",'
        '"ip_signup":"198.51.100.7","timestamp_signup":"2026-03-14T08:20:01+00:00",'
        '"ip_opt":"198.51.100.7","timestamp_opt":"2026-03-14T08:26:53+00:00",'
        '"last_changed":"2026-03-14T08:26:53+00:00","source":"Hosted Signup Form"}]}',
        "asserted",
    ),
    Trap(
        "mailchimp-api",
        "an import",
        "",
        f'{{"email_address":"{_ANNE}","status":"subscribed","ip_signup":"",'
        '"timestamp_signup":"","ip_opt":"198.51.100.7",'
        '"timestamp_opt":"2026-03-14T08:26:53+00:00",'
        '"last_changed":"2026-03-14T08:26:53+00:00","source":"Import from CSV"}',
        "import",
        "added-by-owner confirm-is-import no-signup",
    ),
    Trap(
        "listmonk",
        "whole",
        _LISTMONK,
        f"{_ANNE},news,double,confirmed,198.51.100.7,2026-03-14 09:20:01+01,"
        "2026-03-14 09:26:53.199433+01",
        "asserted",
    ),
    Trap(
        "listmonk",
        "no address, as by default",
        _LISTMONK,
        f"{_ANNE},news,double,confirmed,,2026-03-14 09:20:01+01,2026-03-14 09:26:53+01",
        "import",
        "no-ip",
    ),
    Trap(
        "listmonk",
        "IPv6, cut",
        _LISTMONK,
        f"{_ANNE},news,double,confirmed,[2001,2026-03-14 09:20:01+01,"
        "2026-03-14 09:26:53+01",
        "import",
        "not-an-ip",
    ),
    Trap(
        "listmonk",
        "through proxies",
        _LISTMONK,
        f'{_ANNE},news,double,confirmed,"10.1.1.1, 198.51.100.7",'
        "2026-03-14 09:20:01+01,2026-03-14 09:26:53+01",
        "asserted",
        "forwarded-ip",
    ),
    Trap(
        "listmonk",
        "single opt-in",
        _LISTMONK,
        f"{_ANNE},news,single,unconfirmed,,2026-03-14 09:20:01+01,"
        "2026-03-14 09:20:01+01",
        "import",
        "no-confirmation no-ip single-opt-in",
    ),
    Trap(
        "listmonk",
        "not confirmed",
        _LISTMONK,
        f"{_ANNE},news,double,unconfirmed,,2026-03-14 09:20:01+01,"
        "2026-03-14 09:20:01+01",
        "none",
        "pending",
    ),
    Trap(
        "listmonk",
        "confirmed by an administrator",
        _LISTMONK,
        f"{_ANNE},news,double,confirmed,198.51.100.7,2026-03-14 09:20:01+01,"
        "2026-03-14 09:20:01+01",
        "import",
        "confirm-is-import",
    ),
    Trap(
        "listmonk",
        "meta as it is in the table",
        "email,list,optin,status,meta,created_at,updated_at\n",
        f'{_ANNE},news,double,confirmed,"{{""optin_ip"": ""198.51.100.7""}}",'
        "2026-03-14 09:20:01+01,2026-03-14 09:26:53+01",
        "asserted",
    ),
    Trap(
        "listmonk-api",
        "whole",
        "",
        f'{{"data":{{"results":[{{"id":1,"email":"{_ANNE}","status":"enabled","lists":'
        '[{"id":3,"name":"news","optin":"double","subscription_status":"confirmed",'
        '"subscription_meta":{"optin_ip":"198.51.100.7"},'
        '"subscription_created_at":"2026-03-14T09:20:01.199433+01:00",'
        '"subscription_updated_at":"2026-03-14T09:26:53.199433+01:00"}]}],"total":1}}',
        "asserted",
    ),
    Trap(
        "mailpoet",
        "whole",
        _MAILPOET,
        f"{_ANNE},Anne,,198.51.100.7,2026-03-14 09:20:01,2026-03-14 09:26:53,"
        "198.51.100.7,Subscribed,Subscribed,news",
        "asserted",
        tz="UTC",
    ),
    Trap(
        "mailpoet",
        "not confirmed",
        _MAILPOET,
        f"{_ANNE},Anne,,198.51.100.7,2026-03-14 09:20:01,,,Subscribed,Unconfirmed,news",
        "none",
        "pending",
        tz="UTC",
    ),
    Trap(
        "mailpoet-sql",
        "a list that came later",
        _MAILPOET_SQL,
        f"{_ANNE}\tsubscribed\tform\t2026-03-14 09:20:01\t198.51.100.7\t"
        "2026-03-14 09:26:53\t198.51.100.7\tnews\tsubscribed\t2026-05-01 00:00:00",
        "import",
        "confirmed-other-list",
        tz="UTC",
    ),
    Trap(
        "mailpoet-sql",
        "added by an administrator",
        _MAILPOET_SQL,
        f"{_ANNE}\tsubscribed\tadministrator\t2026-03-14 09:20:01\tNULL\t"
        "2026-03-14 09:26:53\tNULL\tnews\tsubscribed\t2026-03-14 09:20:01",
        "import",
        "added-by-owner no-ip no-signup",
        tz="UTC",
    ),
    Trap(
        "phplist",
        "whole",
        _PHPLIST,
        f"{_ANNE},news,1,1,0,2026-03-14 09:20:01,198.51.100.7,2026-03-14 09:26:53,"
        "198.51.100.7,Lists: * news,0",
        "asserted",
        tz="Europe/Vienna",
    ),
    Trap(
        "phplist",
        "made confirmed by an administrator",
        _PHPLIST,
        f"{_ANNE},news,1,0,0,2026-03-14 09:20:01,198.51.100.7,NULL,NULL,NULL,0",
        "import",
        "added-by-owner no-confirmation no-ip",
        tz="Europe/Vienna",
    ),
    Trap(
        "phplist",
        "a second list",
        _PHPLIST,
        f"{_ANNE},choir,1,1,0,2026-03-14 09:20:01,198.51.100.7,2026-03-14 09:26:53,"
        "198.51.100.7,Lists: * news,0",
        "import",
        "confirmed-other-list",
        tz="Europe/Vienna",
    ),
    Trap(
        "mailman3",
        "member",
        "",
        f'{{"start":0,"entries":[{{"email":"{_ANNE}","list_id":"news.choir.example",'
        '"role":"member","subscription_mode":"as_address"}],"total_size":1}',
        "import",
        "no-confirmation no-ip proves-nothing",
    ),
    Trap(
        "sendy",
        "double opt-in",
        _SENDY,
        f"{_ANNE},news,1773476401,1773476813,1,198.51.100.7,2,3,0,0,0",
        "asserted",
    ),
    Trap(
        "sendy",
        "confirmed by default",
        _SENDY,
        f"{_ANNE},news,1773476401,1773476813,1,198.51.100.7,1,1,0,0,0",
        "import",
        "added-by-owner single-opt-in",
    ),
    Trap(
        "sendy",
        "a schema without method",
        "email,list,timestamp,confirmed,method\n",
        f"{_ANNE},news,1773476813,1,",
        "import",
        "no-ip single-opt-in",
    ),
    Trap(
        "mautic",
        "a form alone",
        _MAUTIC,
        f"{_ANNE},news,2026-03-14 08:20:01,198.51.100.7,,",
        "import",
        "no-confirmation no-ip single-opt-in",
    ),
    Trap(
        "mautic",
        "with a click that confirms",
        _MAUTIC,
        f"{_ANNE},news,2026-03-14 08:20:01,198.51.100.7,2026-03-14 08:26:53,198.51.100.7",
        "asserted",
    ),
    Trap(
        "brevo",
        "no address of a client",
        "EMAIL;ADDED_TIME;MODIFIED_TIME;_listIds;DOUBLE_OPT-IN\n",
        f"{_ANNE};14-03-2026 09:26:53;14-03-2026 09:26:53;3;1",
        "import",
        "no-confirmation no-ip proves-nothing",
    ),
    Trap(
        "civicrm",
        "added by an administrator",
        _CIVI,
        f"{_ANNE},news,2026-03-14 08:26:53,Admin,Added,198.51.100.7",
        "import",
        "added-by-owner",
        tz="UTC",
    ),
    Trap(
        "sympa",
        "a dump alone",
        "",
        f"date 1773476401\nemail {_ANNE}\nsubscribed 1\nupdate_date 1773476813\n",
        "import",
        "no-ip",
    ),
    Trap(
        "sympa",
        "from another data source",
        "",
        f"date 1773476401\nemail {_ANNE}\ninclusion 1773476401\n",
        "import",
        "added-by-owner no-ip",
    ),
]


def words(row: Judged) -> str:
    return " ".join(row.flags)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda one: f"{one.kind}: {one.name}")
def test_a_row_is_worth_what_it_proves(tmp_path: Path, trap: Trap) -> None:
    """With every flag that it deserves, and no other."""
    file = written(tmp_path, f"{trap.head}{trap.row}\n")

    row = one_judged(trap.kind, file, tz=trap.tz)

    assert (row.grade.value, words(row)) == (trap.grade, trap.flags)
    assert row.row.address.endswith("@example.net")


def test_every_format_has_a_row_here() -> None:
    """Mailman 2's needs two lines, below."""
    assert {one.name for one in FORMATS} - {trap.kind for trap in TRAPS} == {"mailman2"}


@pytest.mark.parametrize(
    "trap", [one for one in TRAPS if one.tz], ids=lambda one: f"{one.kind}: {one.name}"
)
def test_without_a_zone_it_is_refused(tmp_path: Path, trap: Trap) -> None:
    """The whole file, before anything is registered."""
    file = written(tmp_path, f"{trap.head}{trap.row}\n")

    with pytest.raises(ZoneMissing):
        judged(trap.kind, file)
    with pytest.raises(SourceError, match=r"the time says no zone, and so in 1 of 1"):
        imported(trap.kind, file)


@pytest.mark.parametrize(
    "kind",
    [one for one in FORMATS if one.shape is Shape.TABLE],
    ids=lambda one: one.name,
)
def test_a_table_of_something_else_is_refused(tmp_path: Path, kind: object) -> None:
    """With the column that is missing, and those that are there."""
    file = written(tmp_path, "uuid,name,attributes,created\n1,Anne,{},x\n")

    with pytest.raises(
        SourceError, match=r"row 1: no column .* the header has uuid, n"
    ):
        imported(kind.name, file)  # type: ignore[attr-defined]


class TestMailman2:
    """Two lines of a log are one subscription."""

    HEAD = "Mar 14 09:20:01 2026 (411) news:"
    LATER = "Mar 14 09:26:53 2026 (411) news:"

    def rows(self, tmp_path: Path, *lines: str) -> list[Judged]:
        file = written(tmp_path, "".join(f"{line}\n" for line in lines))
        return judged("mailman2", file, tz="Europe/Vienna")

    def test_a_confirmation_on_the_web(self, tmp_path: Path) -> None:
        """The address is that of whoever asked, two spaces behind the name."""
        (row,) = self.rows(
            tmp_path,
            f"{self.HEAD} pending Anne, of the choir <{_ANNE}>  198.51.100.7",
            f"{self.LATER} new Anne, of the choir <{_ANNE}>, via web confirmation",
        )

        assert (row.grade.value, words(row)) == ("asserted", "")
        assert row.row.confirm is not None
        assert in_offset(row.row.confirm).isoformat() == _AT
        assert row.row.line == 2

    def test_a_confirmation_by_mail(self, tmp_path: Path) -> None:
        """Who asked on the web has an address, who asked by mail has none."""
        web, mail = self.rows(
            tmp_path,
            f"{self.HEAD} pending {_ANNE}  198.51.100.7",
            f"{self.HEAD} pending bob@example.net  bob@example.net",
            f"{self.LATER} new (digest) {_ANNE}, via email confirmation",
            f"{self.LATER} new bob@example.net, via email confirmation",
        )

        assert (web.grade.value, words(web)) == ("asserted", "confirmed-by-mail")
        assert words(mail) == "confirmed-by-mail no-ip"

    def test_mass_subscriptions_prove_nothing(self, tmp_path: Path) -> None:
        """Nor does what an open list, or `add_members`, writes."""
        rows = self.rows(
            tmp_path,
            f"{self.LATER} new {_ANNE}, admin mass sub",
            f"{self.LATER} new bob@example.net, ",
            f"{self.LATER} new carol@example.net, admin sync members",
        )

        assert [words(row) for row in rows] == ["added-by-owner no-ip"] * 3

    def test_what_was_asked_too_long_ago_is_another_request(
        self, tmp_path: Path
    ) -> None:
        """A request to confirm lives three days."""
        (row,) = self.rows(
            tmp_path,
            f"Mar  1 09:20:01 2026 (411) news: pending {_ANNE}  198.51.100.7",
            f"{self.LATER} new {_ANNE}, via web confirmation",
        )

        assert words(row) == "no-ip"

    def test_requests_of_another_list_do_not_count(self, tmp_path: Path) -> None:
        """A name is confirmed for one list."""
        (row,) = self.rows(
            tmp_path,
            f"Mar 14 09:20:01 2026 (411) other: pending {_ANNE}  198.51.100.7",
            f"{self.LATER} new {_ANNE}, via web confirmation",
        )

        assert words(row) == "no-ip"

    def test_who_left_is_told(self, tmp_path: Path) -> None:
        """So that it ends what was before; other lines are passed over."""
        (row,) = self.rows(
            tmp_path,
            f"{self.HEAD} unheard of",
            f"{self.LATER} deleted {_ANNE}; via the member options page",
        )

        assert words(row) == "unsubscribed"
        assert row.row.left is not None

    def test_parts_of_a_log_belong_together(self, tmp_path: Path) -> None:
        """Logs are rotated at night."""
        first = written(
            tmp_path, f"{self.HEAD} pending {_ANNE}  198.51.100.7\n", "subscribe.1"
        )
        second = written(
            tmp_path, f"{self.LATER} new {_ANNE}, via web confirmation\n", "subscribe"
        )

        report = imported("mailman2", first, second, tz="Europe/Vienna")

        assert report.grades == {"asserted": 1}


class TestCiviCrm:
    """Two rows of the history are one subscription."""

    @pytest.mark.parametrize(
        ("first", "second", "flags"),
        [
            ("198.51.100.7", "NULL", ""),
            ("NULL", "198.51.100.7", ""),
            ("NULL", "NULL", "no-ip"),
            ("Campaign 3", "NULL", "not-an-ip"),
        ],
    )
    def test_pending_and_added_by_mail(
        self, tmp_path: Path, first: str, second: str, flags: str
    ) -> None:
        """`tracking` of either may be the client, or something else."""
        text = (
            f"{_CIVI}{_ANNE},news,2026-03-14 08:20:01,Web,Pending,{first}\n"
            f"{_ANNE},news,2026-03-14 08:26:53,Email,Added,{second}\n"
        )

        row = one_judged("civicrm", written(tmp_path, text), tz="UTC")

        assert words(row) == flags


class TestSympa:
    """A dump, and logs that complete it."""

    LOGS = (
        "date_logs,list_logs,action_logs,target_email_logs,user_email_logs,status_logs,"
        "client_logs,daemon_logs\n"
    )

    @pytest.mark.parametrize(
        ("log", "grade", "flags"),
        [
            (
                f"1773476813,news,subscribe,,{_ANNE},success,198.51.100.7,wwsympa",
                "A",
                "",
            ),
            (
                f"1773476813,news,subscribe,{_ANNE},,success,,sympa_msg",
                "I",
                "confirmed-by-mail no-ip",
            ),
            (
                f"1773476813,news,add,{_ANNE},owner@example.net,success,192.0.2.1,wwsympa",
                "I",
                "added-by-owner no-ip",
            ),
            (
                f"1773476813,news,subscribe,{_ANNE},,error,198.51.100.7,wwsympa",
                "I",
                "no-ip",
            ),
            (
                (
                    f"1773476814,news,subscribe,{_ANNE},,success,198.51.100.7,wwsympa\n"
                    f"1773476813,news,add,{_ANNE},,success,198.51.100.9,wwsympa"
                ),
                "A",
                "",
            ),
        ],
    )
    def test_the_last_thing_that_happened_counts(
        self, tmp_path: Path, log: str, grade: str, flags: str
    ) -> None:
        """On the web with its client, by mail without, by an owner not at all."""
        dump = written(tmp_path, f"email {_ANNE}\ndate 1773476401\n\n", "member.dump")
        logs = written(tmp_path, f"{self.LOGS}{log}\n", "logs.csv")

        row = one_judged("sympa", dump, logs=[logs])

        assert (row.grade.value[0].upper(), words(row)) == (grade, flags)


def test_a_mailchimp_archive_has_three_kinds_of_people(tmp_path: Path) -> None:
    """Whoever left, leaves the registry as well."""
    import io
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(
            "subscribed_members.csv",
            f"{_MAILCHIMP}{_ANNE},Anne,2,{_BOTH},,,,2026-03-14 09:26:53,1,,\n",
        )
        archive.writestr(
            "unsubscribed_members.csv",
            "Email Address,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,UNSUB_TIME\n"
            f"bob@example.net,{_BOTH},2026-04-01 00:00:00\n",
        )
        archive.writestr(
            "cleaned_members.csv",
            "Email Address,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,CLEAN_TIME\n"
            f"carol@example.net,{_BOTH},2026-04-01 00:00:00\n",
        )

    report = imported("mailchimp", written(tmp_path, out.getvalue()), tz="UTC")

    assert report.grades == {"asserted": 1, "none": 2}
    assert (report.registered, report.withdrawn) == (1, 2)


@pytest.mark.parametrize("kind", FORMATS, ids=lambda one: one.name)
def test_every_format_says_what_it_is_worth(kind: object) -> None:
    """For the manual, and in words that the registry takes."""
    import re

    assert re.fullmatch(r"[a-z0-9.-]{1,10}", kind.source)  # type: ignore[attr-defined]
    assert kind.export.endswith(".")  # type: ignore[attr-defined]
    assert kind.worth.endswith(".")  # type: ignore[attr-defined]
