"""Small filters to try an MTA on: real pymilter ones, and ones that misbehave.

Both give the address they listen at, and end with the `with` block.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lab.milterevents import Actions, MilterLostError, Steps
from lab.milterwire import Wire, dial
from lab.waiting import wait_until

_SCRIPT = """
import sys
import Milter
from Milter import noreply

Milter.set_exception_policy(Milter.{policy})

{decorator}
class Filter(Milter.Base):
{methods}

Milter.factory = Filter
Milter.runmilter("filter", sys.argv[1], 10)
"""
_PATIENCE = 10.0


@contextlib.contextmanager
def pymilter(
    folder: Path,
    methods: str,
    *,
    port: int | None = None,
    decorator: str = "",
    policy: str = "TEMPFAIL",
) -> Iterator[str]:
    """Run a Milter.Base with these methods; what it prints goes to folder/filter.log.

    `policy` is what pymilter answers when a callback raises.
    """
    sock = folder / "filter.sock"
    methods = textwrap.indent(textwrap.dedent(methods), "    ")
    script = _SCRIPT.format(methods=methods, decorator=decorator, policy=policy)
    listen = f"unix:{sock}" if port is None else f"inet:{port}@127.0.0.1"
    address = f"unix:{sock}" if port is None else f"inet:127.0.0.1:{port}"
    with (
        (folder / "filter.log").open("ab") as log,
        subprocess.Popen(
            [sys.executable, "-u", "-c", script, listen],
            cwd=folder,
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            wait_until(lambda: _listens(address), f"a filter listens at {address}")
            yield address
        finally:
            # An orderly end takes libmilter up to five seconds.
            process.kill()


def _listens(address: str) -> bool:
    try:
        dial(address, _PATIENCE).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def scripted(
    folder: Path,
    script: Mapping[bytes, Sequence[tuple[bytes, bytes]]],
    *,
    steps: Steps = Steps.NONE,
    actions: Actions = Actions.ALL,
    connections: int = 1,
) -> Iterator[str]:
    """Answer each command with the packets that the script has for it.

    Commands that are not in the script get CONTINUE, and the offer gets `steps` and
    `actions`. The answer (b"", b"") hangs up.
    """
    answers: dict[bytes, Sequence[tuple[bytes, bytes]]] = {
        b"O": [(b"O", struct.pack(">III", 6, actions, steps))],
        b"A": [],
        b"D": [],
        **script,
    }

    def serve() -> None:
        for _ in range(connections):
            peer, _ = listener.accept()
            with peer, contextlib.suppress(MilterLostError):
                link = Wire(peer)
                while (command := link.read(_PATIENCE)[0]) != b"Q":
                    for answer in answers.get(command, [(b"c", b"")]):
                        if answer == (b"", b""):
                            raise MilterLostError("hangs up")
                        link.put(*answer)
                    link.flush()

    with socket.socket(socket.AF_UNIX) as listener:
        listener.settimeout(_PATIENCE)
        listener.bind(str(folder / "scripted.sock"))
        listener.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"unix:{folder / 'scripted.sock'}"
        finally:
            thread.join()
