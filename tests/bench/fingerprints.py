"""Which mail is taken for copies of one mailing, and what it costs to find out.

    make bench-fingerprints

Real messages are compared where they lie beside the checkout, letters that nobody wrote
always. Nothing is judged here: what must hold is in `message/test_fingerprint.py` and
`message/test_material.py`. Times are CPU time of one process, the least of several runs.
"""

import sys
import time
from collections.abc import Sequence
from random import Random

import pytest

from bench.report import say
from message.hostile import hostile_mail
from message.joins import joined, joins_of
from message.mailings import (
    COMPANY_SIGNATURE,
    CONTACT_BLOCK,
    DISCLAIMER,
    LIST_FOOTER,
    ORIGINAL,
    QUOTED,
    SIGNATURE,
    Mail,
    copy_of,
    letter,
    mail,
    mailing,
)
from message.material import real_mail
from outgate.message.fingerprint import fingerprint

_LABELS = (
    ("personal",),
    ("list",),
    ("personal", "list"),
    ("ham-other",),
    ("spam",),
    ("bounce",),
)
_FRAMES = (
    "",
    SIGNATURE,
    COMPANY_SIGNATURE,
    CONTACT_BLOCK,
    DISCLAIMER,
    QUOTED,
    ORIGINAL,
    LIST_FOOTER,
)
_WORDS = (8, 12, 20, 30, 60, 150, 400)
_REPLACED = (0.0, 0.02, 0.05, 0.1)
_SIZES_KIB = (1, 4, 16, 64)
_CHUNK = 65_535
_LETTERS = 1_000
_COPIES = 300
_RUNS = 7
_WORST = 5


def main() -> int:
    """Measure and print."""
    _show_joins()
    _show_recall()
    _show_times()
    _show_hostile()
    return 0


def _show_joins() -> None:
    say("joined in error: pairs that share at most 0.6 of all their words")
    try:
        for labels in _LABELS:
            _show_joins_of(f"real mail: {', '.join(labels)}", real_mail(*labels))
    except pytest.skip.Exception as reason:
        say(f"  {reason}")
    random = Random(1)
    for frame in _FRAMES:
        title = " ".join(frame.split())[:26] or "none"
        letters = [
            mail(letter(random) + frame, subject=f"{number}", answers=frame == QUOTED)
            for number in range(_LETTERS)
        ]
        _show_joins_of(f"letters, frame {title!r}", letters)
    for frame in (COMPANY_SIGNATURE, CONTACT_BLOCK):
        title = " ".join(frame.split())[:12]
        letters = [
            mail(letter(random, 18) + frame, subject=f"{number}")
            for number in range(_LETTERS)
        ]
        _show_joins_of(f"letters of 18 words, frame {title!r}", letters)


def _show_joins_of(title: str, mails: Sequence[Mail]) -> None:
    joins = joins_of(mails)
    whole = sum(len(fingerprint(*one)) == 1 for one in mails)
    say(
        f"  {title:46} {len(mails):5} messages, {whole:3} of a few words: "
        f"{joins.rate()} ({joins.joined} joined)"
    )


def _show_recall() -> None:
    say("\ncopies found, of 100 pairs; names, links, codes, order of words are others")
    shares = "".join(f"{share:10.0%}" for share in _REPLACED)
    say(f"  words, and how many of them are others in each copy {shares}")
    for words in _WORDS:
        found = "".join(f"{_recall(words, share):10.1f}" for share in _REPLACED)
        say(f"  {words:<52}{found}")


def _recall(words: int, replaced: float) -> float:
    random = Random(words)
    found = 0
    for _ in range(_COPIES):
        template = mailing(random, words)
        one, other = (
            mail(copy_of(template, random, replaced=replaced)) for _ in range(2)
        )
        found += joined(one, other)
    return 100 * found / _COPIES


def _show_times() -> None:
    say("\nmicroseconds a message; body in KiB")
    say(f"  {'':34}{''.join(f'{size:8}' for size in _SIZES_KIB)}")
    for title in _kinds("", 0):
        figures = "".join(
            f"{_time_us(_kinds_of(size)[title]):8.0f}" for size in _SIZES_KIB
        )
        say(f"  {title:34}{figures}")
    for label in ("personal", "list", "ham-other", "spam"):
        try:
            mails = real_mail(label)
        except pytest.skip.Exception:
            return
        times = sorted(map(_time_us, mails))
        middle, most = times[len(times) // 2], times[-1]
        say(f"  real mail: {label:23} median {middle:.0f}, most {most:.0f}")


def _kinds_of(size_kib: int) -> dict[str, Mail]:
    size = size_kib * 1_024
    return _kinds(letter(Random(3), size // 4)[:size], size)


def _kinds(text: str, size: int) -> dict[str, Mail]:
    lines = text.replace("\n", "\n\n")
    html = "".join(
        f"<tr><td class=x style='color: red'>{line}</td></tr>\n"
        for line in text.splitlines()
    )
    accents = text.replace("or", "ör")
    cyrillic = "".join(
        chr(ord(letter) + 0x3CF) if letter.isalpha() else letter for letter in text
    )
    found = {
        "plain": mail(text),
        "plain, with a quote": mail("> old\n" + text),
        "plain, with a notice": mail(DISCLAIMER + lines),
        "plain, base64": mail(text, encoding="base64"),
        "plain, quoted-printable, accents": mail(accents, encoding="quoted-printable"),
        "plain, Cyrillic": mail(cyrillic, charset="koi8-r"),
        "html": mail(html, kind="text/html"),
    }
    return {name: (headers, body[:size]) for name, (headers, body) in found.items()}


def _show_hostile() -> None:
    say(f"\nmicroseconds for the {_WORST} costliest bodies of {_CHUNK} bytes")
    times = [(_time_us(one, runs=2), name) for name, one in hostile_mail(_CHUNK)]
    for took_us, name in sorted(times, reverse=True)[:_WORST]:
        say(f"  {name:50} {took_us:8.0f}")


def _time_us(one: Mail, *, runs: int = _RUNS) -> float:
    """The least of some runs, each of them long enough for the clock."""
    fingerprint(*one)
    times: list[float] = []
    for _ in range(runs):
        began, count = time.process_time(), 0
        while (took := time.process_time() - began) < 0.002:
            fingerprint(*one)
            count += 1
        times.append(took / count * 1e6)
    return min(times)


if __name__ == "__main__":
    sys.exit(main())
