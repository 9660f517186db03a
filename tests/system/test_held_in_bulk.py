"""All held mail of one customer: the lines of the manual, with the MTAs' own programs."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.outgate import Outgate
from lab.postfix import Postfix
from lab.sendmail import Sendmail
from lab.sink import Sink
from lab.smtp import send
from lab.waiting import wait_until
from system.messages import letter
from system.observing import delivered

pytestmark = pytest.mark.mta

ROOT = Path(__file__).parents[2]
ANNE = "anne@example.org"
BOB = "bob@example.net"


def lines(page: str, after: str) -> list[str]:
    """The first block of commands after some words, line by line."""
    text = (ROOT / page).read_text()
    found = re.search(r"```sh\n(.*?)```", text[text.index(after) :], re.DOTALL)
    if found is None:
        pytest.fail(f"no block after {after!r}")
    return found[1].splitlines()


def program(directory: Path, name: str, *words: str) -> None:
    """A command of that name which runs these words."""
    file = directory / name
    file.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    file.chmod(0o755)


def run(line: str, directory: Path, environment: dict[str, str]) -> None:
    """Type a line as it stands in the manual."""
    path = f"{directory}:{environment.get('PATH', '/usr/bin:/bin')}"
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        env={**environment, "PATH": path},
        check=True,
        capture_output=True,
    )


@contextmanager
def quarantined(outgate: Outgate, name: str) -> Iterator[None]:
    """An order of on-call, taken back afterwards."""
    outgate.redis("HSET", "outgate:quarantine", name, "by=tests")
    try:
        yield
    finally:
        outgate.redis("HDEL", "outgate:quarantine", name)


def hold(
    outgate: Outgate, customer: str, subjects: list[str], offer: Callable[[str], object]
) -> None:
    """Have these held, and wait until the list names them."""
    before = outgate.held()
    with quarantined(outgate, customer):
        for subject in subjects:
            offer(subject)
    wait_until(
        lambda: len(outgate.held()) == len(before) + len(subjects), "the records"
    )


def arrive(sink: Sink, *subjects: str) -> None:
    """Wait until all of them were delivered."""
    wait_until(
        lambda: all(delivered(sink, subject) for subject in subjects), "the release"
    )


def test_postfix_releases_all_of_one_customer_or_deletes_them(
    postfix: Postfix, outgate: Outgate, sink: Sink, someone: str, tmp_path: Path
) -> None:
    """What another customer has in the hold queue stays there."""
    release, delete = (
        line.replace("alice@example.org", someone)
        for line in lines("README.md", "All of one customer, on Postfix")
    )
    other = f"other-{someone}"
    program(tmp_path, "outgate", sys.executable, "-m", "outgate")
    for name in ("postsuper", "postqueue"):
        program(tmp_path, name, str(postfix.program(name)))
    environment = {**outgate.environment, **postfix.environment}

    def offer(login: str) -> Callable[[str], object]:
        return lambda subject: send(
            postfix.port, letter(subject), ANNE, [BOB], login=login
        )

    hold(outgate, other, ["bulk-other"], offer(other))
    (kept,) = postfix.held()

    hold(outgate, someone, ["bulk-1", "bulk-2"], offer(someone))
    run(release, tmp_path, environment)
    arrive(sink, "bulk-1", "bulk-2")

    hold(outgate, someone, ["bulk-3", "bulk-4"], offer(someone))
    run(delete, tmp_path, environment)
    assert postfix.held() == [kept]
    assert not delivered(sink, "bulk-3")
    postfix.delete(kept["queue_id"])


def test_sendmail_releases_all_of_one_customer_or_deletes_them(
    sendmail: Sendmail, outgate: Outgate, sink: Sink, tmp_path: Path
) -> None:
    """One after the other, for Sendmail takes one id at a time."""
    customer = "anne"
    release, delete = (
        line.replace("choir", customer).replace(
            "/var/spool/mqueue", str(sendmail.queue_directory)
        )
        for line in lines("docs/sendmail.md", "All of one customer")
    )
    config = str(sendmail.directory / "etc/sendmail.cf")
    program(tmp_path, "outgate", sys.executable, "-m", "outgate")
    program(tmp_path, "sendmail", *sendmail.command, "-C", config)
    environment = dict(outgate.environment)

    def offer(subject: str) -> object:
        user = ("anne", "secret")
        return send(sendmail.port, letter(subject), ANNE, [BOB], auth=user)

    hold(outgate, customer, ["s-bulk-1", "s-bulk-2"], offer)
    run(release, tmp_path, environment)
    arrive(sink, "s-bulk-1", "s-bulk-2")

    hold(outgate, customer, ["s-bulk-3"], offer)
    run(delete, tmp_path, environment)
    assert sendmail.held() == []
    assert not delivered(sink, "s-bulk-3")
