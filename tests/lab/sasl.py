"""Users with passwords for SMTP AUTH, in a private Cyrus sasldb.

`saslpasswd2` comes unpacked from Debian's sasl2-bin; the PLAIN and LOGIN mechanisms
and the sasldb plugin are shared libraries that `tests/lab/provision` installs.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from lab.debs import require_libraries

PACKAGE = "sasl2-bin"


def write_users(
    users: Mapping[str, str], *, root: Path, database: Path, realm: str, owner: int
) -> None:
    """Write `database` with these users and passwords, readable by `owner` only."""
    program = root / "usr/sbin/saslpasswd2"
    require_libraries(program)
    for user, password in users.items():
        subprocess.run(
            [program, "-p", "-c", "-f", database, "-u", realm, user],
            input=password.encode(),
            check=True,
        )
    if users:
        os.chown(database, owner, -1)
        database.chmod(0o600)


def write_configuration(path: Path, database: Path) -> None:
    """Write the file that tells libsasl to ask `database`."""
    path.write_text(
        "pwcheck_method: auxprop\n"
        "auxprop_plugin: sasldb\n"
        f"sasldb_path: {database}\n"
        "mech_list: PLAIN LOGIN\n"
    )
