"""docs/README.md: what there is to read, from the pages themselves."""

from collections.abc import Mapping
from pathlib import Path

from pages.markdown import GENERATED, joined, paragraph, table

# Who reads it, and in which order; a page that is not here comes after them.
_READERS = (
    ("configuration.md", "who installs it"),
    ("profiles.md", "who admits customers"),
    ("sendmail.md", "who runs Sendmail"),
    ("redis.md", "who is on call"),
    ("cli.md", "who is on call"),
    ("reasons.md", "who answers a sender"),
    ("counting.md", "who asks why it was bulk"),
    ("dkim.md", "who signs what leaves"),
    ("trace.md", "what tells later whose a message was"),
    ("list-headers.md", "who keeps a mailing list"),
    ("log.md", "who reads its lines"),
    ("complaints.md", "who answers complaints"),
    ("complaint-reports.md", "who answers complaints"),
    ("dossier.md", "who answers complaints"),
    ("evidence.md", "who keeps lists"),
    ("metrics.md", "who watches it"),
    ("optin.md", "who keeps lists"),
    ("challenges.md", "who keeps lists"),
    ("list-permission.md", "who keeps lists"),
    ("privacy.md", "who answers for personal data"),
    ("optin-evidence.md", "who sends list mail through it"),
    ("architecture.md", "who changes it"),
    ("decisions.md", "who changes it"),
)


def page(docs: Path, rendered: Mapping[str, str]) -> str:
    """The page; pages that are about to be written count as written."""
    texts = {
        file.name: file.read_text(encoding="utf-8")
        for file in sorted(docs.glob("*.md"))
        if file.name != "README.md"
    }
    for name, text in rendered.items():
        if name.startswith("docs/"):
            texts[Path(name).name] = text
    readers = dict(_READERS)
    order = [name for name in readers if name in texts]
    order += sorted(texts.keys() - readers.keys())
    return joined(
        "# The manual",
        "Begin with the [README](../README.md): what it is, five minutes to a running gate.",
        table(
            ("page", "for"),
            (
                (f"[{_title(texts[name])}]({name})", readers.get(name, "everybody"))
                for name in order
            ),
        ),
        paragraph(
            "A commented configuration with every key is "
            "[contrib/outgate.toml](../contrib/outgate.toml). What changed, and what to do "
            "about it: [CHANGELOG](../CHANGELOG.md)."
        ),
        GENERATED,
    )


def _title(text: str) -> str:
    return text.partition("\n")[0].removeprefix("# ")
