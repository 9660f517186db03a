"""OpenDKIM as a second judge of signatures, from Debian's packages, unpacked.

    verdicts = verify(messages, {"2026a._domainkey.example.org": "v=DKIM1; p=…"})

It reads messages from files (`opendkim -t`) with a table in place of the DNS, and says
for each signature what its Authentication-Results would.

Failure: `LabUnavailable` where the packages or their libraries cannot be had.
"""

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.debs import require_libraries, unpack
from lab.errors import LabError

_PACKAGES = (
    *("opendkim", "miltertest", "libopendkim11", "librbl1", "libvbr2", "liblua5.3-0"),
    *("libmemcached11", "libhashkit2", "libopendbx1"),
)
_RESULT = re.compile(
    r"\bdkim=(?P<result>[a-z]+)(?: \([^)]*\))*(?: reason=\"[^\"]*\")?"
    r" header\.d=\S+ header\.i=\S+ header\.a=\S+"
    r"\s+header\.s=(?P<selector>\S+)"
)

Verdict = dict[str, str]
"""Selector to result, such as `{"2026a": "pass"}`."""


def program(name: str = "usr/sbin/opendkim") -> tuple[Path, dict[str, str]]:
    """A program of the packages, and the environment that it runs in."""
    root = unpack(*_PACKAGES)
    libraries = root / "usr/lib/x86_64-linux-gnu"
    if not libraries.is_dir():
        (libraries,) = (root / "usr/lib").glob("*-linux-gnu*")
    path = f"{libraries}:{root / 'usr/lib'}"
    require_libraries(root / name, libraries=Path(path))
    return root / name, {"LD_LIBRARY_PATH": path, "PATH": "/usr/bin:/bin"}


def verify(messages: Sequence[bytes], records: Mapping[str, str]) -> list[Verdict]:
    """Judge messages whose lines end with CRLF; `{}` where it judged none."""
    binary, environment = program()
    with tempfile.TemporaryDirectory(prefix="outgate-opendkim-") as name:
        directory = Path(name)
        (directory / "dns").write_text(
            "".join(f"{host} {record}\n" for host, record in records.items())
        )
        config = directory / "opendkim.conf"
        config.write_text(
            f"Mode v\nTestDNSData file:{directory}/dns\nSyslog no\nStrictTestMode yes\n"
            "On-BadSignature accept\nOn-Default accept\nMaximumHeaders 0\n"
            "ResolverTracing no\n"
        )
        verdicts: list[Verdict] = []
        for number, message in enumerate(messages):
            (directory / str(number)).write_bytes(message)
            done = subprocess.run(
                [binary, "-x", config, "-v", "-v", "-t", directory / str(number)],
                env=environment,
                capture_output=True,
                check=False,
                timeout=60,
            )
            output = done.stdout.decode("latin-1")
            if b"configuration" in done.stderr:
                raise LabError(done.stderr.decode("latin-1"))
            verdicts.append(
                {
                    found["selector"]: found["result"]
                    for found in _RESULT.finditer(output)
                }
            )
        return verdicts
