"""The files of a private Postfix: main.cf, master.cf and the queue's directories.

`postfix start` would make the directories and then inspect everything twice; the lab
starts `master` itself, 0.2 s sooner, so the list from postfix-files is repeated here.
"""

import grp
import os
import pwd
from collections.abc import Mapping
from pathlib import Path

from lab.ports import LOOPBACK

# Postfix wants an account and a group that nothing else uses. These belong to every
# Debian system (base-passwd), and no daemon of a present-day system runs as them.
MAIL_OWNER = "list"
SETGID_GROUP = "irc"

# postfix-files of Postfix 3.7: the owner's alone, except for these.
_PRIVATE = [
    "active",
    "bounce",
    "corrupt",
    "defer",
    "deferred",
    "flush",
    "hold",
    "incoming",
    "private",
    "saved",
    "trace",
]
_SHARED = {"maildrop": 0o730, "public": 0o710}

_SERVICES = """\
pickup    unix       n - n 2    1 pickup
cleanup   unix       n - n -    0 cleanup
qmgr      unix       n - n 300  1 qmgr
tlsmgr    unix       - - n 1000? 1 tlsmgr
rewrite   unix       - - n -    - trivial-rewrite
bounce    unix       - - n -    0 bounce
defer     unix       - - n -    0 bounce
trace     unix       - - n -    0 bounce
verify    unix       - - n -    1 verify
flush     unix       n - n 1000? 0 flush
proxymap  unix       - - n -    - proxymap
smtp      unix       - - n -    - smtp
showq     unix       n - n -    - showq
error     unix       - - n -    - error
retry     unix       - - n -    - error
discard   unix       - - n -    - discard
anvil     unix       - - n -    1 anvil
scache    unix       - - n -    1 scache
postlog   unix-dgram n - n -    1 postlogd
"""


def make_queue(directory: Path) -> None:
    """Make etc, lib, log and spool below `directory`, with the owners they need."""
    owner = pwd.getpwnam(MAIL_OWNER).pw_uid
    group = grp.getgrnam(SETGID_GROUP).gr_gid
    for name in ("etc", "etc/sasl", "log", "spool", "spool/pid"):
        (directory / name).mkdir(mode=0o755, parents=True, exist_ok=True)
    own = {"lib": 0o700, **{f"spool/{name}": 0o700 for name in _PRIVATE}}
    for name, mode in own.items():
        _own(directory / name, mode, owner, -1)
    for name, mode in _SHARED.items():
        _own(directory / "spool" / name, mode, owner, group)


def render_main(directory: Path, root: Path, settings: Mapping[str, str]) -> str:
    """Write main.cf; `settings` win over the lab's own."""
    programs = root / "usr/sbin"
    parameters = {
        "compatibility_level": "3.6",
        "queue_directory": f"{directory}/spool",
        "data_directory": f"{directory}/lib",
        "daemon_directory": f"{root}/usr/lib/postfix/sbin",
        "command_directory": f"{programs}",
        "shlib_directory": f"{root}/usr/lib/postfix",
        "meta_directory": f"{root}/etc/postfix",
        "sendmail_path": f"{programs}/sendmail",
        "mailq_path": f"{root}/usr/bin/mailq",
        "newaliases_path": f"{root}/usr/bin/newaliases",
        # Postfix cleans the environment of its children; without the library path
        # they would not find libpostfix-global.so.
        "import_environment": "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LD_LIBRARY_PATH",
        "export_environment": "TZ MAIL_CONFIG LD_LIBRARY_PATH",
        "mail_owner": MAIL_OWNER,
        "setgid_group": SETGID_GROUP,
        "default_privs": "nobody",
        "maillog_file": f"{directory}/log/mail.log",
        "maillog_file_prefixes": f"{directory}",
        "mydomain": "local.example",
        "myorigin": "local.example",
        "mydestination": "",
        # XCLIENT makes a test's client a stranger, and the lab relays for everybody.
        "mynetworks": "0.0.0.0/0, [::]/0",
        "inet_interfaces": LOOPBACK,
        # XCLIENT takes IPv6 addresses only where IPv6 is spoken.
        "inet_protocols": "all",
        "alias_maps": "",
        "alias_database": "",
        "local_recipient_maps": "",
        # No name is ever looked up: DNS would be slow, or an answer from outside.
        "smtp_dns_support_level": "disabled",
        "smtp_host_lookup": "native",
        "smtpd_peername_lookup": "no",
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
        "smtpd_authorized_xclient_hosts": LOOPBACK,
        "smtpd_sasl_path": "smtpd",
        # What fails now is tried again within seconds, not minutes.
        "queue_run_delay": "1s",
        # Not 1s: qmgr takes a file whose time is a second ahead, and when its delivery
        # agent has not let go of it yet, leaves it alone for a minute.
        "minimal_backoff_time": "3s",
        "maximal_backoff_time": "3s",
        "transport_retry_time": "1s",
    }
    lines = (f"{key} = {value}" for key, value in {**parameters, **settings}.items())
    return "\n".join(lines) + "\n"


def render_master(listeners: Mapping[int, Mapping[str, str]]) -> str:
    """Write master.cf: one smtpd for each port, with its options, and the rest."""
    lines = []
    for port, options in listeners.items():
        lines.append(f"{LOOPBACK}:{port} inet n - n - - smtpd")
        lines += [f"  -o {{ {key} = {value} }}" for key, value in options.items()]
    return "\n".join(lines) + "\n" + _SERVICES


def _own(path: Path, mode: int, owner: int, group: int) -> None:
    path.mkdir(exist_ok=True)
    os.chown(path, owner, group)
    path.chmod(mode)
