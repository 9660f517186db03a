"""Whether an MTA gets as far as a unix socket: for who looks from outside."""

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_ACL = "system.posix_acl_access"
_Account = tuple[int | None, frozenset[int]]
"""User id, None for any, and group ids."""


def barred(path: Path) -> Iterator[str]:
    """Directories that keep the MTA from a unix socket, each with what mends it.

    The MTA is one account of the socket's group, or anybody where others may use it;
    root passes everywhere, and a directory with an ACL is not judged.

    Raises:
        OSError: something may not be looked at.
    """
    there = path.stat()
    if not there.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return
    directories = list(path.parent.resolve().parents)[::-1]
    directories.append(path.parent.resolve())
    accounts = _members(there.st_gid, there.st_uid)
    if not accounts or there.st_mode & stat.S_IWOTH:
        accounts.append((None, frozenset({there.st_gid})))
    closed = min(
        ([one for one in directories if not _passes(one, who)] for who in accounts),
        key=len,
    )
    group = _name(there.st_gid)
    for directory in closed:
        found = directory.stat()
        mend = f"chmod g+x {directory}"
        if found.st_gid != there.st_gid:
            mend = (
                f"chgrp {group} {directory} && {mend}"
                if found.st_uid
                else f"chmod o+x {directory}"
            )
        mode = f"{stat.S_IMODE(found.st_mode):04o}"
        yield f"group {group} may not pass {directory} ({mode}): `{mend}`"


def _members(group: int, owner: int) -> list[_Account]:
    """Accounts of a group, without root and the socket's owner."""
    try:
        names = set(grp.getgrgid(group).gr_mem)
    except KeyError:
        names = set()
    found: list[_Account] = []
    for account in pwd.getpwall():
        if account.pw_gid != group and account.pw_name not in names:
            continue
        if account.pw_uid not in {0, owner}:
            groups = os.getgrouplist(account.pw_name, account.pw_gid)
            found.append((account.pw_uid, frozenset(groups)))
    return found


def _passes(directory: Path, who: _Account) -> bool:
    """Whether an account may search a directory: path_resolution(7)."""
    user, groups = who
    found = directory.stat()
    if found.st_uid == user:
        return bool(found.st_mode & stat.S_IXUSR)
    with suppress(OSError):
        if _ACL in os.listxattr(directory):
            return True
    if found.st_gid in groups:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _name(group: int) -> str:
    try:
        return grp.getgrgid(group).gr_name
    except KeyError:
        return str(group)
