"""Links between pages: each leads to a file, and each fragment to a heading of it.

Only relative links are followed; the internet is not asked.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

_FENCE = re.compile(r"^(?P<fence>```+|~~~+).*?^(?P=fence)", re.MULTILINE | re.DOTALL)
_INLINE_CODE = re.compile(r"(?P<ticks>`+)(?P<code>.+?)(?P=ticks)")
_LINK = re.compile(r"\]\((?P<target><[^>]*>|[^)\s]*)[^)]*\)")
_DEFINITION = re.compile(r"^ {0,3}\[[^\]]+\]:\s*(?P<target>\S+)", re.MULTILINE)
_HEADING = re.compile(r"^ {0,3}#{1,6}\s+(?P<title>.+?)\s*#*\s*$", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


def broken_links(root: Path) -> list[str]:
    """One line for each link of a page that leads nowhere."""
    return [
        f"{file.relative_to(root)}: link to {target}: {why}"
        for file in pages(root)
        for target in links(file.read_text(encoding="utf-8"))
        if (why := _wrong(root, file, target))
    ]


def pages(root: Path) -> list[Path]:
    """Every Markdown page that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    names = listed.stdout.splitlines() if listed.returncode == 0 else []
    # Without git (an unpacked archive) everything that is not hidden or built.
    found = [root / name for name in names] or [
        file
        for file in root.rglob("*.md")
        if not re.search(r"/(\.|build/|dist/)", f"/{file.relative_to(root)}")
    ]
    return sorted(file for file in found if file.exists())


def links(text: str) -> Iterator[str]:
    """Targets of all links, those in code left out."""
    prose = _INLINE_CODE.sub("`", _FENCE.sub("", text))
    for pattern in (_LINK, _DEFINITION):
        for found in pattern.finditer(prose):
            yield found["target"].strip("<>")


def anchors(text: str) -> set[str]:
    """What may stand after a `#`, as GitHub makes it of headings."""
    seen: dict[str, int] = {}
    for found in _HEADING.finditer(_FENCE.sub("", text)):
        title = re.sub(r"\[(?P<text>[^\]]*)\]\([^)]*\)", r"\g<text>", found["title"])
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        number = seen.get(slug, 0)
        seen[slug] = number + 1
        if number:
            seen[f"{slug}-{number}"] = 1
    return set(seen)


def _wrong(root: Path, page: Path, target: str) -> str:
    """Why a link leads nowhere, "" where it leads somewhere."""
    if _ELSEWHERE.match(target):
        return ""
    path, _, fragment = unquote(target).partition("#")
    start = root if path.startswith("/") else page.parent
    file = (start / path.lstrip("/")).resolve() if path else page
    if not file.exists():
        return "no such file"
    if not file.is_relative_to(root.resolve()):
        return "is outside the repository"
    if fragment and file.suffix == ".md":
        known = anchors(file.read_text(encoding="utf-8"))
        if fragment not in known:
            return f"no heading #{fragment}"
    return ""
