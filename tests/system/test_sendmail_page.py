"""docs/sendmail.md: its lines in a real Sendmail."""

import re
from pathlib import Path

import pytest

from lab import sendmail_config
from lab.outgate import Outgate
from lab.sendmail import Sendmail
from lab.sink import Sink
from lab.skips import or_skip
from lab.smtp import send
from lab.waiting import wait_until
from system.messages import letter
from system.observing import delivered, line_of

PAGE = (Path(__file__).parents[2] / "docs/sendmail.md").read_text()
BOB = "bob@example.net"


def block(after: str) -> str:
    """The first fenced block of m4 after some words."""
    found = re.search(r"```\n(.*?)```", PAGE[PAGE.index(after) :], re.DOTALL)
    if found is None:
        pytest.fail(f"no block after {after!r}")
    return found[1]


def write_as_the_page_says(
    monkeypatch: pytest.MonkeyPatch, sendmail: Sendmail, outgate: Outgate
) -> None:
    """Its lines in place of the lab's; only sockets and ports are the lab's."""
    ours = (
        block("Once it enforces")
        + f"DAEMON_OPTIONS(`Name=MTA, Port={sendmail.port}, Addr=127.0.0.1')dnl\n"
        + block("beside the first filter")
    )
    for theirs, here in (
        ("/var/spool/postfix/outgate/outgate.sock", str(outgate.socket)),
        ("/var/spool/postfix/outgate/local.sock", str(outgate.local_socket)),
        ("Port=10026", f"Port={sendmail.local_port}"),
    ):
        assert theirs in ours
        ours = ours.replace(theirs, here)
    daemon = sendmail_config._DAEMON.replace("{milters}\n{listeners}", ours)
    submission, changed = re.subn(
        r"define\(`RELAY_MAILER_ARGS'.*\n", "", sendmail_config._SUBMISSION
    )
    assert changed == 1
    submission = submission[: submission.index("FEATURE(`msp'")] + block(
        "is new and stands"
    ).replace("10026", str(sendmail.local_port))
    monkeypatch.setattr(sendmail_config, "_DAEMON", daemon)
    monkeypatch.setattr(sendmail_config, "_SUBMISSION", submission)


@pytest.mark.mta
@pytest.mark.usefixtures("unlimited_loopback")
def test_local_users_are_judged_by_name_and_others_by_address(
    outgate: Outgate, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two filters, two ports: each mail passes its own, once."""
    sendmail = Sendmail(sink=sink.port, local_milters=())
    write_as_the_page_says(monkeypatch, sendmail, outgate)
    with or_skip(), sendmail:
        sendmail.submit_local(letter("page-local"), "root@example.org", [BOB])
        wait_until(lambda: delivered(sink, "page-local"), "the delivery")
        result = send(sendmail.port, letter("page-smtp"), "a@example.org", [BOB])
        assert result.queue_id, result.replies
        smtp = line_of(outgate, result.queue_id)
        before = len(outgate.messages())
        outgate.redis("HSET", "outgate:quarantine", "root", "by=tests")
        try:
            sendmail.submit_local(letter("page-held"), "root@example.org", [BOB])
            wait_until(lambda: bool(sendmail.held()), "the quarantine")
        finally:
            outgate.redis("HDEL", "outgate:quarantine", "root")
        (held,) = sendmail.held()
        sendmail.release(held["queue_id"])
        wait_until(lambda: delivered(sink, "page-held"), "what was released")
        after = outgate.messages()[before:]

    local = line_of(outgate, held["queue_id"])
    assert (local["customer"], local["local-user"]) == ("root", "root")
    assert (smtp["client"], smtp.get("local-user", "-")) == ("127.0.0.1", "-")
    assert [one["queue-id"] for one in after] == [held["queue_id"]]
