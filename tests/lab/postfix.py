"""A private Postfix: the real binaries, none of them installed.

The Debian package is unpacked below `build/lab`, and `master` runs from there as a
child of this process, with its own configuration, queue and log:

    with Sink() as sink, Postfix(milters=[Milter(8890)], sink=sink.port) as postfix:
        send(postfix.port, message, "a@x.example", ["b@y.example"], login="a")

Nothing leaves the machine: all mail goes to the sink, or to `discard`. XCLIENT is open
to loopback, so a test can be any client and any login. /etc/postfix is never read, no
account is made: Postfix borrows two of Debian's base accounts that own nothing here.

Failure: `LabUnavailable` without root, apt or libraries; `LabError` with the log when
Postfix does not come up or one of its commands fails. `stop` leaves no process, also
after a start that failed.
"""

import json
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab import sasl
from lab.debs import ROOT, require_libraries, unpack
from lab.directories import make_directory
from lab.errors import LabError, LabUnavailable
from lab.milters import Milter
from lab.ports import LOOPBACK, free_port, is_listening
from lab.postfix_config import (
    MAIL_OWNER,
    make_queue,
    render_main,
    render_master,
)
from lab.processes import Server, end, spawn
from lab.queued import Queued
from lab.service import Service
from lab.syslog import Syslog
from lab.waiting import wait_until

HOSTNAME = "mx.local.example"


class Postfix(Service):
    """One instance; start and stop it, or use it as a context manager.

    Args:
        milters: asked about mail that comes by SMTP.
        local_milters: asked about mail that comes from sendmail(1).
        sink: the port that all mail is delivered to; without one it is discarded.
        settings: main.cf parameters beyond, or instead of, the lab's.
        services: more smtpd listeners by name, each with `-o` options of its own, such
            as `{"trusted": {"smtpd_milters": ""}}`; their ports are in `ports`.
        users: passwords by user name for SMTP AUTH.
        port: the port of the first listener; a free one by default.
        directory: holds everything and is kept; by default a temporary one that
            `stop` removes.
        root: where the packages are unpacked.
    """

    def __init__(
        self,
        *,
        milters: Sequence[Milter] = (),
        local_milters: Sequence[Milter] = (),
        sink: int | None = None,
        settings: Mapping[str, str] | None = None,
        services: Mapping[str, Mapping[str, str]] | None = None,
        users: Mapping[str, str] | None = None,
        port: int | None = None,
        directory: Path | None = None,
        root: Path = ROOT,
    ) -> None:
        self.port = port or free_port()
        self._services = {"smtp": {}, **(services or {})}
        self.ports = {
            name: self.port if name == "smtp" else free_port()
            for name in self._services
        }
        self._milters = milters
        self._local_milters = local_milters
        self._sink = sink
        self._settings = settings or {}
        self._users = users or {}
        self._given_directory = directory
        self._root = root
        self._server: Server | None = None
        self._directory: Path | None = None
        self._last_log = ""

    @property
    def directory(self) -> Path:
        """Where configuration, queue and log of the running instance are."""
        if self._directory is None:
            raise LabError("Postfix is not started")
        return self._directory

    @property
    def config_directory(self) -> Path:
        """What Postfix's commands take as `-c`."""
        return self.directory / "etc"

    @property
    def queue_directory(self) -> Path:
        """The queue; relative milter sockets are below it."""
        return self.directory / "spool"

    @property
    def environment(self) -> dict[str, str]:
        """What every Postfix program here needs in its environment."""
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C",
            "LD_LIBRARY_PATH": str(self._root / "usr/lib/postfix"),
            "MAIL_CONFIG": str(self.config_directory),
        }

    def program(self, name: str) -> Path:
        """Give the path of a Postfix command, such as postsuper."""
        return self._root / "usr/sbin" / name

    def start(self) -> None:
        """Come up, and return when mail is accepted on every port."""
        if os.geteuid() != 0:
            raise LabUnavailable("a private Postfix needs root (users of its own)")
        self._root = unpack("postfix", sasl.PACKAGE, root=self._root)
        require_libraries(
            self._root / "usr/lib/postfix/sbin/smtpd",
            libraries=self._root / "usr/lib/postfix",
        )
        # Postfix binds with SO_REUSEPORT: a port that is taken would go unnoticed.
        if taken := [port for port in self.ports.values() if is_listening(port)]:
            raise LabError(f"port {taken[0]} is in use")
        try:
            self._directory = make_directory(self._given_directory)
            self._configure()
            self._run_master()
        except TimeoutError as error:
            self.stop()
            raise LabError(f"{error}\n{self.log()}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every process of this instance and remove a temporary directory."""
        if self._server is not None:
            end(self._server)
            self._server = None
        if self._directory is not None:
            self._last_log = self.log()
            if self._given_directory is None:
                shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def submit_local(
        self, message: bytes, sender: str, recipients: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[bytes]:
        """Hand a message to sendmail(1); without recipients it reads them (`-t`).

        The exit code is the program's own and is not judged: Postfix's is 0 once the
        message is in the maildrop, whatever the milters say about it later.
        """
        addressed = ["--", *recipients] if recipients else ["-t"]
        return subprocess.run(
            [self.program("sendmail"), "-i", "-f", sender, *addressed],
            input=message,
            env=self.environment,
            capture_output=True,
            check=False,
        )

    def queue(self) -> list[Queued]:
        """List every message in the queue, held ones too."""
        lines = self.run("postqueue", "-j").splitlines()
        entries: list[Queued] = [json.loads(line) for line in lines]
        return entries

    def held(self) -> list[Queued]:
        """List the messages in the hold queue."""
        return [entry for entry in self.queue() if entry["queue_name"] == "hold"]

    def hold(self, queue_id: str) -> None:
        """Put a message on hold, as an operator would; not while it is delivered."""
        self.run("postsuper", "-h", queue_id)

    def release(self, queue_id: str) -> None:
        """Take a message off hold and have it delivered at once."""
        self.run("postsuper", "-H", queue_id)
        self.run("postqueue", "-i", queue_id)

    def delete(self, queue_id: str) -> None:
        """Remove a message from the queue."""
        self.run("postsuper", "-d", queue_id)

    def flush(self) -> None:
        """Have all mail that is not on hold tried now.

        A message that is just being deferred is passed over, and rests for a minute:
        "skipped, still being delivered".
        """
        self.run("postqueue", "-f")

    def log(self) -> str:
        """Give the mail log so far; after `stop`, all of it."""
        if self._directory is None:
            return self._last_log
        path = self._directory / "log/mail.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def run(self, command: str, *arguments: str) -> str:
        """Run one of Postfix's commands on this instance, and give what it printed."""
        result = subprocess.run(
            [self.program(command), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise LabError(f"{command} {' '.join(arguments)}: {result.stderr.strip()}")
        return result.stdout

    def _configure(self) -> None:
        make_queue(self.directory)
        owner = pwd.getpwnam(MAIL_OWNER).pw_uid
        database = self.directory / "lib/sasldb2"
        sasl.write_users(
            self._users,
            root=self._root,
            database=database,
            realm=HOSTNAME,
            owner=owner,
        )
        sasl.write_configuration(self.config_directory / "sasl/smtpd.conf", database)
        settings = {
            "myhostname": HOSTNAME,
            "smtpd_milters": ", ".join(m.for_postfix() for m in self._milters),
            "non_smtpd_milters": ", ".join(
                m.for_postfix() for m in self._local_milters
            ),
            "default_transport": (
                f"smtp:[{LOOPBACK}]:{self._sink}" if self._sink else "discard:"
            ),
            "smtpd_sasl_auth_enable": "yes" if self._users else "no",
            **self._settings,
        }
        listeners = {self.ports[name]: o for name, o in self._services.items()}
        for name, text in (
            ("main.cf", render_main(self.directory, self._root, settings)),
            ("master.cf", render_master(listeners)),
        ):
            path = self.config_directory / name
            path.write_text(text)
            # Postfix waits until a configuration file is a second old, lest an editor
            # be at work on it: 2 s that no test needs.
            an_hour_ago = time.clock_gettime(time.CLOCK_REALTIME) - 3600
            os.utime(path, (an_hour_ago, an_hour_ago))

    def _run_master(self) -> None:
        output = self.directory / "log/master.out"
        early = self.directory / "log/early.sock"
        # What master says before it has read maillog_file goes where these tell it to,
        # and nowhere without them (postlogd(8)'s protocol is a datagram per line).
        postlog = {"POSTLOG_SERVICE": str(early), "POSTLOG_HOSTNAME": HOSTNAME}
        with Syslog(early, output):
            server = self._server = spawn(
                [self._root / "usr/lib/postfix/sbin/master"],
                env=self.environment | postlog,
                cwd=self.queue_directory,
                output=output,
            )
            wait_until(
                lambda: server.poll() is not None or "daemon started" in self.log(),
                "Postfix says that it started",
            )
        if server.poll() is not None:
            raise LabError(f"Postfix ended:\n{output.read_text()}{self.log()}")
        wait_until(
            lambda: all(is_listening(port) for port in self.ports.values()),
            f"Postfix listens on {sorted(self.ports.values())}",
        )
