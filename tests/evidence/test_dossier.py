"""A dossier: what it says, in which form, and that texts of others stay texts."""

import hashlib
import json
import sys
from contextlib import suppress
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evidence.dossiers import (
    ALL,
    CONFIRMED,
    CONSENTED,
    ERASED,
    IMPORTED,
    LEFT,
    SCAN,
    UNKNOWN,
    a_dossier,
)
from outgate.evidence.dossier import hypertext, markdown, pdf
from outgate.evidence.dossier.facts import Opened, base64url, client_of, scan_of
from outgate.evidence.dossier.page import Table, blocks
from outgate.evidence.dossier.words import GRADES, METHODS, PROOFS, STATES, ZONES
from outgate.log.lines import escape
from outgate.model.consent import Grade
from outgate.model.errors import StartError
from outgate.model.optin import Method, State, ZoneSource, commitment_of
from outgate.model.optin_proof import Proof

# The first example imports the reader of Markdown, which may take longer on a busy machine
# than hypothesis grants to one example.
tireless = settings(deadline=None)
HERE = Path(__file__).parent
GOLDEN = {
    "dossier.md": lambda: markdown.render(blocks(ALL)),
    # Not called HTML: Debian takes long lines of that for what has no source.
    "dossier.html.golden": lambda: hypertext.render(blocks(ALL)),
    "dossier.json": lambda: json.dumps(ALL.as_json(), indent=2) + "\n",
}
HOSTILE = st.text(max_size=40) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[click](https://evil.example)",
        "<https://evil.example>",
        "![](https://evil.example/pixel)",
        "a | b | c",
        "```\n# Heading\n",
        "&lt;b&gt;",
        "\\",
        "`code",
        "\x1b[2J",
        "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
        '" onmouseover="alert(1)',
        "</pre></td></table>",
    ]
)


@pytest.mark.parametrize("name", GOLDEN)
def test_it_says_what_it_said(name: str) -> None:
    """A document that others have is not changed by chance."""
    assert GOLDEN[name]() == (HERE / name).read_text(encoding="utf-8")


def test_the_chain_can_be_checked_by_hand() -> None:
    """By what stands in the document, and sha256sum."""
    text = hypertext.render(blocks(a_dossier(CONSENTED)))
    commitment = commitment_of(CONFIRMED)
    assert hashlib.sha256(CONFIRMED).hexdigest().startswith(commitment.hex())
    assert hashlib.sha256(CONFIRMED).hexdigest() in text
    assert text.count(f"{base64url(commitment)} (hex {commitment.hex()})") == 2


def test_of_who_was_erased_it_says_the_time_alone() -> None:
    """No grade, no list's numbers, no meaning of anything."""
    document = list(blocks(a_dossier(ERASED)))
    text = markdown.render(document[2:])
    assert text == (
        "## List news.choir.example\n\nErased on 2026-03-14T08:26:53+00:00.\n"
    )
    assert ERASED.as_json() == {
        "list": "news.choir.example",
        "customer": "choir",
        "state": "erased",
        "time": "2026-03-14T08:26:53+00:00",
    }


def test_an_address_of_an_earlier_consent_is_not_said_of_what_is_on_file() -> None:
    """It stands with the consent that the raw record is of."""
    opened = Opened(LEFT.opened.record, CONFIRMED)  # type: ignore[union-attr]
    tables: list[dict[str, str]] = [
        dict(one.rows)  # type: ignore[arg-type]
        for one in list(blocks(a_dossier(replace(LEFT, opened=opened))))[2:]
        if isinstance(one, Table)
    ]
    assert "from" not in tables[0]
    assert [one["from"] for one in tables if "from" in one] == ["198.51.100.7"]


@pytest.mark.parametrize("raw", [b"", b"[1]", b"{", b"\xff", b"[" * 4000, b'{"ip":7}'])
def test_a_raw_record_that_is_no_object_is_shown_as_it_is(raw: bytes) -> None:
    """What it cannot say is not known."""
    assert scan_of(raw) == ""
    assert client_of(raw) in {"", "7"}
    one = replace(CONSENTED, opened=Opened(CONSENTED.record, raw))  # type: ignore[arg-type]
    assert "Raw record" in markdown.render(blocks(a_dossier(one)))


@pytest.mark.parametrize("digest", ["../" * 20 + "etc/x", SCAN.upper(), SCAN + "0"])
def test_only_a_sha256_names_a_scan(digest: str) -> None:
    """It becomes the name of a file."""
    assert scan_of(json.dumps({"scan-sha256": digest}).encode()) == ""
    assert scan_of(json.dumps({"scan-sha256": SCAN}).encode()) == SCAN


def test_everything_has_a_meaning() -> None:
    """Whatever a record may say."""
    assert set(GRADES) == set(Grade)
    assert set(METHODS) == set(Method)
    assert set(ZONES) == set(ZoneSource)
    assert set(PROOFS) == set(Proof)
    assert set(STATES) == set(State)


class _Reader(HTMLParser):
    """Tags with their attributes, and the text of cells, headings and the raw record."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {f"{name}={value}" for name, value in attrs}
        self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.texts:
            self.texts[-1] += data


@tireless
@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_html_of_hostile_texts_is_text(
    address: str, list_id: str, customer: str, value: str
) -> None:
    """The same tags as for a tame one, and each text whole."""
    raw = json.dumps({"ip": value, value: value}).encode()
    opened = Opened(CONSENTED.record, raw)  # type: ignore[arg-type]
    one = replace(CONSENTED, list_id=list_id, customer=customer, opened=opened)
    tame, found = _Reader(), _Reader()
    tame.feed(hypertext.render(blocks(a_dossier(CONSENTED))))
    found.feed(hypertext.render(blocks(a_dossier(one, address=address))))
    assert found.tags == tame.tags
    assert found.attributes == tame.attributes
    for text in (customer, value, raw.decode()):
        assert escape(text) in found.texts
    assert f"List {escape(list_id)}" in found.texts
    assert not {"a", "img", "link", "script", "iframe"} & found.tags


@tireless
@example(address=" ", customer="\\|", value="```\n\\|")
@given(HOSTILE, HOSTILE, HOSTILE)
def test_markdown_of_hostile_texts_is_text(
    address: str, customer: str, value: str
) -> None:
    """No HTML, no links, as many cells as for a tame one; read by another program."""
    markdown_it = pytest.importorskip("markdown_it")
    parser = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table")
    raw = json.dumps({"a": value}, ensure_ascii=True).encode()
    opened = Opened(CONSENTED.record, raw)  # type: ignore[arg-type]
    tame = replace(
        CONSENTED,
        opened=Opened(CONSENTED.record, b'{"a":"b"}'),  # type: ignore[arg-type]
    )
    one = replace(CONSENTED, customer=customer, opened=opened)

    expected = parser.parse(markdown.render(blocks(a_dossier(tame))))
    found = parser.parse(markdown.render(blocks(a_dossier(one, address=address))))

    assert [token.type for token in found] == [token.type for token in expected]
    inline = [token for token in found if token.type == "inline"]
    kinds = {child.type for token in inline for child in token.children}
    assert kinds <= {"text", "text_special"}
    texts = {"".join(c.content for c in token.children) for token in inline}
    for text in (customer, value):
        assert escape(text).strip() in {known.strip() for known in texts}
    assert escape(raw.decode()) + "\n" in [token.content for token in found]


def test_a_fence_is_longer_than_any_in_the_record() -> None:
    """It ends where we end it."""
    opened = Opened(CONSENTED.record, b'"````"')  # type: ignore[arg-type]
    text = markdown.render(blocks(a_dossier(replace(CONSENTED, opened=opened))))
    assert '\n`````text\n"````"\n`````\n' in text


def test_as_pdf() -> None:
    """Where WeasyPrint is installed."""
    pytest.importorskip("weasyprint")
    written = pdf.render(hypertext.render(blocks(ALL)))
    assert written.startswith(b"%PDF-")
    assert written.rstrip().endswith(b"%%EOF")


def test_the_pdf_fetches_nothing(tmp_path: Path) -> None:
    """Even if somebody got a picture into it: it is left out, or there is no document."""
    pytest.importorskip("weasyprint")
    picture = tmp_path / "pixel.svg"
    picture.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg"><text>leak</text></svg>'
    )
    written = b""
    with suppress(AttributeError, ValueError):
        written = pdf.render(f'<img src="{picture.as_uri()}">')
    assert written == b"" or len(written) == len(pdf.render("<img>"))
    with pytest.raises(ValueError, match="not fetched"):
        pdf._refuse(picture.as_uri())


def test_without_weasyprint_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And another way."""
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(StartError, match="apt install weasyprint") as raised:
        pdf.render("")
    assert raised.value.exit_code == 78


def test_what_is_not_on_file_is_said() -> None:
    """Neither a grade nor a table."""
    text = markdown.render(blocks(a_dossier(UNKNOWN)))
    assert "Nothing is on file: this address is no subscriber of the list." in text
    assert "grades" not in text
    assert "no subscriber of any list" in markdown.render(blocks(a_dossier()))
    assert (
        "no raw record is kept" in markdown.render(blocks(a_dossier(IMPORTED))).lower()
    )
