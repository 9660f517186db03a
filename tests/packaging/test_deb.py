"""The Debian package: built from what is committed, and lived with in Debian 12.

Each life is a script beside this file. It runs in a fresh debootstrap below /var/lib, in
namespaces of its own without a network; one of them is a whole machine, where systemd is
the first process and the unit's sandbox is real.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from lab.errors import LabUnavailable
from lab.skips import or_skip

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
DEB = ROOT / "packaging" / "deb"
# Loopback up, /proc mounted, and everything ends with the script.
IN_CHROOT = """
ip link set lo up
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
exec chroot . "$2"
"""
APART = ["--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child"]
QUIET = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}


def require(*programs: str) -> None:
    """Raise `LabUnavailable` where a program is missing, or we are not root."""
    if os.geteuid() != 0:
        raise LabUnavailable("only root can enter a chroot: sudo make verify")
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        raise LabUnavailable(
            f"no {', '.join(missing)}: run packaging/deb/provision tests"
        )


def run(*command: str | Path, seconds: float = 600) -> str:
    """Run to the end; its output is shown, and is the reason where it fails."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **QUIET},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        timeout=seconds,
    )
    sys.stdout.write(done.stdout)
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-40:])
        pytest.fail(f"{command[0]} exits {done.returncode}:\n{tail}", pytrace=False)
    return done.stdout


def mirror() -> str:
    """The Debian mirror of this machine."""
    listed = subprocess.run(
        [
            "apt-get",
            "indextargets",
            "--format",
            "$(REPO_URI)",
            "Codename: bookworm",
            "Component: main",
            "Identifier: Packages",
        ],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    return listed[0] if listed else "http://deb.debian.org/debian"


@pytest.fixture(scope="module")
def package() -> Path:
    """The package, as `make deb` leaves it."""
    with or_skip():
        require("git", "apt-get")
        if not (ROOT / ".git").exists():
            raise LabUnavailable("no git checkout here to build from")
    run("make", "deb")
    (built,) = (ROOT / "build" / "deb").glob("*.deb")
    return built


@pytest.fixture(scope="module")
def debian() -> Iterator[Path]:
    """A Debian 12 with systemd in it, and nothing that starts by itself."""
    with or_skip():
        require("debootstrap", "unshare", "ip", "chroot")
    place = Path(tempfile.mkdtemp(prefix="outgate-deb-", dir="/var/lib"))
    base = place / "base"
    try:
        command = ["debootstrap", "--variant=minbase", "bookworm", str(base), mirror()]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stdout.splitlines() or ["no output"])[-1]
            with or_skip():
                raise LabUnavailable(f"debootstrap exits {done.returncode}: {last}")
        policy = base / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        shutil.copy("/etc/resolv.conf", base / "etc/resolv.conf")
        apt(base, "update")
        apt(base, "install", "systemd-sysv", "dbus")
        yield base
    finally:
        shutil.rmtree(place, ignore_errors=True)


def apt(root: Path, *arguments: str) -> None:
    """Let apt work in a root directory, with the network."""
    options = ("-y", "-qq", "--no-install-recommends")
    done = subprocess.run(
        ["chroot", root, "apt-get", *options, *arguments],
        env={**QUIET, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"apt-get {' '.join(arguments)}: {done.stderr}", pytrace=False)


def prepare(debian: Path, package: Path, scripts: Sequence[Path], *others: str) -> Path:
    """A copy with the package, the scripts and the .debs that they install."""
    root = debian.parent / scripts[0].name
    # cp, since shutil makes no device files.
    subprocess.run(["cp", "-a", debian, root], check=True)
    for file in scripts:
        shutil.copy(file, root / "root" / file.name)
    shutil.copy(package, root / "root/outgate.deb")
    apt(root, "install", "--download-only", "/root/outgate.deb", *others)
    return root


def test_changelog_and_program_say_the_same_version() -> None:
    """A release that forgets one of them would be called after the other."""
    head = (DEB / "changelog").read_text().split("\n")[0]
    found = re.match(r"outgate \((?P<version>[^-]+)-\d+\)", head)
    project = (ROOT / "pyproject.toml").read_text()

    assert found is not None
    assert f'version = "{found["version"]}"' in project


def test_the_same_commit_gives_the_same_package(package: Path) -> None:
    """Built again, and approved by lintian again: not a byte differs."""
    before = hashlib.sha256(package.read_bytes()).hexdigest()
    run("make", "deb")

    assert hashlib.sha256(package.read_bytes()).hexdigest() == before


def test_the_unit_is_hardened() -> None:
    """By systemd's own measure; 20 stands for 2.0."""
    with or_skip():
        if shutil.which("systemd-analyze") is None:
            raise LabUnavailable("no systemd-analyze here")
    unit = ROOT / "contrib/systemd/outgate.service"

    told = run("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)

    assert "Overall exposure level" in told


@pytest.mark.parametrize(
    ("script", "others"),
    [
        ("chroot", ("postfix", "redis-server")),
        ("sendmail", ("sendmail-bin", "redis-server")),
    ],
)
def test_a_life_without_systemd(
    debian: Path, package: Path, script: str, others: tuple[str, ...]
) -> None:
    """Installed, judging mail, removed, purged: what the script tells."""
    files = [HERE / script, DEB / "tests" / "gate"]
    root = prepare(debian, package, files, *others)

    told = run("unshare", *APART, "sh", "-ec", IN_CHROOT, "sh", root, f"/root/{script}")

    assert "FAILED" not in told


def test_a_life_with_systemd(debian: Path, package: Path) -> None:
    """The unit under a real systemd: sandbox, groups, readiness, reload, triggers."""
    with or_skip():
        require("systemd-nspawn")
    files = [HERE / "machine", DEB / "tests" / "gate", HERE / "prove.service"]
    root = prepare(debian, package, files, "postfix", "redis-server")
    (root / "usr/sbin/policy-rc.d").unlink()
    unit = root / "etc/systemd/system/prove.service"
    (root / "root/prove.service").rename(unit)
    subprocess.run(
        ["systemctl", f"--root={root}", "enable", "-q", unit.name], check=True
    )

    command = ["systemd-nspawn", "--quiet", "--boot", "--private-network"]
    # This machine's own systemd need not run; nobody else hears of the container.
    command += ["--register=no", "--keep-unit", f"--machine=outgate-{os.getpid()}"]
    done = subprocess.run(
        [*command, f"--directory={root}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=600,
    )
    status = root / "root/status"
    if not status.exists():
        last = (done.stderr + done.stdout).strip().splitlines()[-1:]
        with or_skip():
            raise LabUnavailable(f"systemd-nspawn boots no machine here: {last}")
    told = (root / "root/output").read_text(errors="replace")
    sys.stdout.write(told)

    assert status.read_text().strip() == "0", told


def test_piuparts_finds_nothing(package: Path) -> None:
    """Debian's own check of installing and purging."""
    with or_skip():
        require("piuparts")

    told = run(
        "piuparts",
        *("--distribution", "bookworm", "--mirror", f"{mirror()} main"),
        *("--no-eatmydata", "--do-not-verify-signatures", "--warn-on-others"),
        package,
    )

    assert "PASS: All tests" in told
