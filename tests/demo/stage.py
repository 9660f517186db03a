"""What the story is played on: the daemon, its store, and an MTA in front of it.

The MTA is a private Postfix, unpacked into the build folder and started on loopback: the
machine's own mail system is never touched. Where that cannot run (no root, no package
server) the same story is played at the milter protocol, and says so.
"""

import os
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError, LabUnavailable
from lab.miltermail import split_message
from lab.miltermta import MilterMta
from lab.milters import Milter
from lab.outgate import Outgate
from lab.postfix import Postfix
from lab.redis import find_cli
from lab.sink import Sink
from lab.smtp import send
from lab.waiting import wait_until

SETTINGS = """\
[network]
internal = ["127.0.0.0/8", "::1/128", "192.0.2.0/24"]
[[list]]
id = "garden.coop.example"
customer = "clara@coop.example"
[[limit]]
name = "recipients-per-login-hourly"
per = "login"
count = "recipients"
rate = "100/1h"
[[limit]]
name = "messages-per-client-hourly"
per = "client"
count = "messages"
rate = "4/1h"
action = "defer"
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sending program read, and under which id the message is known.

    Attributes:
        accepted: whether it was taken (also into the hold queue).
        text: code and text.
        queue_id: of the MTA.
    """

    accepted: bool
    text: str
    queue_id: str


class Mailer(ABC):
    """Hands messages to an MTA."""

    name: str

    @abstractmethod
    def send(
        self,
        message: bytes,
        sender: str,
        recipients: Sequence[str],
        *,
        login: str = "",
        client: str = "",
    ) -> Answer:
        """Send one message as somebody who logged in, or as a bare client."""


class PostfixMailer(Mailer):
    """Real SMTP to a real Postfix; XCLIENT says who logged in from where."""

    def __init__(self, postfix: Postfix) -> None:
        self.postfix = postfix
        self.name = f"Postfix on 127.0.0.1:{postfix.port}"

    def send(
        self,
        message: bytes,
        sender: str,
        recipients: Sequence[str],
        *,
        login: str = "",
        client: str = "",
    ) -> Answer:
        result = send(
            self.postfix.port,
            message,
            sender,
            recipients,
            login=login or None,
            client=client or None,
        )
        final = result.final
        text = " ".join(filter(None, (str(final.code), final.enhanced, final.text)))
        return Answer(result.accepted, text, result.queue_id or _reference(final.text))


class WireMailer(Mailer):
    """The milter protocol itself, as Postfix speaks it."""

    def __init__(self, outgate: Outgate, why: str) -> None:
        self._address = outgate.address
        self._count = 0
        self.name = f"the milter protocol alone ({why})"

    def send(
        self,
        message: bytes,
        sender: str,
        recipients: Sequence[str],
        *,
        login: str = "",
        client: str = "",
    ) -> Answer:
        self._count += 1
        queue_id = f"4demo{self._count:05d}"
        headers, body = split_message(message)
        with MilterMta(
            self._address,
            login=login,
            client=(client or "127.0.0.1", 40000),
        ) as mta:
            outcome = mta.send(
                sender=f"<{sender}>".encode(),
                recipients=[f"<{one}>".encode() for one in recipients],
                headers=headers,
                body=body,
                queue_id=queue_id,
            )
        if outcome.action in {"accept", "quarantine"}:
            return Answer(True, f"250 2.0.0 Ok: queued as {queue_id}", queue_id)
        return Answer(False, outcome.reply.decode(), queue_id)


@dataclass(slots=True)
class Stage:
    """Everything that is running."""

    outgate: Outgate
    mailer: Mailer
    sink: Sink

    def register(self, list_id: str, readers: Sequence[str]) -> None:
        """Note who asked for a list, as its maintainer does."""
        done = self.outgate.command(
            *("optin", "load", "--list", list_id, "--grade", "asserted", "-"),
            given="".join(f"{reader}\n" for reader in readers),
        )
        if done.returncode != 0:
            raise LabError(done.stderr)

    def redis_cli(self, *words: str) -> str:
        """Type one redis-cli command, with the real program where there is one."""
        program = self.redis_program()
        if program is None:
            return "\n".join(self.outgate.redis(*words))
        done = subprocess.run(
            [*program, *words], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def redis_program(self) -> list[str] | None:
        """How a person calls redis-cli on this store; None where there is none."""
        try:
            program = str(find_cli())
        except LabUnavailable:
            return None
        socket = self.outgate.directory / "state/store/store.sock"
        return [program, "-s", str(socket)]

    def line(self, queue_id: str) -> dict[str, str]:
        """The canonical log line of one message."""
        wait_until(
            lambda: any(
                one.get("queue-id") == queue_id for one in self.outgate.messages()
            ),
            f"the log line of {queue_id}",
        )
        return self.outgate.message(queue_id)


def set_up(stack: ExitStack) -> Stage:
    """Start everything; the stack ends it."""
    sink = stack.enter_context(Sink())
    directory = _directory()
    stack.callback(shutil.rmtree, directory, ignore_errors=True)
    outgate = stack.enter_context(
        Outgate(mode="enforce", settings=SETTINGS, directory=directory)
    )
    try:
        postfix = stack.enter_context(
            Postfix(milters=[Milter(outgate.socket)], sink=sink.port)
        )
    except LabUnavailable as error:
        return Stage(outgate, WireMailer(outgate, str(error)), sink)
    return Stage(outgate, PostfixMailer(postfix), sink)


def _directory() -> Path:
    """Where Postfix's own account can reach the socket; else a folder of the build."""
    if os.geteuid() == 0:
        return Path(tempfile.mkdtemp(prefix="outgate-demo-", dir="/var/lib"))
    build = Path("build/run").resolve()
    build.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="demo-", dir=build))


def _reference(text: str) -> str:
    """The queue id in a refusal: Outgate names it as `ref`."""
    return text.rpartition("ref ")[2].partition(")")[0] if "ref " in text else ""
