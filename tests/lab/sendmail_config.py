"""The files of a private Sendmail: sendmail.cf and submit.cf, by m4 from our own .mc.

They are built from Debian's unpacked sendmail-cf, but not with its `debian` ostype,
which expects the package to be installed. What differs from a usual .mc is only what
keeps a test from waiting: no DNS, no ident, retries within seconds, and the same
behaviour on a busy machine, where Sendmail would queue and then close its ports.
"""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from lab.errors import LabError
from lab.milters import Milter
from lab.ports import LOOPBACK

# The user that delivers and submits; of Debian's base system, as on its Sendmail.
USER = "mail"

_HEAD = """\
divert(0)dnl
define(`_CF_DIR_', `{cf}/')dnl
include(`{cf}/m4/cf.m4')dnl
VERSIONID(`lab')dnl
OSTYPE(`linux')dnl
undefine(`confBIND_OPTS')dnl
define(`confSERVICE_SWITCH_FILE', `{directory}/etc/service.switch')dnl
define(`confDOMAIN_NAME', `{hostname}')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`STATUS_FILE', `{directory}/etc/statistics')dnl
define(`confTO_IDENT', `0s')dnl
define(`confTO_ICONNECT', `2s')dnl
define(`confMIN_QUEUE_AGE', `0')dnl
"""

_DAEMON = """\
define(`QUEUE_DIR', `{directory}/mqueue')dnl
define(`confPID_FILE', `{directory}/sendmail.pid')dnl
define(`ALIAS_FILE', `')dnl
define(`HELP_FILE', `')dnl
define(`confDEF_USER_ID', `{user}:{user}')dnl
define(`confLOG_LEVEL', `14')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confAUTH_MECHANISMS', `PLAIN LOGIN')dnl
define(`confAUTH_OPTIONS', `A')dnl
TRUST_AUTH_MECH(`PLAIN LOGIN')dnl
define(`SMART_HOST', `{smart_host}')dnl
define(`ESMTP_MAILER_ARGS', `TCP $h {sink}')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
FEATURE(`promiscuous_relay')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
{milters}
{listeners}
{settings}
MAILER(`smtp')dnl
LOCAL_CONFIG
ESASL_CONF_PATH={directory}/sasl
"""

_SUBMISSION = """\
define(`confRUN_AS_USER', `{user}:{user}')dnl
define(`confTRUSTED_USER', `{user}')dnl
define(`MSP_QUEUE_DIR', `{directory}/clientmqueue')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {port}')dnl
define(`confPID_FILE', `{directory}/sm-client.pid')dnl
FEATURE(`msp', `[{loopback}]')dnl
"""


def write_daemon(
    directory: Path,
    root: Path,
    *,
    hostname: str,
    listeners: Mapping[str, tuple[int, tuple[Milter, ...]]],
    sink: int,
    settings: Mapping[str, str],
) -> None:
    """Write etc/sendmail.cf.

    Args:
        directory: the instance's.
        root: where sendmail-cf is unpacked.
        hostname: what Sendmail calls itself.
        listeners: port and milters of each, by the name that `{daemon_name}` shows.
        sink: the port that all mail is delivered to.
        settings: `conf…` names of cf/README, and their values.
    """
    milters, daemons = [], []
    for name, (port, filters) in listeners.items():
        names = [f"{name.lower()}{index}" for index, _ in enumerate(filters)]
        milters += [
            f"MAIL_FILTER(`{label}', `{milter.for_sendmail()}')dnl"
            for label, milter in zip(names, filters, strict=True)
        ]
        asked = f", InputMailFilters={';'.join(names)}" if names else ""
        daemons.append(
            f"DAEMON_OPTIONS(`Name={name}, Port={port}, Addr={LOOPBACK}, "
            f"Family=inet{asked}')dnl"
        )
    body = _DAEMON.format(
        directory=directory,
        user=USER,
        smart_host=f"esmtp:[{LOOPBACK}]",
        sink=sink,
        milters="\n".join(milters) or "dnl",
        listeners="\n".join(daemons),
        settings="\n".join(f"define(`{k}', `{v}')dnl" for k, v in settings.items())
        or "dnl",
    )
    _write(directory, root, hostname, "sendmail", body)


def write_submission(directory: Path, root: Path, *, hostname: str, port: int) -> None:
    """Write etc/submit.cf; what sendmail(1) takes in goes to `port`."""
    body = _SUBMISSION.format(
        directory=directory, user=USER, port=port, loopback=LOOPBACK
    )
    _write(directory, root, hostname, "submit", body)


def _write(directory: Path, root: Path, hostname: str, name: str, body: str) -> None:
    cf = root / "usr/share/sendmail/cf"
    head = _HEAD.format(cf=cf, directory=directory, hostname=hostname)
    source = directory / f"etc/{name}.mc"
    source.write_text(head + body)
    result = subprocess.run(["m4", source], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise LabError(f"m4 {source.name}: {result.stderr.strip()}")
    (directory / f"etc/{name}.cf").write_text(result.stdout)
