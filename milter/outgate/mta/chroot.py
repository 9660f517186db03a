"""Whether Postfix looks for a socket in its chroot, where it is not."""

import shutil
import subprocess
from pathlib import Path

_TIMEOUT_S = 5
# Which daemon asks the milters of which parameter.
_ASKS = {"smtpd": "smtpd_milters", "cleanup": "non_smtpd_milters"}
# postconf(1) -M: service, type, private, unprivileged, chroot, wakeup, limit, command.
_CHROOT, _COMMAND = 4, 7


def missed(socket: Path) -> str:
    """Where a chrooted daemon of Postfix looks for a socket in vain, and what mends it.

    Returns:
        "" where none does, and where there is no Postfix to be asked. Only what
        main.cf says is looked at, and only a chroot that master.cf names.
    """
    directory = _ask("-h", "queue_directory").strip()
    services = [line.split() for line in _ask("-M").splitlines()]
    if not directory:
        return ""
    for words in services:
        if len(words) <= _COMMAND or words[_CHROOT] != "y":
            continue
        parameter = _ASKS.get(words[_COMMAND])
        if parameter is None:
            continue
        named = _ask("-hx", parameter).replace(",", " ").split()
        inside = Path(f"{directory}{socket}")
        if f"unix:{socket}" in named and not inside.is_socket():
            return (
                f"Postfix's {words[_COMMAND]} runs in a chroot, where {parameter} means "
                f"{inside}: let `listen` name a socket below {directory}, and "
                f"{parameter} the path from there on, or write `n` for chroot in "
                "master.cf"
            )
    return ""


def _ask(*words: str) -> str:
    command = shutil.which("postconf") or shutil.which("postconf", path="/usr/sbin")
    if command is None:
        return ""
    try:
        done = subprocess.run(
            [command, *words],
            capture_output=True,
            check=False,
            timeout=_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace")
