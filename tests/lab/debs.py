"""Real servers without installing them: Debian packages, downloaded and unpacked.

apt would start an installed MTA or redis-server on a person's machine, and Postfix
and Sendmail exclude each other. Unpacked below `build/lab/root` they are only files:

    root = unpack("postfix", "sasl2-bin")
    root / "usr/sbin/postqueue"

A package is fetched once; `make clean` forgets it. Two processes may ask at a time.

Failure: `LabUnavailable`, in one line, where apt cannot be reached, does not know the
package, or a shared library is missing that `tests/lab/provision` would install.
"""

import fcntl
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.errors import LabUnavailable

REPOSITORY = Path(__file__).resolve().parents[2]
ROOT = REPOSITORY / "build" / "lab" / "root"

# Seconds; a dead mirror must become a reason before it becomes pytest's timeout.
_DOWNLOAD_TIMEOUT = 90


def unpack(*packages: str, root: Path = ROOT) -> Path:
    """Have these Debian packages unpacked below `root`, and give `root` back."""
    root = root.absolute()
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root.with_name(root.name + ".lock")):
        missing = [name for name in packages if not _stamp(root, name).exists()]
        if missing:
            _fetch(missing, root)
    return root


def require_libraries(*binaries: Path, libraries: Path | None = None) -> None:
    """Raise `LabUnavailable` when one of the shared libraries is not installed."""
    env = dict(os.environ)
    if libraries is not None:
        env["LD_LIBRARY_PATH"] = str(libraries)
    listing = subprocess.run(
        ["ldd", *binaries], env=env, capture_output=True, text=True, check=False
    ).stdout
    missing = {
        line.split()[0] for line in listing.splitlines() if line.endswith("not found")
    }
    if missing:
        raise LabUnavailable(
            f"missing shared libraries {', '.join(sorted(missing))}: "
            "run tests/lab/provision"
        )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _stamp(root: Path, package: str) -> Path:
    return root / ".unpacked" / package


def _fetch(packages: list[str], root: Path) -> None:
    if shutil.which("apt-get") is None:
        raise LabUnavailable(f"no apt-get here, so no {', '.join(packages)}")
    with tempfile.TemporaryDirectory(prefix="outgate-debs-") as folder:
        complaint = _download(packages, Path(folder))
        if complaint and os.geteuid() == 0:
            # Lists that are missing or older than the mirror are the usual cause.
            _apt_get("update", folder=Path(folder))
            complaint = _download(packages, Path(folder))
        if complaint:
            raise LabUnavailable(f"apt cannot fetch {' '.join(packages)}: {complaint}")
        for package in packages:
            (archive,) = Path(folder).glob(f"{package}_*.deb")
            subprocess.run(["dpkg", "-x", archive, root], check=True)
            _drop_privileges(root)
            stamp = _stamp(root, package)
            stamp.parent.mkdir(exist_ok=True)
            stamp.write_text(archive.name + "\n")


def _download(packages: list[str], folder: Path) -> str:
    """Download into `folder`; give back apt's complaint, or ""."""
    return _apt_get("download", *packages, folder=folder)


def _apt_get(*arguments: str, folder: Path) -> str:
    # The folder is ours alone, so apt's own user could not write into it.
    command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", *arguments]
    try:
        result = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
            timeout=_DOWNLOAD_TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {_DOWNLOAD_TIMEOUT} s"
    if result.returncode == 0:
        return ""
    errors = [line for line in result.stderr.splitlines() if line.startswith("E:")]
    return errors[0] if errors else f"exit code {result.returncode}"


def _drop_privileges(root: Path) -> None:
    """Take setuid and setgid bits off: their groups are not on this machine."""
    for path in root.rglob("*"):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
            path.chmod(stat.S_IMODE(mode) & 0o777)
