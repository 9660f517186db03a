"""The manual has everything that the code has, and every link leads somewhere."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from cli.commands import every_command
from outgate.config.settings import Settings
from outgate.metrics.metric import Metric
from outgate.metrics.names import METRICS
from outgate.model import errors
from outgate.model.limit import Count
from outgate.model.verdict import MailClass, Reason
from outgate.policy.operator import ALLOWABLE, Order, parse_entry
from outgate.policy.order import RULES
from outgate.policy.questions import Source
from outgate.store.key_table import KEYS, Key
from outgate.store.keys import Keys
from pages import __main__ as program
from pages import log
from pages.links import anchors, broken_links, links
from pages.reasons import public_texts
from pages.redis import ONE_LINERS

ROOT = program.ROOT


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def section(name: str, title: str) -> str:
    """What stands under a heading, on one line, however it is wrapped."""
    text = page(name).partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return " ".join(text.split())


def test_what_is_committed_is_what_the_code_says() -> None:
    """And every link of every page leads to a file and to a heading of it."""
    assert program.check(ROOT) == []


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_has_its_section(metric: Metric) -> None:
    """With its sentence, its labels, their words and what a rise means."""
    text = section("metrics.md", metric.name)

    assert metric.text in text
    assert metric.rise == "-" or metric.rise in text
    for label, words in metric.labels:
        assert all(f"`{word}`" in text for word in (label, *words))


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_section(reason: Reason) -> None:
    """Whoever reads the word in a reply finds it here."""
    assert f"\n## {reason}\n" in page("reasons.md")
    assert f"[`{reason}`](#{reason})" in page("reasons.md")
    assert f"| `{reason}` |" in page("configuration.md")


def test_every_rule_is_summed_up() -> None:
    """In the words that `outgate check` prints."""
    for rule in RULES:
        assert f"| {rule.summary} |" in page("reasons.md")


def test_every_rule_that_can_be_lifted_says_so() -> None:
    """And no other."""
    for reason in Reason:
        assert (f"`rules={reason}`" in page("reasons.md")) == (reason in ALLOWABLE)


@pytest.mark.parametrize(
    "table", [field.name.replace("_", "-") for field in attrs.fields(Settings)]
)
def test_every_table_is_in_the_reference_and_in_the_sample(table: str) -> None:
    """Its keys are checked where the pages are made, in `tests/config`."""
    heading = re.compile(rf"^## `\[*{table}[\].`]", re.MULTILINE)
    sample = (ROOT / "contrib/outgate.toml").read_text()

    assert heading.search(page("configuration.md"))
    assert re.search(rf"^#\[*{table}[\]. ]", sample, re.MULTILINE)


@pytest.mark.parametrize("words", dict(every_command()), ids=" ".join)
def test_every_command_has_its_section(words: tuple[str, ...]) -> None:
    """With the help that it prints."""
    command = dict(every_command())[words]
    name = " ".join(("outgate", *words))

    text = section("cli.md", name)
    assert text.startswith(f"``` Usage: {name} ")
    assert (command.help or "").partition("\n")[0] in text


def test_every_exit_code_is_explained() -> None:
    """Those that the code has, and no others."""
    codes = {
        value
        for name, value in vars(errors).items()
        if name.startswith("EX_") and name != "EX_NOPERM"
    }

    rows = [row for row in page("cli.md").splitlines() if row.startswith("| ")]
    assert {int(cell) for row in rows if (cell := row.split()[1]).isdigit()} == codes


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.pattern)
def test_every_key_is_in_the_table(key: Key) -> None:
    """With its type, its life and its writer."""
    row = (key.kind, key.ttl, key.writer, key.meaning)

    assert f"| `outgate:{key.pattern}` | {' | '.join(row)} |" in page("redis.md")


def test_every_key_that_is_spelled_is_in_the_table() -> None:
    """What `Keys` can make, the page explains."""
    keys = Keys("outgate")
    spelled = {
        *(keys.order(order) for order in Order),
        *(keys.audit, keys.audited, keys.held_index, keys.hosts, keys.schema),
        keys.optin_keys,
        keys.trace("<time>"),
        *(keys.list_seen, keys.list_grace, keys.list_report),
        *(keys.complaints, keys.complaint_totals, keys.complaint("<id>")),
        "outgate:complained:{<customer>}:<scope>",
        *(keys.strikes("<customer>"), keys.copies("<message>")),
        keys.report("<customer>", "<list>"),
        keys.count("<customer>", "<limit>", "<identity>"),
        keys.distinct("<customer>", "<limit>", "<identity>"),
        keys.contacts("<customer>"),
        keys.content("<customer>"),
        keys.usual("<customer>", "<principal>"),
        keys.standing("<customer>"),
        keys.shared("<band>"),
        "outgate:optin:{<list>:<bucket>}",
        "outgate:evidence:{<list>:<bucket>}",
        keys.optin_lists,
        "outgate:challenge:{<list>:<bucket>}",
        keys.challenges("<customer>", "<list>"),
        keys.challenged("<recipient>"),
        "outgate:contradiction:{<list>:<bucket>}",
        keys.list_day("<customer>", "<list>", "<day>"),
        keys.seen("<customer>", "<retry>"),
        keys.holding("<customer>"),
        keys.held("<mta>", "<queue-id>"),
        keys.digest("<contact>"),
        keys.notice("<customer>", "<limit>", "<identity>"),
    }

    assert spelled == {f"outgate:{key.pattern}" for key in KEYS}


def test_every_field_of_a_message_is_explained() -> None:
    """In the order of the line, and no field that is not written."""
    assert set(log.line_fields()) == set(log.FIELDS)
    rows = re.findall(
        r"^\| `([a-z-]+)` \|", page("log.md").partition("## Cl")[0], re.MULTILINE
    )
    assert rows == list(log.FIELDS)


def test_every_event_is_explained() -> None:
    """With its level and its fields, and no event that nobody writes."""
    written = log.events()

    assert written.keys() == log.EVENTS.keys()
    assert written["digest-sent"] == log.Event(("info",), ("to", "messages"))
    assert written["log-lines-lost"] == log.Event(("warning",), ("count",))
    assert all(one.levels for one in written.values())


def test_no_call_of_a_log_is_overlooked() -> None:
    """Whatever the log is called there: by the text alone, without the syntax."""
    told = re.compile(r'\b_?log\.(?:debug|info|warning|error)\(\s*"([a-z-]+)"')
    found = {
        name
        for file in (ROOT / "milter/outgate").rglob("*.py")
        for name in told.findall(file.read_text())
    }

    assert found <= log.EVENTS.keys()
    assert len(found) > len(log.EVENTS) // 3


@pytest.mark.parametrize("word", [*MailClass, *Source])
def test_every_word_of_the_log_has_its_row(word: str) -> None:
    """Classes and sources."""
    assert f"| `{word}` | " in page("log.md")


@pytest.mark.parametrize("reason", Reason)
def test_the_detail_of_every_reason_is_explained(reason: Reason) -> None:
    """Also where there is none."""
    assert f"| [`{reason}`](reasons.md#{reason}) | " in page("log.md")


def _orders() -> Iterator[tuple[str, str, str]]:
    """Hash, name and value of every order that the page has somebody type."""
    for command, _ in ONE_LINERS:
        if command.startswith("HSET "):
            _, key, rest = command.split(" ", 2)
            name, _, value = rest.partition(" ")
            yield key.removeprefix("outgate:"), name, value.strip('"')


@pytest.mark.parametrize(("order", "name", "value"), tuple(_orders()))
def test_what_on_call_copies_from_the_page_is_understood(
    order: str, name: str, value: str
) -> None:
    """No order of the manual is one that Outgate would report."""
    entry = parse_entry(Order(order), name, value.encode())

    assert entry.problems == ()
    assert set(entry.rates) <= {count.value for count in Count}


def test_the_index_has_every_page() -> None:
    """Written by hand or not."""
    listed = set(links(page("README.md")))

    assert listed >= {
        file.name for file in (ROOT / "docs").glob("*.md") if file.name != "README.md"
    }


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The pages of the repository, to be spoiled."""
    for name in ("docs", "contrib"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("README.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_a_page_that_differs_is_named_with_the_remedy(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1, one line each, and nothing is changed."""
    (copy / "docs/metrics.md").write_text("# Metrics\n")
    (copy / "docs/redis.md").unlink()

    code = program.main(["--check"], copy)

    assert code == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == [
        "docs/metrics.md: differs from the code: run `make docs`",
        "docs/redis.md: is missing: run `make docs`",
    ]
    assert all(": link to " in line for line in lines[2:])
    assert (copy / "docs/metrics.md").read_text() == "# Metrics\n"


def test_make_docs_mends_what_check_reports(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It writes what has changed, and only that."""
    (copy / "docs/metrics.md").write_text("# Metrics\n")
    (copy / "docs/redis.md").unlink()

    assert program.main([], copy) == 0

    assert capsys.readouterr().out.splitlines() == [
        "docs/metrics.md: written",
        "docs/redis.md: written",
    ]
    assert program.check(copy) == []
    assert program.write(copy) == []


def test_a_new_page_goes_into_the_index(copy: Path) -> None:
    """Whoever adds one is told to run `make docs`."""
    (copy / "docs/upgrading.md").write_text("# Upgrading\n\nNothing yet.\n")

    assert program.check(copy) == [
        "docs/README.md: differs from the code: run `make docs`"
    ]
    program.write(copy)
    assert "[Upgrading](upgrading.md)" in (copy / "docs/README.md").read_text()


def test_it_runs_as_make_runs_it() -> None:
    """`python -m pages --check`, from anywhere."""
    done = subprocess.run(
        [sys.executable, "-m", "pages", "--check"],
        cwd="/",
        env={"PYTHONPATH": str(ROOT / "tests"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[a](other.md)", ""),
        ("[a](other.md#a-heading)", ""),
        ("[a](#here)", ""),
        ("[a](../README.md)", ""),
        ("[a](/docs/other.md)", ""),
        ("[a](other.md 'a title')", ""),
        ("![a](picture.svg)", "no such file"),
        ("[a](none.md)", "no such file"),
        ("[a](<two words.md>)", "no such file"),
        ("[a](two%20words.md)", "no such file"),
        ("[a][1]\n\n[1]: none.md", "no such file"),
        ("[a](other.md#another)", "no heading #another"),
        ("[a](#nowhere)", "no heading #nowhere"),
        ("[a](../../outside.md)", "no such file"),
        ("[a](https://example.org/none.md)", ""),
        ("[a](mailto:post@example.org)", ""),
        ("`[a](none.md)`", ""),
        ("```\n[a](none.md)\n# not a heading\n```", ""),
        ("```\n# not here\n```\n[a](#not-here)", "no heading #not-here"),
    ],
)
def test_a_link_that_leads_nowhere_is_found(
    tmp_path: Path, text: str, why: str
) -> None:
    """Files and headings; what is code is no link, and the internet is not asked."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("# Read me\n")
    (tmp_path / "docs/other.md").write_text("# Other\n\n## A heading\n")
    (tmp_path / "docs/page.md").write_text(f"# Page\n\n## Here\n\n{text}\n")

    found = broken_links(tmp_path)

    assert [line.rpartition(": ")[2] for line in found] == ([why] if why else [])
    assert all(line.startswith("docs/page.md: link to ") for line in found)


def test_headings_become_anchors_as_on_github() -> None:
    """Punctuation goes, words are joined, a second one of a name has a number."""
    text = "# The `[rules.<reason>]`\n## Keys & words\n## Keys & words\n### [A](b.md) link\n"

    assert anchors(text) == {
        *("the-rulesreason", "keys--words", "keys--words-1", "a-link")
    }


@pytest.mark.parametrize("reason", set(Reason) - {Reason.QUARANTINE_FULL})
def test_what_a_sender_reads_stands_in_the_manual(reason: Reason) -> None:
    """Where there is a reply; that of a full hold queue is the other reason's."""
    text = section("reasons.md", reason)

    assert ("- Reply: " in text) == ("- It reads: “" in text)


def test_a_reply_in_the_manual_is_the_one_that_is_sent() -> None:
    """What is filled in stands in braces."""
    assert public_texts(Reason.SUSPENDED) == [
        "Sending is suspended for this account or address."
    ]
    texts = public_texts(Reason.MESSAGE_EXCEEDS_LIMIT)
    start = "One message to {cost} {count} is over the limit of {burst}. "
    assert any(text.startswith(start) for text in texts)
    assert "none for `quarantine`" in section("reasons.md", Reason.BULK_TO_STRANGERS)
