"""`outgate config`: one report, and pages that fit to the code."""

from pathlib import Path

import pytest

from cli.commands import outgate
from outgate.config.reader import parse
from outgate.config.reference import reference, sample
from outgate.config.settings import SYSTEM_CONFIG, Settings


def test_a_bad_file_is_one_report_and_exit_78(tmp_path: Path) -> None:
    """Every problem on a line of its own, each with the command's name before it."""
    file = tmp_path / "outgate.toml"
    file.write_text(
        'mode = "on"\n[store]\ntimout = "5ms"\nurl = "http://h"\n'
        '[[customer]]\nname = "choir"\nmatch = ["@a.example"]\n'
        '[[customer]]\nname = "band"\nmatch = ["@a.example"]\n'
    )

    done = outgate("--config", file, "config", "check")

    assert (done.code, done.stdout) == (78, "")
    assert done.stderr.splitlines() == [
        f"outgate: {file}: mode: got 'on': expected one of monitor, enforce",
        f"outgate: {file}: store.timout: is unknown; did you mean `timeout`?",
        f"outgate: {file}: customer: '@a.example' matches both 'choir' and 'band'",
        (
            f"outgate: {file}: store.url: got scheme 'http': expected redis://, "
            "rediss:// or unix://"
        ),
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("config", "show"),
        ("check", "-", "--rcpt", "bart@example.net"),
        ("queue", "list"),
        ("secret", "new"),
        ("secret", "id"),
        ("store", "url"),
        ("store", "cli", "PING"),
        ("run",),
    ],
    ids=" ".join,
)
def test_no_command_goes_on_with_a_bad_file(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Each says the same, and does nothing."""
    file = tmp_path / "outgate.toml"
    file.write_text('mode = "on"\n')

    done = outgate(*words, environment={"OUTGATE_CONFIG": str(file)})

    assert (done.code, done.stdout) == (78, "")
    assert done.stderr == (
        f"outgate: {file}: mode: got 'on': expected one of monitor, enforce\n"
    )
    assert list(tmp_path.iterdir()) == [file]


def test_a_good_file_is_named(tmp_path: Path) -> None:
    """So that nobody wonders which one was read."""
    file = tmp_path / "outgate.toml"
    file.write_text('mode = "enforce"\n')

    assert outgate("--config", file, "config", "check").stdout == (
        f"{file}: ok; then ask `outgate doctor`\n"
    )


def test_no_file_is_good_too() -> None:
    """The defaults are a whole configuration."""
    if SYSTEM_CONFIG.exists():
        pytest.skip(f"{SYSTEM_CONFIG} exists on this machine")

    done = outgate("config", "check")

    assert (done.code, done.stdout) == (
        0,
        "no file, defaults: ok; then ask `outgate doctor`\n",
    )


def test_a_file_that_is_missing_is_no_default(tmp_path: Path) -> None:
    """A misspelt path must not mean `monitor`."""
    file = tmp_path / "outgate.tml"

    done = outgate("--config", file, "config", "check")

    assert done.code == 78
    assert done.stderr == (
        f"outgate: {file}: cannot be read: No such file or directory\n"
    )


def test_the_option_is_stronger_than_the_environment(tmp_path: Path) -> None:
    """What is typed last counts."""
    file = tmp_path / "outgate.toml"
    file.write_text("")
    environment = {"OUTGATE_CONFIG": "/nowhere"}

    done = outgate("--config", file, "config", "check", environment=environment)

    assert done.code == 0


def test_what_is_shown_can_be_a_file(tmp_path: Path) -> None:
    """Show, redirect, check: the same settings, the environment's state included."""
    environment = {"OUTGATE_STATE": str(tmp_path / "state")}
    file = tmp_path / "outgate.toml"
    file.write_text('[log]\nformat = "json"\n')
    shown = outgate("--config", file, "config", "show", environment=environment).stdout
    again = tmp_path / "again.toml"
    again.write_text(shown)

    done = outgate("--config", again, "config", "show")

    assert done.stdout == shown
    settings = parse(shown)
    assert settings.log.format == "json"
    assert settings.paths.state == str(tmp_path / "state")
    assert settings.store == Settings().store


def test_reference_and_sample_are_printed_whole() -> None:
    """The same that stands in the repository."""
    assert outgate("config", "reference").stdout == reference()
    assert outgate("config", "sample").stdout == sample()
