"""`outgate list check`: a verdict that the keeper of a list can act on."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.commands import Done, outgate

GOOD = b"""\
From: news@choir.example.org
List-Id: News <news.choir.example.org>
List-Unsubscribe: <https://choir.example.org/leave?t=1>
List-Unsubscribe-Post: List-Unsubscribe=One-Click

Hello
"""
BARE = GOOD.replace(b"<https://choir.example.org/leave?t=1>", b"https://a.org/\x1b[2J")
SETTINGS = """
[[customer]]
name = "choir"
match = ["@choir.example.org"]
[[list]]
id = "news.shop.example"
customer = "shop"
"""


def check(
    *words: str | Path, message: bytes = GOOD, config: Path | None = None
) -> Done:
    options = ("--config", config) if config else ()
    return outgate(*options, "list", "check", *(words or ("-",)), stdin=message)


def judge(*words: str | Path, message: bytes = GOOD) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        check("--json", *(words or ("-",)), message=message).stdout
    )
    return document


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "outgate.toml"
    file.write_text(SETTINGS)
    return file


def test_good_headers_are_told_so() -> None:
    """Header by header, and the verdict last."""
    done = check()

    assert (done.code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[:2] == ["List-Id: News <news.choir.example.org>", "  ok"]
    assert "  ok    one-click (RFC 8058 §3.1)" in lines
    assert lines[-1].startswith("ok: ")


@pytest.mark.parametrize(
    ("old", "new", "level", "code"),
    [
        (b"", b"", "ok", 0),
        (b"=One-Click", b"=one-click", "fix", 0),
        (b"List-Id: News ", b"X-Id: ", "fix", 0),
        (b"List-Unsubscribe", b"X-Unsubscribe", "weak", 1),
        (b"https://choir.example.org", b"https://localhost", "bad", 1),
    ],
)
def test_the_verdict_is_the_exit_code(
    old: bytes, new: bytes, level: str, code: int
) -> None:
    """0 for ok and fix, 1 for weak and bad."""
    done = check(message=GOOD.replace(old, new))

    assert done.code == code
    assert done.stdout.splitlines()[-1].startswith(f"{level}: ")


def test_a_fault_comes_with_clause_sentence_and_what_to_write() -> None:
    """As its keeper would write it; what a terminal would obey is made visible."""
    done = check(message=BARE)

    assert done.code == 1
    assert "\x1b" not in done.stdout
    assert "List-Unsubscribe: https://a.org/\\x1b[2J\n" in done.stdout
    assert "  weak  not-bracketed (RFC 2369 §2)\n" in done.stdout
    assert "Put each link in angle brackets" in done.stdout
    fixed = check(message=GOOD.replace(b"<https", b"https").replace(b"t=1>", b"t=1"))
    assert (
        "        for example:\n"
        "          List-Unsubscribe: <https://choir.example.org/leave?t=1>\n"
    ) in fixed.stdout


def test_a_program_reads_json() -> None:
    """The same, with all names."""
    document = judge(message=GOOD.replace(b"=One-Click", b"=one-click"))

    assert document["level"] == "fix"
    assert document["kind"] == "announcement"
    assert document["list-id"] == "news.choir.example.org"
    assert document["links"] == ["https://choir.example.org/leave?t=1"]
    post = next(
        one for one in document["headers"] if one["name"] == "list-unsubscribe-post"
    )
    assert post["level"] == "fix"
    assert post["proposal"] == "List-Unsubscribe=One-Click"
    assert post["notes"][0]["note"] == "post-other-case"
    assert post["notes"][0]["clause"] == "RFC 8058 §5"


def test_a_list_id_must_be_the_customers(config: Path) -> None:
    """Registered, or in a domain of the customer's logins."""
    assert check("--customer", "choir", "-", config=config).code == 0
    other = check("--customer", "shop", "-", config=config)
    assert other.code == 1
    assert "  bad   list-id-not-yours (RFC 2919 §2)" in other.stdout

    unknown = check("--customer", "bank", "-", config=config)
    assert unknown.code == 2
    assert "there are choir, shop" in unknown.stderr


@pytest.mark.parametrize(
    ("names", "note", "code"),
    [
        ("From, List-Unsubscribe, List-Unsubscribe-Post", "signature-covers", 0),
        ("from:list-unsubscribe", "signature-not-covering", 0),
        ("", "signature-missing", 1),
    ],
)
def test_what_the_signer_covers_can_be_told(names: str, note: str, code: int) -> None:
    """As it stands in the signer's own configuration, by commas or colons."""
    done = check("--signed-headers", names, "-")

    assert done.code == code
    assert f"{note} (RFC 8058 §4)" in done.stdout


def test_the_kind_can_be_told() -> None:
    """A discussion list may be left by mail."""
    message = GOOD.replace(b"https://choir.example.org/leave?t=1", b"mailto:l@a.org")
    message = message.replace(b"List-Unsubscribe-Post", b"X-Post")

    assert judge(message=message)["level"] == "fix"
    assert judge("--kind", "discussion", "-", message=message)["level"] == "ok"


def test_messages_of_one_mailing_must_have_links_of_their_own(tmp_path: Path) -> None:
    """Three that share one are bad; each is told by its file."""
    files = [tmp_path / f"{number}.eml" for number in range(3)]
    for file in files:
        file.write_bytes(GOOD)

    done = check(*files)

    assert done.code == 1
    assert done.stdout.count("link-shared (RFC 8058 §3.1)") == 3
    assert f"{files[2]}:\n" in done.stdout
    files[0].write_bytes(GOOD.replace(b"t=1", b"t=2"))
    assert check(*files).code == 0


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """By its name, on standard error."""
    done = check(tmp_path / "none.eml")

    assert (done.code, done.stdout) == (66, "")
    assert done.stderr == (
        f"outgate: {tmp_path}/none.eml: cannot be read: No such file or directory\n"
    )
