"""The `outgate` command, with nothing of this machine's around it.

`program` runs it as a shell does. `outgate` runs its `main` in this process, which gives
the same exit code and the same bytes, and spares the imports of a hundred processes.
"""

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import click

from lab.redis import RedisServer
from outgate.cli.main import cli, main

MESSAGE = b"""\
From: Anne <anne@example.com>
To: bart@example.net
Subject: Lunch
Date: Tue, 24 Nov 2026 06:00:00 +0000
Message-ID: <1@example.com>

At noon?
"""
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    stdout: str
    stderr: str


def program(*words: str | Path, environment: Mapping[str, str] | None = None) -> Done:
    """Run the command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "outgate", *words],
        env={**_ENVIRONMENT, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def outgate(
    *words: str | Path,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
) -> Done:
    """Run the command here, as a person would who has set these variables."""
    variables = {**_ENVIRONMENT, **(environment or {})}
    arguments = ["outgate", *map(str, words)]
    code = 0
    out = io.TextIOWrapper(io.BytesIO(), newline="")
    with (
        redirect_stdout(out),
        redirect_stderr(io.StringIO()) as err,
        patch.dict(os.environ, variables, clear=True),
        patch.object(sys, "argv", arguments),
        patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    out.flush()
    said = out.buffer.getvalue().decode()
    return Done(code, said, err.getvalue())


def every_command(
    command: click.Command = cli, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Each command and group, by the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        for name, inner in sorted(command.commands.items()):
            yield from every_command(inner, (*path, name))


def configure(
    directory: Path, server: RedisServer, namespace: str, settings: str = ""
) -> Path:
    """A configuration that speaks to this server, with keys of a test's own."""
    (directory / "secret").write_text("5e" * 32)
    file = directory / "outgate.toml"
    file.write_text(
        f'mode = "enforce"\n'
        f'[store]\nurl = "{server.url}"\nnamespace = "{namespace}"\n'
        f'[secrets]\nfile = "{directory}/secret"\n'
        f'[paths]\nstate = "{directory}/state"\nruntime = "{directory}/run"\n'
        f"{settings}"
    )
    return file
