"""The README's snippets, as they stand there."""

import re
import shlex
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lab.debs import unpack
from lab.outgate import Outgate
from lab.postfix import Postfix
from lab.sendmail import PACKAGES as SENDMAIL_PACKAGES
from lab.sink import Sink
from lab.skips import or_skip
from lab.smtp import send
from lab.waiting import wait_until
from outgate.config.reader import parse
from outgate.config.settings import SYSTEM_PATHS
from system.messages import letter

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
# What only a machine that is really set up may do; each says that it was called.
_STUBBED = ("adduser", "apt", "git", "make", "systemctl")


def block(after: str, language: str = "") -> str:
    """The first fenced block after some words."""
    found = re.search(
        rf"```{language}\n(.*?)```", README[README.index(after) :], re.DOTALL
    )
    if found is None:
        pytest.fail(f"no block after {after!r}")
    return found[1]


def test_the_configuration_is_accepted() -> None:
    """All of its keys exist and agree, on a machine without Postfix too."""
    settings = parse(block("enough to begin with", "toml"))

    assert [listen.path.value for listen in settings.listen] == [
        "smtp",
        "local-submission",
    ]


def test_the_package_has_the_same_sockets_and_store() -> None:
    """Whoever takes the packaged file, or types this one, has the same gate."""
    here = parse(block("enough to begin with", "toml"))
    packaged = parse((ROOT / "packaging/deb/outgate.toml").read_text())

    assert [listen.address for listen in here.listen] == [
        listen.address for listen in packaged.listen
    ]
    assert (here.store, here.mode) == (packaged.store, packaged.mode)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A root directory of its own, and the programs that would change a real one."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in _STUBBED:
        (programs / name).write_text(f'#!/bin/sh\necho {name} "$@" >>{tmp_path}/did\n')
    # Owners need accounts that are not here; modes and directories do not.
    (programs / "install").write_text(
        "#!/bin/bash\nwords=()\nwhile [ $# -gt 0 ]; do case $1 in -o|-g) shift 2;;"
        ' *) words+=("$1"); shift;; esac; done\nexec /usr/bin/install "${words[@]}"\n'
    )
    # The environment of these tests has what pip would bring.
    (programs / "python3").write_text(
        '#!/bin/sh\n[ "$1 $2" = "-m venv" ] || exit 2\nmkdir -p "$3/bin"\n'
        'ln -s /bin/true "$3/bin/pip"\n'
        f'ln -s {Path(sys.executable).parent}/outgate "$3/bin/outgate"\n'
    )
    for program in programs.iterdir():
        program.chmod(0o755)
    for place in ("usr/local/bin", "etc/systemd/system"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "outgate").symlink_to(ROOT)
    return tmp_path


def install(machine: Path, text: str) -> list[str]:
    """Type a block on that machine; gives what its programs were told."""
    text = re.sub(r"(?<=[ =>])/(?=opt|usr|etc|var)", f"{machine}/", text)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=machine,
        env={"PATH": f"{machine}/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return (machine / "did").read_text().splitlines()


def test_the_package_is_what_make_deb_builds() -> None:
    """`apt` wants a path for a file, and its name is dpkg's."""
    line = block("On Debian 12, as root", "sh").splitlines()[-1]

    assert line == "make deb && apt install ./build/deb/outgate_*_all.deb"
    assert "stage=$here/build/deb" in (ROOT / "packaging/deb/build").read_text()


def test_the_virtual_environment_is_a_whole_installation(machine: Path) -> None:
    """Each line works after the one before it, and the command is on PATH then."""
    did = install(machine, block("Without the package", "sh"))

    sockets = machine / "var/spool/postfix/outgate"
    config = machine / "etc/outgate/outgate.toml"
    unit = (machine / "etc/systemd/system/outgate.service").read_text()
    checked = subprocess.run(
        [machine / "usr/local/bin/outgate", "--config", config, "config", "check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o2750
    assert stat.S_IMODE((machine / "var/lib/outgate").stat().st_mode) == 0o750
    assert "adduser outgate postdrop" in did
    assert did[-1] == "systemctl enable --now outgate"
    assert f"\nExecStart={machine}/opt/outgate/bin/outgate --config " in unit
    assert checked.stdout.startswith(f"{config}: ok"), checked.stderr
    assert tomllib.loads(config.read_text())["paths"] == SYSTEM_PATHS


@pytest.mark.parametrize(
    "words", ["make demo", "On Debian 12, as root", "Without the package", "## On call"]
)
def test_a_shell_can_read_it(words: str) -> None:
    """No quote is left open."""
    text = block(words, "sh").replace("<queue-id>", "4XyZ")

    subprocess.run(["bash", "-n", "-c", text], check=True)


def test_on_call_speaks_to_the_store_of_the_gate() -> None:
    """The first line of the block names it: the one that the settings above start."""
    lines = block("## On call", "sh").splitlines()

    (alias,) = shlex.split(lines[0].removeprefix("alias "))
    assert alias == f"redis-cli=redis-cli -s {SYSTEM_PATHS['state']}/store/store.sock"
    assert all(line.startswith("redis-cli ") for line in lines[1:])


@pytest.mark.mta
@pytest.mark.usefixtures("unlimited_local_user")
def test_the_postfix_lines_work(outgate: Outgate, sink: Sink) -> None:
    """main.cf takes them; only the sockets are the lab's."""
    settings = {}
    for line in block("### Postfix").splitlines():
        name, equals, value = line.partition(" = ")
        if equals:
            value = value.replace("unix:outgate/outgate.sock", f"unix:{outgate.socket}")
            value = value.replace(
                "unix:outgate/local.sock", f"unix:{outgate.local_socket}"
            )
            settings[name] = value
    with or_skip(), Postfix(sink=sink.port, settings=settings) as postfix:
        result = send(
            postfix.port,
            letter("readme"),
            "a@example.org",
            ["b@example.net"],
            login="rd",
        )
        postfix.submit_local(letter("readme-local"), "a@example.org", ["b@example.net"])
        wait_until(
            lambda: any(b"readme-local" in one.data for one in sink.messages),
            "delivery",
        )

        assert result.queue_id is not None
        assert outgate.message(result.queue_id)["login"] == "rd"
        assert "warning" not in postfix.log().replace("postfix-script", "")


@pytest.mark.mta
def test_the_sendmail_line_is_a_filter(tmp_path: Path) -> None:
    """m4 makes a filter of it, with these time-outs and no F=."""
    with or_skip():
        root = unpack(*SENDMAIL_PACKAGES)
    cf = root / "usr/share/sendmail/cf"
    source = (
        f"define(`_CF_DIR_', `{cf}/')dnl\ninclude(`{cf}/m4/cf.m4')dnl\n"
        f"OSTYPE(`linux')dnl\n{block('### Sendmail')}MAILER(`smtp')dnl\n"
    )
    done = subprocess.run(
        ["m4"], input=source, capture_output=True, text=True, check=True, cwd=tmp_path
    )

    assert (
        "Xoutgate, S=unix:/var/spool/postfix/outgate/outgate.sock, "
        "T=C:5s;S:10s;R:10s;E:60s" in done.stdout
    )
    assert "O InputMailFilters=outgate" in done.stdout
