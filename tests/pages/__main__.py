"""The pages of the manual that come from the code, and every link between pages.

python -m pages            write what has changed (`make docs`)
python -m pages --check    change nothing; exit 1 and say what differs (`make check`)
"""

import argparse
import sys
from pathlib import Path

from pages import (
    cli,
    complaint_reports,
    configuration,
    counting,
    dossier,
    evidence,
    index,
    list_headers,
    log,
    metrics,
    reasons,
    redis,
)
from pages.links import broken_links

ROOT = Path(__file__).resolve().parents[2]

PAGES = {
    "contrib/outgate.toml": configuration.sample_file,
    "docs/cli.md": cli.page,
    "docs/complaint-reports.md": complaint_reports.page,
    "docs/configuration.md": configuration.page,
    "docs/counting.md": counting.page,
    "docs/list-headers.md": list_headers.page,
    "docs/log.md": log.page,
    "docs/dossier.md": dossier.page,
    "docs/evidence.md": evidence.page,
    "docs/metrics.md": metrics.page,
    "docs/reasons.md": reasons.page,
    "docs/redis.md": redis.page,
}
# Made last, from the titles of all the others.
INDEX = "docs/README.md"


def write(root: Path) -> list[str]:
    """Write what has changed; gives the paths."""
    written = []
    for name, text in rendered(root).items():
        file = root / name
        if _read(file) != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            written.append(name)
    return written


def check(root: Path) -> list[str]:
    """One line for each page that differs from the code, and each link that leads nowhere."""
    differing = [
        f"{name}: {'differs from the code' if (root / name).exists() else 'is missing'}"
        ": run `make docs`"
        for name, text in rendered(root).items()
        if _read(root / name) != text
    ]
    return differing + broken_links(root)


def rendered(root: Path) -> dict[str, str]:
    """Every page by its path, as the code makes it now."""
    pages = {name: render() for name, render in PAGES.items()}
    pages[INDEX] = index.page(root / "docs", pages)
    return pages


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Run the program; gives its exit code."""
    parser = argparse.ArgumentParser(prog="python -m pages", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    if parser.parse_args(arguments).check:
        wrong = check(root)
        sys.stderr.writelines(f"{line}\n" for line in wrong)
        return 1 if wrong else 0
    sys.stdout.writelines(f"{name}: written\n" for name in write(root))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
