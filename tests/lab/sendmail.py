"""A private Sendmail: Debian's binaries, none of them installed.

    with Sink() as sink, Sendmail(
        milters=[Milter(8890)], users={"alice": "secret"}, sink=sink.port
    ) as sendmail:
        send(sendmail.port, message, "a@x.example", ["b@y.example"],
             auth=("alice", "secret"))

Mail by SMTP passes `milters`. Mail from sendmail(1) takes Sendmail's usual way: the
submission program hands it by SMTP to the daemon, here to a port of its own where
`local_milters` says so. Everything accepted goes to the sink.

Sendmail looks up its own host name before it reads its configuration, and sleeps for
a minute when that has no dot; it logs to /dev/log only; and its deliveries detach
themselves. So the instance lives in namespaces: with a host name, an /etc/hosts and a
/dev of its own, and with all its processes in a box that the kernel closes at once.

Failure: `LabUnavailable` without root (the namespaces need it), apt or libraries;
`LabError` with the log when it does not come up or a command fails.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab import sasl
from lab.debs import ROOT, require_libraries, unpack
from lab.directories import make_directory
from lab.errors import LabError, LabUnavailable
from lab.milters import Milter
from lab.ports import free_port, is_listening
from lab.processes import Server, children, end, spawn
from lab.queued import Queued
from lab.sendmail_config import USER, write_daemon, write_submission
from lab.sendmail_queue import read_queue
from lab.service import Service
from lab.syslog import Syslog
from lab.waiting import wait_until

HOSTNAME = "mx.local.example"
PACKAGES = ("sendmail-bin", "sendmail-base", "sendmail-cf", sasl.PACKAGE)

# $1 is the instance's directory, the rest is the command. /dev is replaced, since a
# /dev/log cannot be mounted where none exists.
_NAMESPACE = """\
set -e
directory=$1; shift
hostname mx.local.example
[ -e /etc/hosts ] || : >/etc/hosts
mount --bind "$directory/etc/hosts" /etc/hosts
mount -t tmpfs -o mode=755 none "$directory/dev"
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom "$directory/dev"
ln -s "$directory/log.sock" "$directory/dev/log"
ln -s /proc/self/fd "$directory/dev/fd"
mount --rbind "$directory/dev" /dev
exec "$@"
"""


_UNSHARE = ("unshare", "--uts", "--mount", "--pid", "--fork", "--kill-child")


class Sendmail(Service):
    """One instance; start and stop it, or use it as a context manager.

    Args:
        milters: asked about mail that comes by SMTP.
        local_milters: asked, instead of `milters`, about mail from sendmail(1), which
            then enters by a port of its own.
        sink: the port that all mail is delivered to.
        settings: `conf…` definitions of cf/README beyond, or instead of, the lab's.
        users: passwords by user name for SMTP AUTH.
        port: where SMTP is spoken; a free one by default.
        directory: holds everything and is kept; by default a temporary one that
            `stop` removes. No part of its path may be writable by others.
        root: where the packages are unpacked.
    """

    def __init__(
        self,
        *,
        sink: int,
        milters: Sequence[Milter] = (),
        local_milters: Sequence[Milter] | None = None,
        settings: Mapping[str, str] | None = None,
        users: Mapping[str, str] | None = None,
        port: int | None = None,
        directory: Path | None = None,
        root: Path = ROOT,
    ) -> None:
        self.port = port or free_port()
        self._listeners = {"MTA": (self.port, tuple(milters))}
        self.local_port = self.port
        if local_milters is not None:
            self.local_port = free_port()
            self._listeners["LOCAL"] = (self.local_port, tuple(local_milters))
        self._sink = sink
        self._settings = settings or {}
        self._users = users or {}
        self._given_directory = directory
        self._root = root
        self._directory: Path | None = None
        self._syslog: Syslog | None = None
        self._server: Server | None = None
        self._last_log = ""

    @property
    def directory(self) -> Path:
        """Where configuration, queues and log of the running instance are."""
        if self._directory is None:
            raise LabError("Sendmail is not started")
        return self._directory

    @property
    def queue_directory(self) -> Path:
        """The queue."""
        return self.directory / "mqueue"

    def start(self) -> None:
        """Come up, and return when mail is accepted on every port."""
        if os.geteuid() != 0:
            raise LabUnavailable("a private Sendmail needs root (namespaces)")
        if shutil.which("m4") is None:
            raise LabUnavailable("no m4 here: run tests/lab/provision")
        probe = subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False)
        if probe.returncode != 0:
            # In a container root may be less than root.
            raise LabUnavailable(f"no namespaces here: {probe.stderr.decode().strip()}")
        self._root = unpack(*PACKAGES, root=self._root)
        require_libraries(self._program())
        try:
            self._directory = make_directory(self._given_directory)
            self._configure()
            self._run_daemon()
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
        if self._syslog is not None:
            self._syslog.stop()
            self._syslog = None
        if self._directory is not None:
            self._last_log = self.log()
            if self._given_directory is None:
                shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def submit_local(
        self, message: bytes, sender: str, recipients: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[bytes]:
        """Hand a message to sendmail(1); without recipients it reads them (`-t`).

        The exit code is the program's own and is not judged: 69, for one, means that
        the daemon refused the message.
        """
        addressed = ["--", *recipients] if recipients else ["-t"]
        return self._call(
            *("-Ac", "-C", self.directory / "etc/submit.cf"),
            *("-i", "-f", sender, *addressed),
            message=message,
        )

    def queue(self) -> list[Queued]:
        """List every message of the daemon's queue, quarantined ones too."""
        return read_queue(self.queue_directory)

    def held(self) -> list[Queued]:
        """List the quarantined messages, each with its `reason`."""
        return [entry for entry in self.queue() if entry["queue_name"] == "hold"]

    def local_queue(self) -> list[Queued]:
        """List what sendmail(1) took in and the daemon has not taken yet."""
        return read_queue(self.directory / "clientmqueue")

    def hold(self, queue_id: str, reason: str = "held") -> None:
        """Quarantine a message, as an operator would."""

        def quarantine() -> bool:
            # Sendmail passes over what a queue run has locked, without a word.
            self.run(f"-Q{reason}", f"-qI{queue_id}")
            return self._is_held(queue_id)

        wait_until(quarantine, f"{queue_id} is quarantined")

    def release(self, queue_id: str) -> None:
        """Lift a quarantine and have the message delivered at once."""
        self.run("-Q", "-qQ", f"-qI{queue_id}")
        if self._is_held(queue_id):
            raise LabError(f"{queue_id} is still quarantined")
        self.run(f"-qI{queue_id}")

    def delete(self, queue_id: str) -> None:
        """Remove a message: its files, for Sendmail has no command to do so."""
        for path in self.queue_directory.glob(f"[a-zA-Z]f{queue_id}"):
            path.unlink()

    def flush(self) -> None:
        """Try all queued mail now: first the local one, then the daemon's."""
        self._call("-Ac", "-C", self.directory / "etc/submit.cf", "-q")
        self.run("-q")

    def log(self) -> str:
        """Give the mail log so far; after `stop`, all of it."""
        if self._directory is None:
            return self._last_log
        path = self._directory / "mail.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def run(self, *arguments: str) -> str:
        """Run sendmail with the daemon's configuration, and give what it printed."""
        result = self._call("-C", self.directory / "etc/sendmail.cf", *arguments)
        if result.returncode != 0:
            raise LabError(
                f"sendmail {' '.join(arguments)}: {result.stderr.decode().strip()}"
            )
        return result.stdout.decode()

    @property
    def command(self) -> list[str]:
        """The program where the daemon is, which knows nothing of its configuration."""
        if self._server is None:
            raise LabError("Sendmail is not started")
        (inside,) = children(self._server.pid)
        enter = ["nsenter", f"--target={inside}", "--uts", "--mount", "--pid", "--root"]
        return [*enter, str(self._program())]

    def _is_held(self, queue_id: str) -> bool:
        return any(entry["queue_id"] == queue_id for entry in self.held())

    def _program(self) -> Path:
        return self._root / "usr/libexec/sendmail/sendmail"

    def _call(
        self, *arguments: str | Path, message: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*self.command, *arguments],
            input=message,
            cwd=self.directory,
            capture_output=True,
            check=False,
        )

    def _configure(self) -> None:
        directory = self.directory
        for name in ("etc", "dev", "sasl", "mqueue", "clientmqueue"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        (directory / "mqueue").chmod(0o700)
        for path in (directory / "mqueue").glob("tf*"):
            # A delivery that an earlier `stop` cut off; the message would be stuck.
            path.unlink()
        user = pwd.getpwnam(USER)
        os.chown(directory / "clientmqueue", user.pw_uid, user.pw_gid)
        (directory / "clientmqueue").chmod(0o770)
        (directory / "etc/hosts").write_text(
            f"127.0.0.1 localhost\n127.0.1.1 {HOSTNAME}\n"
        )
        (directory / "etc/statistics").touch()
        # Files only: no name is ever asked of DNS.
        (directory / "etc/service.switch").write_text("hosts files\naliases files\n")
        database = directory / "sasl/sasldb2"
        sasl.write_users(
            self._users, root=self._root, database=database, realm=HOSTNAME, owner=0
        )
        sasl.write_configuration(directory / "sasl/Sendmail.conf", database)
        write_daemon(
            directory,
            self._root,
            hostname=HOSTNAME,
            listeners=self._listeners,
            sink=self._sink,
            settings=self._settings,
        )
        write_submission(directory, self._root, hostname=HOSTNAME, port=self.local_port)

    def _run_daemon(self) -> None:
        self._syslog = Syslog(self.directory / "log.sock", self.directory / "mail.log")
        self._syslog.start()
        output = self.directory / "sendmail.out"
        configuration = self.directory / "etc/sendmail.cf"
        server = self._server = spawn(
            # -bD stays in the foreground, where it can be ended as a child.
            [
                *(*_UNSHARE, "sh", "-c", _NAMESPACE, "sh", self.directory),
                *(self._program(), "-C", configuration, "-bD", "-q1s"),
            ],
            cwd=self.directory,
            output=output,
        )
        ports = [port for port, _ in self._listeners.values()]
        wait_until(
            lambda: server.poll() is not None or all(map(is_listening, ports)),
            f"Sendmail listens on {ports}",
        )
        if server.poll() is not None:
            raise LabError(f"Sendmail ended:\n{output.read_text()}{self.log()}")
