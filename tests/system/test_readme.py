"""The README's snippets, as they stand there."""

import re
import subprocess
from pathlib import Path

import pytest

from lab.debs import unpack
from lab.outgate import Outgate
from lab.postfix import Postfix
from lab.sendmail import PACKAGES as SENDMAIL_PACKAGES
from lab.sink import Sink
from lab.skips import or_skip
from lab.smtp import send
from lab.waiting import wait_until
from outgate.config.reader import parse
from system.messages import letter

README = (Path(__file__).parents[2] / "README.md").read_text()


def block(after: str, language: str = "") -> str:
    """The first fenced block after some words."""
    found = re.search(
        rf"```{language}\n(.*?)```", README[README.index(after) :], re.DOTALL
    )
    if found is None:
        pytest.fail(f"no block after {after!r}")
    return found[1]


def test_the_configuration_is_accepted() -> None:
    """All of its keys exist and agree; only the group may be missing here."""
    text = block("enough to begin with", "toml").replace('group = "postfix"\n', "")
    settings = parse(text)

    assert [listen.path.value for listen in settings.listen] == [
        "smtp",
        "local-submission",
    ]


@pytest.mark.mta
@pytest.mark.usefixtures("unlimited_local_user")
def test_the_postfix_lines_work(outgate: Outgate, sink: Sink) -> None:
    """main.cf takes them; only the sockets are the lab's."""
    settings = {}
    for line in block("### Postfix").splitlines():
        name, equals, value = line.partition(" = ")
        if equals:
            value = value.replace("unix:outgate/outgate.sock", f"unix:{outgate.socket}")
            value = value.replace(
                "unix:outgate/local.sock", f"unix:{outgate.local_socket}"
            )
            settings[name] = value
    with or_skip(), Postfix(sink=sink.port, settings=settings) as postfix:
        result = send(
            postfix.port,
            letter("readme"),
            "a@example.org",
            ["b@example.net"],
            login="rd",
        )
        postfix.submit_local(letter("readme-local"), "a@example.org", ["b@example.net"])
        wait_until(
            lambda: any(b"readme-local" in one.data for one in sink.messages),
            "delivery",
        )

        assert result.queue_id is not None
        assert outgate.message(result.queue_id)["login"] == "rd"
        assert "warning" not in postfix.log().replace("postfix-script", "")


@pytest.mark.mta
def test_the_sendmail_line_is_a_filter(tmp_path: Path) -> None:
    """m4 makes a filter of it, with these time-outs and no F=."""
    with or_skip():
        root = unpack(*SENDMAIL_PACKAGES)
    cf = root / "usr/share/sendmail/cf"
    source = (
        f"define(`_CF_DIR_', `{cf}/')dnl\ninclude(`{cf}/m4/cf.m4')dnl\n"
        f"OSTYPE(`linux')dnl\n{block('### Sendmail')}MAILER(`smtp')dnl\n"
    )
    done = subprocess.run(
        ["m4"], input=source, capture_output=True, text=True, check=True, cwd=tmp_path
    )

    assert (
        "Xoutgate, S=unix:/var/spool/postfix/outgate/outgate.sock, "
        "T=C:5s;S:10s;R:10s;E:60s" in done.stdout
    )
    assert "O InputMailFilters=outgate" in done.stdout
