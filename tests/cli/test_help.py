"""Every command explains itself, quickly."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli.commands import every_command, outgate, program
from outgate import __version__

_COMMANDS = dict(every_command())


@pytest.mark.parametrize("words", _COMMANDS, ids=" ".join)
def test_every_command_has_help(words: tuple[str, ...]) -> None:
    """Its sentence, and every option with a text of its own."""
    command = _COMMANDS[words]

    done = program(*words, "--help")

    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: {' '.join(('outgate', *words))} ")
    sentence = (command.help or "").split("\n\n")[0]
    assert " ".join(sentence.split()) in " ".join(done.stdout.split())
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help
            assert parameter.opts[0] in done.stdout


@pytest.mark.parametrize("words", _COMMANDS, ids=" ".join)
def test_every_summary_is_a_whole_sentence(words: tuple[str, ...]) -> None:
    """In the list of its group it is not cut in the middle."""
    summary = _COMMANDS[words].get_short_help_str(limit=62)

    assert not summary.endswith("..."), summary


def test_the_version_is_told() -> None:
    """For a report of a bug."""
    assert outgate("--version").stdout == f"outgate, version {__version__}\n"


def test_help_needs_none_of_the_libraries() -> None:
    """Completion and `--help` answer at once: heavy imports stand inside commands."""
    program = (
        "import sys\n"
        "from outgate.cli.main import cli\n"
        "cli(['--help'], standalone_mode=False)\n"
        "heavy = {'attr', 'cattrs', 'redis', 'prometheus_client', 'rich', 'Milter'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stderr == "[]\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nonsense",), "No such command 'nonsense'"),
        (("check",), "Missing argument 'MESSAGE'"),
        (("check", "-"), "Missing option '--rcpt'"),
        (("check", "-", "--rcpt", "a@b", "--client", "here"), "expected an IP address"),
        (("config", "check", "--nonsense"), "No such option"),
        (("store", "cli"), "Missing argument"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else None,
)
def test_wrong_usage_exits_2(words: tuple[str, ...], said: str) -> None:
    """What is wrong, and where to read how it is right."""
    done = outgate(*words)

    assert done.code == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_exit_codes_and_lines_reach_the_shell(tmp_path: Path) -> None:
    """Each end of a command is a number of sysexits.h and one line."""
    bad = tmp_path / "outgate.toml"
    bad.write_text('mode = "on"\n')
    environment = {"OUTGATE_STATE": str(tmp_path)}
    ends = {
        0: ("secret", "new"),
        2: ("secret", "old"),
        66: ("check", str(tmp_path), "--rcpt", "a@b"),
        73: ("secret", "new"),
        75: ("store", "cli", "PING"),
        78: ("--config", str(bad), "config", "check"),
    }

    for code, words in ends.items():
        done = program(*words, environment=environment)

        assert done.code == code, words
        if code > 2:
            assert done.stderr.startswith("outgate: ")
            assert done.stderr.count("\n") == 1
