"""One file becomes settings, or one report with all that is wrong with it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.documents import documents, fast, texts, toml
from outgate.config import reader
from outgate.config.reader import load, parse
from outgate.config.settings import Settings
from outgate.model.errors import EX_CONFIG, ConfigError
from outgate.model.limit import Count, Per
from outgate.model.units import ByteSize, Rate
from outgate.model.verdict import Action, Mode
from outgate.policy.compiled import Policy

_CASE = re.compile(
    r"^== (?P<title>.+)\n(?P<file>(?s:.*?))^--\n(?P<report>(?:.+\n)+)", re.MULTILINE
)
_CASES = tuple(
    (case["title"], case["file"], case["report"])
    for case in _CASE.finditer(Path(__file__).with_name("problems.txt").read_text())
)
# What means something only to whoever wrote the reader.
_OUR_WORDS = re.compile(r"Settings|<class|cattrs|tructur|object|None|tuple|Error|Enum")


def report(text: str) -> str:
    """The report on a file that cannot be used."""
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("file", "expected"),
    [case[1:] for case in _CASES],
    ids=[case[0] for case in _CASES],
)
def test_a_problem_names_key_value_and_expectation(file: str, expected: str) -> None:
    """What is wrong is one line each, and nothing else is said."""
    assert report(file) + "\n" == expected


def test_every_case_of_the_file_is_read() -> None:
    """A case that the pattern misses would prove nothing."""
    text = Path(__file__).with_name("problems.txt").read_text()

    assert len(_CASES) == text.count("\n== ")


def test_no_line_speaks_of_the_program() -> None:
    """An operator need not know in which language Outgate is written."""
    lines = [line for case in _CASES for line in case[2].splitlines()]

    assert [line for line in lines if _OUR_WORDS.search(line)] == []


def test_a_long_value_is_cut() -> None:
    """The sentence around it stays readable."""
    shown = report(f"mode = '{'x' * 5000}'")

    assert shown == f"mode: got '{'x' * 60}…': expected one of monitor, enforce"


def test_every_line_names_the_file(tmp_path: Path) -> None:
    """A report can be read where several files are checked."""
    file = tmp_path / "outgate.toml"
    file.write_text('mode = "on"\nworker = 1\n[metrics]\nlisten = "here"\n')

    with pytest.raises(ConfigError) as caught:
        load(file)

    assert [line.split(": ")[:2] for line in str(caught.value).splitlines()] == [
        [str(file), "mode"],
        [str(file), "worker"],
        [str(file), "metrics.listen"],
    ]
    assert caught.value.exit_code == EX_CONFIG == 78


def test_a_file_that_is_no_toml_says_where() -> None:
    """Line and column of the first thing that cannot be read."""
    shown = report('mode = "enforce"\n[store\n')

    assert shown.startswith("is not TOML: ")
    assert "(at line 2, column 7)" in shown


@pytest.mark.parametrize(
    "text", [f"a = {'9' * 5000}", f"a = {'[' * 100_000}"], ids=["digits", "brackets"]
)
def test_toml_that_overwhelms_its_parser_is_a_problem(text: str) -> None:
    """Neither int() nor recursion ends the program."""
    assert report(text).startswith("is not TOML: ")


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (Path.exists, "cannot be read: No such file or directory"),
        (Path.mkdir, "cannot be read: Is a directory"),
        (lambda path: path.write_bytes(b"# caf\xe9"), "is not UTF-8: "),
    ],
    ids=["missing", "directory", "latin-1"],
)
def test_a_file_that_cannot_be_read_is_one_problem(
    tmp_path: Path, make: Callable[[Path], object], expected: str
) -> None:
    """The report says why."""
    file = tmp_path / "outgate.toml"
    make(file)

    with pytest.raises(ConfigError) as caught:
        load(file)

    assert str(caught.value).startswith(f"{file}: {expected}")


def test_an_empty_file_gives_the_defaults() -> None:
    """No key is required."""
    assert parse("") == Settings()


def test_values_arrive_as_what_they_mean() -> None:
    """Words, rates, sizes and times are values of their own, not texts."""
    settings = parse(
        """
        mode = "enforce"
        [[limit]]
        name = "recipients-per-list"
        per = "list"
        count = "recipients"
        rate = "9/1h"
        burst = 20
        action = "defer"
        [[limit]]
        name = "messages-per-client-hourly"
        per = "client"
        count = "messages"
        rate = "off"
        [quarantine]
        cap-bytes = "2MiB"
        [rules.missing-unsubscribe]
        action = "reject"
        """
    )

    assert settings.mode is Mode.ENFORCE
    assert type(settings.quarantine.cap_bytes) is ByteSize
    assert settings.quarantine.cap_bytes == 2 << 20
    assert settings.rules.missing_unsubscribe.action is Action.REJECT
    limit, off = settings.limit
    assert (limit.per, limit.count) == (Per.LIST, Count.RECIPIENTS)
    assert limit.per is Per.LIST
    assert limit.rate == Rate.parse("9/1h")
    assert limit.action is Action.DEFER
    assert off.rate is None


def test_a_file_is_read_as_utf_8_wherever_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TOML is UTF-8, whatever the locale says."""
    monkeypatch.setattr("locale.getpreferredencoding", lambda *_: "latin-1")
    file = tmp_path / "outgate.toml"
    file.write_text('[domains]\nlocal = ["bücher.example"]\n', encoding="utf-8")

    assert load(file).domains.local == ("bücher.example",)


def test_a_limit_that_is_no_table_is_named() -> None:
    """Beside whatever else is wrong."""
    with pytest.raises(ConfigError) as told:
        parse("limit = [false]")
    (problem,) = told.value.problems
    assert "expected a table" in str(problem)


@fast
@given(documents.map(toml))
def test_any_document_gives_settings_or_a_report(text: str) -> None:
    """Nothing else comes out, and settings that come out can be put in force."""
    try:
        settings = parse(text)
    except ConfigError as error:
        problems = error.problems
    else:
        Policy.build(settings.for_policy())
        return
    assert problems
    assert all(problem.message for problem in problems)
    assert all(len(str(problem).splitlines()) == 1 for problem in problems)


@fast
@given(st.one_of(texts, texts.map(lambda text: f'mode = "{text}"')))
def test_any_text_gives_settings_or_a_report(text: str) -> None:
    """Nothing else comes out of what is hardly TOML."""
    try:
        settings = parse(text)
    except ConfigError:
        return
    assert settings == Settings()


class TestSystemFile:
    """Whoever reads the machine's own file means the machine's own daemon."""

    @pytest.fixture
    def file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The system's, read by somebody who is not root."""
        file = tmp_path / "outgate.toml"
        monkeypatch.setattr(reader, "SYSTEM_CONFIG", file)
        monkeypatch.delenv("OUTGATE_STATE", raising=False)
        monkeypatch.setattr("os.geteuid", lambda: 1000)
        return file

    def test_its_directories_are_the_systems(self, file: Path) -> None:
        """For every account."""
        file.write_text('mode = "enforce"\n')

        paths = load(file).paths

        assert (paths.state, paths.runtime) == ("/var/lib/outgate", "/run/outgate")

    def test_what_it_says_counts(self, file: Path) -> None:
        """Key by key."""
        file.write_text('[paths]\nstate = "/srv/outgate"\n')

        paths = load(file).paths

        assert (paths.state, paths.runtime) == ("/srv/outgate", "/run/outgate")

    def test_a_variable_is_stronger(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is set for one command, by somebody who means it."""
        file.write_text("")
        monkeypatch.setenv("OUTGATE_STATE", "/tmp/mine")

        assert load(file).paths.state == "/tmp/mine"

    def test_another_file_has_directories_of_its_reader(
        self, file: Path, tmp_path: Path
    ) -> None:
        """So that people can try one of their own beside it."""
        file.write_text("")
        own = tmp_path / "own.toml"
        own.write_text("")

        assert load(own).paths.state != "/var/lib/outgate"

    def test_no_table_is_a_problem_as_ever(self, file: Path) -> None:
        """Nothing is put into it."""
        file.write_text("paths = 1\n")

        with pytest.raises(ConfigError, match="paths: got 1: expected a table"):
            load(file)


class TestShippedLimits:
    """A limit with a shipped name is the shipped one, with a change."""

    def test_what_is_not_given_stays(self) -> None:
        """A client's is deferred, and its rate may be all that is said."""
        (limit,) = parse(
            '[[limit]]\nname = "messages-per-client-hourly"\nrate = "9/1h"\n'
        ).limit

        assert (limit.per, limit.count) == (Per.CLIENT, Count.MESSAGES)
        assert (limit.rate, limit.action) == (Rate.parse("9/1h"), Action.DEFER)

    def test_off_needs_no_more(self) -> None:
        """Nobody looks up whose counter it was to be rid of it."""
        settings = parse(
            '[[limit]]\nname = "messages-per-login-hourly"\nrate = "off"\n'
        )

        policy = Policy.build(settings.for_policy())

        assert "messages-per-login-hourly" not in policy.limit_names()

    def test_the_rate_stays_too(self) -> None:
        """Where only the action changes."""
        (limit,) = parse(
            '[[limit]]\nname = "strangers-per-login-daily"\naction = "tag"\n'
        ).limit

        assert (limit.rate, limit.action) == (Rate.parse("200/1d"), Action.TAG)

    @pytest.mark.parametrize("name", ['"mine"', "[1]"])
    def test_another_one_says_all(self, name: str) -> None:
        """There is nothing that it could mean."""
        assert "limit[0].per: is required" in report(f"[[limit]]\nname = {name}\n")
