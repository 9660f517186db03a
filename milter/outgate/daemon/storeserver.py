"""The embedded server under the supervisor's eye: started, adopted, watched, ended.

At the daemon's start there is somebody to wait for; afterwards nothing here waits, since
the supervisor's one loop has workers to look after. A server that loads a long file is
alive: the daemon goes on without it, degraded, and nobody kills it.
"""

import subprocess
import time

from outgate.daemon.adopted import Adopted, adopt
from outgate.daemon.backoff import Backoff
from outgate.log.lines import Log
from outgate.model.errors import (
    EX_CANTCREAT,
    EX_CONFIG,
    StartError,
    StoreUnavailable,
)
from outgate.store.embedded import EmbeddedStore, Life

# A server that neither answers nor says that it loads.
_SILENCE_S = 30.0
# A daemon that starts has so much patience with a file that is being loaded.
_LOADING_S = 2.0
_START_TICK_S = 0.02
_LOOK_EVERY_S = 0.4
# A look at a server that hangs takes its time-out: ten times as long without one follow.
_REST = 10
_STOP_S = 10.0


class StoreServer:
    """One embedded server, whoever started it."""

    def __init__(self, embedded: EmbeddedStore, log: Log) -> None:
        self._embedded = embedded
        self._log = log
        self._process: subprocess.Popen[bytes] | Adopted | None = None
        self._program = ""
        self._backoff = Backoff()
        self._ready = False
        self._loading = False
        self._started_s = 0.0
        self._heard_s = 0.0
        self._next_look_s = 0.0

    def start(self) -> None:
        """Start the server or adopt a living one, and wait until it serves or loads.

        Raises:
            StartError: it does not start.
        """
        self._begin()
        while True:
            now_s = time.monotonic()
            self._look(now_s)
            process = self._process
            if self._ready or process is None:
                return
            if self._loading and now_s - self._started_s > _LOADING_S:
                return
            if process.poll() is not None or now_s - self._heard_s > _SILENCE_S:
                if isinstance(process, Adopted):
                    # It may have a reason, and it has the data.
                    return
                process.kill()
                process.wait()
                self._process = None
                raise StartError(
                    f"store: {self._program} does not start: "
                    f"{self._embedded.last_words()}",
                    EX_CANTCREAT,
                )
            time.sleep(_START_TICK_S)

    def watch(self) -> bool:
        """Look once, without waiting; True if it was found dead just now."""
        now_s = time.monotonic()
        process = self._process
        died = False
        if process is not None and process.poll() is not None:
            died = True
            self._note_death(process, now_s)
        if self._process is None:
            if self._backoff.may_start(now_s):
                self._begin_again(now_s)
        elif not self._ready and now_s >= self._next_look_s:
            self._look(now_s)
            self._lose_patience(now_s)
        return died

    def stop(self) -> None:
        """End the server; its data is on disk when it has ended."""
        process = self._process
        if process is None:
            return
        try:
            process.terminate()
            process.wait(timeout=_STOP_S)
        except (OSError, subprocess.TimeoutExpired):
            self._log.error("store-not-stopped", pid=process.pid)

    def _note_death(
        self, process: subprocess.Popen[bytes] | Adopted, now_s: float
    ) -> None:
        self._log.error(
            "process-died",
            role="store",
            pid=process.pid,
            exit_code="" if isinstance(process, Adopted) else process.returncode,
            message=self._embedded.last_words(),
        )
        if isinstance(process, Adopted):
            process.release()
        self._backoff.ended(self._started_s, now_s)
        self._process = None

    def _begin(self) -> None:
        now_s = time.monotonic()
        self._ready = self._loading = False
        self._started_s = self._heard_s = now_s
        self._next_look_s = 0.0
        embedded = self._embedded
        try:
            self._process = adopt(embedded.socket, embedded.pid_file)
        except OSError as error:
            self._leave(
                f"somebody listens on {embedded.socket}, and cannot be watched: "
                f"{error.strerror}",
                now_s,
            )
            return
        if self._process is not None:
            self._log.info("store-adopted", pid=self._process.pid)
            return
        command = embedded.prepare()
        self._program = command[0]
        try:
            with embedded.claim() as lock:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,
                    pass_fds=(lock,),
                )
        except StoreUnavailable as error:
            self._leave(str(error), now_s)
        except OSError as error:
            raise StartError(
                f"store: {command[0]}: {error.strerror}", EX_CONFIG
            ) from error

    def _leave(self, why: str, now_s: float) -> None:
        """Start none beside one that cannot be adopted; mail goes on without either."""
        self._log.error("store-not-started", message=why)
        self._backoff.ended(now_s, now_s)

    def _begin_again(self, now_s: float) -> None:
        try:
            self._begin()
        except StartError as error:
            self._log.error("store-not-started", message=str(error))
            self._backoff.ended(now_s, now_s)

    def _look(self, now_s: float) -> None:
        if self._process is None:
            return
        life = self._embedded.ask()
        took_s = time.monotonic() - now_s
        self._next_look_s = now_s + max(_LOOK_EVERY_S, _REST * took_s)
        if life is Life.READY:
            self._ready = True
            if not isinstance(self._process, Adopted):
                self._log.info(
                    "store-started", program=self._program, pid=self._process.pid
                )
        elif life is Life.LOADING:
            self._heard_s = now_s
            if not self._loading:
                self._loading = True
                self._log.info("store-loading", pid=self._process.pid)

    def _lose_patience(self, now_s: float) -> None:
        process = self._process
        if process is None or self._ready or now_s - self._heard_s <= _SILENCE_S:
            return
        self._log.error("store-silent", pid=process.pid, seconds=int(_SILENCE_S))
        self._heard_s = now_s
        if not isinstance(process, Adopted):
            # It has not served anybody yet; `watch` sees its end and starts another.
            process.kill()
