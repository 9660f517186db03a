"""From files to consents: what is refused, rejected, resumed and never lost."""

import json
import stat
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.builders import LIST, Kept, imported, order, written
from outgate.evidence import importing
from outgate.evidence.folders import Folder
from outgate.evidence.formats import BY_NAME, FORMATS
from outgate.evidence.importing import Outlets, run
from outgate.evidence.progress import ProgressFile
from outgate.model.errors import SourceError, StartError, StoreUnavailable
from outgate.model.optin import Method, State, ZoneSource, commitment_of

HEAD = "address,list,method,confirm-time,confirm-ip,status,left-time\n"


def plain(directory: Path, *rows: str, name: str = "export") -> Path:
    return written(directory, HEAD + "".join(f"{row}\n" for row in rows), name)


def whole(person: str, second: int, ip: str = "198.51.100.7") -> str:
    return f"{person}@example.net,,coi-web,2026-03-14T09:26:{second:02}+01:00,{ip}"


def test_a_whole_row_becomes_a_consent_that_can_be_shown(tmp_path: Path) -> None:
    """The commitment is of evidence that says everything, under a salt."""
    kept = Kept()

    imported("csv", plain(tmp_path, whole("Anne+list", 53)), kept=kept)

    (one,) = kept.optins
    record = one.record
    assert (one.customer, one.list_id, one.mailbox) == (
        "choir",
        LIST,
        "anne@example.net",
    )
    assert (record.grade.value, record.method, record.zone) == (
        "asserted",
        Method.COI_WEB,
        ZoneSource.EXPLICIT,
    )
    assert (record.time_us, record.offset_minutes) == (1_773_476_813_000_000, 60)
    assert record.commitment == commitment_of(one.evidence)
    evidence = json.loads(one.evidence)
    assert evidence["confirm.time"] == "2026-03-14T09:26:53+01:00"
    assert evidence["confirm.ip"] == "198.51.100.7"
    assert (evidence["source.line"], evidence["source.software"]) == (2, "csv")
    assert len(evidence["salt"]) == 22


def test_the_same_file_gives_the_same_evidence(tmp_path: Path) -> None:
    """So that importing it twice changes nothing."""
    file = plain(tmp_path, whole("anne", 53))
    first, second = Kept(), Kept()

    imported("csv", file, kept=first)
    imported("csv", file, kept=second)

    assert first.optins == second.optins


def test_an_import_is_kept_without_evidence(tmp_path: Path) -> None:
    """There is nothing to be shown; a time that nobody believes is no time."""
    kept = Kept()
    rows = (
        "anne@example.net,,coi,2026-03-14T09:26:53Z,",
        "bob@example.net,,coi,2027-03-14T09:26:53Z,198.51.100.7",
    )

    imported("csv", plain(tmp_path, *rows), kept=kept)

    anne, bob = kept.optins
    assert (anne.record.grade.value, anne.record.method) == ("import", Method.IMPORT)
    assert anne.record.time_us == 1_773_480_413_000_000
    assert (bob.record.time_us, bob.record.zone) == (None, ZoneSource.UNKNOWN)
    assert anne.evidence == bob.evidence == b""


def test_who_left_is_withdrawn_where_it_is_known_when(tmp_path: Path) -> None:
    """Without a time nobody knows what it ends; nothing is registered then."""
    kept = Kept()
    rows = (
        "anne@example.net,,coi,,,unsubscribed,2026-03-14T09:26:53Z",
        "bob@example.net,,coi,,,unsubscribed,",
        "carol@example.net,,coi,,,pending,",
    )

    report = imported("csv", plain(tmp_path, *rows), kept=kept)

    (one,) = kept.optins
    assert (one.mailbox, one.record.state) == ("anne@example.net", State.WITHDRAWN)
    assert (report.registered, report.withdrawn) == (0, 1)
    assert report.grades == {"none": 3}


@pytest.mark.parametrize("many", [2, 3])
def test_one_client_in_one_second_is_an_import(tmp_path: Path, many: int) -> None:
    """All of them, the first one, too; others in that second are not meant."""
    rows = [whole(f"person{number}", 53) for number in range(many)]
    file = plain(tmp_path, *rows, whole("anne", 53, "192.0.2.1"), whole("bob", 54))

    report = imported("csv", file)

    assert report.flags == {"same-ip-and-second": many}
    assert report.grades == {"import": many, "asserted": 2}


def test_one_person_in_one_second_is_one_person(tmp_path: Path) -> None:
    """Exports have a row for each list."""
    file = plain(tmp_path, whole("anne", 53), whole("ANNE", 53))

    assert imported("csv", file).grades == {"asserted": 2}


def test_addresses_of_the_list_host_are_no_subscribers(tmp_path: Path) -> None:
    """A form that notes the server's own address."""
    file = plain(tmp_path, whole("anne", 53, "203.0.113.9"), whole("bob", 53))

    report = imported("csv", file, own=[ip_network("203.0.113.0/24")])

    assert report.flags == {"own-ip": 1}


class TestLists:
    """A file that speaks of several lists."""

    ROWS = (
        "anne@example.net,News,coi,2026-03-14T09:26:53Z,198.51.100.7",
        "bob@example.net,Choir,coi,2026-03-14T09:26:53Z,198.51.100.8",
    )

    def test_one_must_be_chosen(self, tmp_path: Path) -> None:
        """Or subscribers of one would be registered for another."""
        with pytest.raises(SourceError, match="several lists; say by --source-list"):
            imported("csv", plain(tmp_path, *self.ROWS))

    def test_rows_of_others_are_passed_over(self, tmp_path: Path) -> None:
        """Whatever the case of letters."""
        kept = Kept()

        report = imported(
            "csv", plain(tmp_path, *self.ROWS), kept=kept, source_list="news"
        )

        assert [one.mailbox for one in kept.optins] == ["anne@example.net"]
        assert report.passed_over == 1

    def test_the_list_id_itself_needs_no_choice(self, tmp_path: Path) -> None:
        """Where the source uses it, too."""
        rows = (*self.ROWS, f"carol@example.net,{LIST},coi,2026-03-14T09:26:53Z,::2")
        kept = Kept()

        imported("csv", plain(tmp_path, *rows), kept=kept)

        assert [one.mailbox for one in kept.optins] == ["carol@example.net"]

    def test_a_name_that_is_not_there_is_an_error(self, tmp_path: Path) -> None:
        """A slip must not import nothing and be called done."""
        with pytest.raises(SourceError, match=r"has no list 'nws'; say .* 'Choir', 'N"):
            imported("csv", plain(tmp_path, *self.ROWS), source_list="nws")


class TestRejects:
    """One bad row never stops the rest, and never is lost."""

    ROWS = (
        whole("anne", 1),
        "bob@example.net,,coi,2026-03-14,198.51.100.7",
        '"carol@example.net,,coi,2026-03-14T09:26:53Z,198.51.100.7',
        "dave,,coi,2026-03-14T09:26:53Z,198.51.100.7",
        whole("eve", 2),
    )

    def test_they_can_be_mended_and_brought_again(self, tmp_path: Path) -> None:
        """In the shape of their file, with the reason."""
        file, rejects, kept = plain(tmp_path, *self.ROWS), tmp_path / "rejects", Kept()

        report = imported("csv", file, rejects=rejects, kept=kept)

        assert (report.rows, report.rejected, len(kept.optins)) == (5, 3, 2)
        assert [reason.partition(":")[0] for reason in report.reasons] == [
            "3",
            "4",
            "5",
        ]
        text = rejects.read_text()
        assert text.startswith(f"reject-reason,{HEAD}")
        assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
        mended = (
            text.replace("2026-03-14,", "2026-03-14T09:26:54Z,")
            .replace('"carol', "carol")
            .replace('198.51.100.7"', "198.51.100.7")
            .replace("dave", "dave@example.net")
        )

        again = imported("csv", written(tmp_path, mended, "mended"), kept=kept)

        assert (again.rows, again.rejected) == (3, 0)
        assert len(kept.optins) == 5

    def test_what_is_there_is_not_overwritten(self, tmp_path: Path) -> None:
        """It may hold rows of another import, or be the file itself."""
        file = plain(tmp_path, *self.ROWS)

        with pytest.raises(StartError, match="cannot be written: File exists"):
            imported("csv", file, rejects=file)

    def test_texts_with_other_headers_have_files_of_their_own(
        self, tmp_path: Path
    ) -> None:
        """A header stands once, at the beginning."""
        first = written(tmp_path, "email\nanne\n", "first")
        second = written(tmp_path, "email;ip\nbob\n", "second")

        imported("csv", first, second, rejects=tmp_path / "rejects")

        assert "anne" in (tmp_path / "rejects").read_text()
        assert "bob" in (tmp_path / "rejects.2").read_text()

    @pytest.mark.parametrize(
        ("kind", "text"),
        [
            ("ndjson", '{"address": "anne", "n": 1}\n'),
            ("sympa", "email anne\ndate 1773476401\n\n"),
            ("mailman2", "Mar 14 09:26:53 2026 (1) news: new anne, admin mass sub\n"),
        ],
    )
    def test_other_shapes(self, tmp_path: Path, kind: str, text: str) -> None:
        """Mended, they are rows again."""
        rejects = tmp_path / "rejects"
        imported(kind, written(tmp_path, text), rejects=rejects, tz="UTC")
        mended = rejects.read_text()
        for before in ('"address": "', "email ", "new "):
            mended = mended.replace(f"{before}anne", f"{before}anne@example.net")
        kept = Kept()

        report = imported(kind, written(tmp_path, mended, "m"), kept=kept, tz="UTC")

        assert (report.rows, report.rejected) == (1, 0)
        assert [one.mailbox for one in kept.optins] == ["anne@example.net"]


class TestResuming:
    """An import that was stopped goes on, and ends as if it had not been."""

    @pytest.fixture(autouse=True)
    def small_batches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(importing, "BATCHES_UNDER_WAY", 2)
        monkeypatch.setattr(importing, "BATCH_ROWS", 3)

    @pytest.mark.parametrize("away_after", [0, 2, 4, 5, 6])
    def test_when_the_store_went_away(self, tmp_path: Path, away_after: int) -> None:
        """Every row is registered, and rejected once; a batch may be told twice."""
        rows = [whole(f"person{number}", number) for number in range(8)]
        rows.insert(1, "one,,coi")
        rows.insert(4, "two,,coi")
        file, rejects = plain(tmp_path, *rows), tmp_path / "rejects"
        noted = ProgressFile(Folder(tmp_path, "imports"), "x")
        kept = Kept(away_after=away_after)

        with pytest.raises(StoreUnavailable):
            imported("csv", file, kept=kept, rejects=rejects, noted=noted)
        done = len(kept.optins)
        kept.away_after = 100
        report = imported("csv", file, kept=kept, rejects=rejects, noted=noted)

        assert {one.mailbox[6:7] for one in kept.optins} == set("01234567")
        assert done <= away_after
        assert (report.rows, report.registered, report.rejected) == (10, 8, 2)
        assert rejects.read_text().count("is not one plain address") == 2

    def test_what_is_done_is_not_done_again(self, tmp_path: Path) -> None:
        """Until somebody wants it."""
        file, kept = plain(tmp_path, whole("anne", 1)), Kept()
        noted = ProgressFile(Folder(tmp_path, "imports"), "x")

        first = imported("csv", file, kept=kept, noted=noted)
        second = imported("csv", file, kept=kept, noted=noted)
        assert len(kept.optins) == 1
        assert first == second

        noted.forget()
        imported("csv", file, kept=kept, noted=noted)
        assert len(kept.optins) == 2

    def test_another_store_gets_all_of_it(self, tmp_path: Path) -> None:
        """What is noted was written to one that is gone: withdrawals would be lost."""
        rows = [whole(f"person{number}", number) for number in range(8)]
        rows.insert(1, "one,,coi")
        file, rejects = plain(tmp_path, *rows), tmp_path / "rejects"
        with pytest.raises(StoreUnavailable):
            imported(
                "csv",
                file,
                kept=Kept(away_after=5),
                rejects=rejects,
                noted=ProgressFile(Folder(tmp_path, "imports"), "x", store_id="one"),
            )
        other = ProgressFile(Folder(tmp_path, "imports"), "x", store_id="other")
        kept, said = Kept(), list[str]()

        run(
            order("csv", file),
            Outlets(sink=kept, rejects=rejects, noted=other, say=said.append),
        )

        assert len(kept.optins) == 8
        assert rejects.read_text().count("is not one plain address") == 1
        (told,) = said
        assert "the store has lost its data since: it begins anew" in told
        assert imported("csv", file, kept=kept, noted=other).is_earlier

    def test_where_nothing_is_surely_on_disk_nothing_is_noted(
        self, tmp_path: Path
    ) -> None:
        """A server without a file forgets, and an import must not go on behind that."""
        file = plain(tmp_path, *(whole(f"person{one}", one) for one in range(8)))
        noted = ProgressFile(Folder(tmp_path, "imports"), "x")
        kept = Kept(away_after=5, is_confirmed=False)

        with pytest.raises(StoreUnavailable):
            imported("csv", file, kept=kept, noted=noted)
        assert noted.read().records == 0
        anew = Kept(is_confirmed=False)
        imported("csv", file, kept=anew, noted=noted)

        assert len(anew.optins) == 8
        assert not noted.read().is_finished

    def test_what_is_noted_holds_nothing_of_a_cell(self, tmp_path: Path) -> None:
        """Lines and columns alone: it stays when the export is deleted."""
        file = plain(tmp_path, "anne at secret.example,,coi", whole("bob", 1) + ",jail")
        noted = ProgressFile(Folder(tmp_path, "imports"), "x")

        first = imported("csv", file, rejects=tmp_path / "rejects", noted=noted)

        assert len(first.reasons) == 2
        text = noted.path.read_text()
        for secret in ("anne", "secret.example", "bob", "jail", "address,"):
            assert secret not in text
        again = imported("csv", file, noted=noted)
        assert again.reasons == [
            "2: address: the reason was told when it was read",
            "3: status: the reason was told when it was read",
        ]

    @pytest.mark.parametrize("text", ["", "{}", "[1]", '{"version": 1}', "\x00"])
    def test_a_note_that_cannot_be_read_is_none(
        self, tmp_path: Path, text: str
    ) -> None:
        """Again from the beginning does no harm."""
        noted = ProgressFile(Folder(tmp_path), "x")
        noted.path.write_text(text)

        assert noted.read().records == 0


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    """And says what an import would."""
    file = plain(tmp_path, whole("anne", 1), "bob,,coi")
    before = sorted(tmp_path.iterdir())

    report = run(order("csv", file), Outlets())

    assert sorted(tmp_path.iterdir()) == before
    assert (report.rows, report.rejected, report.grades) == (2, 1, {"asserted": 1})


def test_rows_for_programs_are_the_contract(tmp_path: Path) -> None:
    """One object for each list and address."""
    file = plain(tmp_path, "anne@example.net,,coi,2025-10-26 02:30:00,10.0.0.1")
    with (tmp_path / "rows").open("w") as rows:
        run(order("csv", file, tz="Europe/Vienna"), Outlets(rows=rows))

    (line,) = (tmp_path / "rows").read_text().splitlines()
    value = json.loads(line)
    assert value.pop("source").keys() == {"software", "file_sha256", "line"}
    assert value == {
        "grade": "import",
        "addr": "anne@example.net",
        "list": LIST,
        "method": "coi",
        "confirm": {"time": "2025-10-26T02:30:00+02:00", "ip": "10.0.0.1"},
        "tz": {"kind": "declared", "zone": "Europe/Vienna", "fold": "ambiguous"},
        "flags": ["ambiguous-hour", "inner-ip"],
    }


def test_a_report_says_what_to_do(tmp_path: Path) -> None:
    """For each flag that costs a grade."""
    file = plain(tmp_path, whole("anne", 1, "10.0.0.1"), whole("bob", 2), "carol,,coi")

    lines = list(imported("csv", file).lines())

    assert lines[0] == "3 rows"
    assert "  asserted     1 (33.3 %)" in lines
    assert "  inner-ip: 1 (33.3 %), import; line 2" in lines
    assert "    Let the source note the address that its proxy sees." in lines
    assert lines[-1] == "  4: address: 'carol' is not one plain address"


def test_a_file_that_is_cut_off_registers_nothing(tmp_path: Path) -> None:
    """Its first half, either."""
    import gzip

    rows = "".join(
        f"{whole(f'person{number}', number % 60, f'192.0.2.{number % 250}')}\n"
        for number in range(20_000)
    )
    file = written(tmp_path, gzip.compress((HEAD + rows).encode())[:-2_000])
    kept = Kept()

    with pytest.raises(SourceError, match=r"row \d+: the archive is broken or cut off"):
        imported("csv", file, kept=kept)

    assert not kept.optins


_HEADS = {
    one.name: "\t".join(group[0] for group in one.needed) + "\n" if one.needed else ""
    for one in FORMATS
}


@settings(max_examples=400)
@given(
    kind=st.sampled_from(sorted(BY_NAME)),
    content=st.binary(max_size=200)
    | st.text("anne@example.net,\t;\"'{}[]:\n\r 0123456789TZ+-.<>", max_size=200).map(
        str.encode
    ),
    with_head=st.booleans(),
    tz=st.sampled_from(["", "Europe/Vienna"]),
)
def test_any_bytes_are_rows_rejects_or_one_error(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    content: bytes,
    with_head: bool,
    tz: str,
) -> None:
    """For every format; and what is kept is no more than was there."""
    directory = tmp_path_factory.mktemp("any")
    head = _HEADS[kind].encode() if with_head else b""
    file = written(directory, head + content)
    kept = Kept()
    try:
        report = imported(kind, file, kept=kept, rejects=directory / "rejects", tz=tz)
    except SourceError:
        assert not kept.optins
        return
    assert report.rows == report.rejected + sum(report.grades.values())
    assert report.registered + report.withdrawn == len(kept.optins)
