"""Keys that sign opt-in tokens: what stands in `outgate:optin-key`.

One field for each key, named `<issuer>:<selector>`, its value words and free text:

    lists.example.org:2026a  ed25519=A6EHv_PO… customer=choir list=news.choir.example

A key is bound to one customer and to lists: a token is worth nothing in anybody else's
mail. It loosens, so one that cannot be read in full is no key, and is reported.

    ed25519=<43 characters>     the public key, base64url (RFC 8032)
    hmac-sha256=<key id>        instead: a secret that this host has in a file
    customer=<name>             whose mail its tokens count in
    list=<id>[,<id>…]           for which lists
    not-before=<time>           older confirmations are not this key's to sign
    not-after=<time>            its tokens end then
    revoked=<time>              its tokens count no more, whenever they were signed
    by=<name>                   who registered or revoked it, for the audit
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from outgate.message.optin_evidence import Algorithm, from_base64url, to_base64url
from outgate.policy.operator import MAX_VALUE_BYTES, format_moment, parse_moment_us
from outgate.policy.slips import looks_like_a_word, misplaced, unknown

_NAME = re.compile(r"[a-z0-9.-]{1,253}:[a-z0-9.-]{1,63}")
_KEY_ID = re.compile(r"[0-9a-f]{12}")
_PUBLIC_BYTES = 32
_ALGORITHMS = tuple(algorithm.value for algorithm in Algorithm)
_MOMENTS = ("not-before", "not-after", "revoked")
WORDS = (*_ALGORITHMS, "customer", "list", *_MOMENTS, "by")


@dataclass(frozen=True, slots=True, kw_only=True)
class OptinKey:
    """One key, as it is registered.

    Attributes:
        name: `<issuer>:<selector>`.
        algorithm: which one its tokens must name.
        public: of Ed25519, 32 bytes.
        secret_id: of HMAC, the public name of the secret.
        customer: whose mail its tokens count in.
        lists: List-Ids, lower case.
        not_before_us, not_after_us, revoked_us: microseconds since the epoch, 0 for
            never.
        by: who registered or revoked it, "" where not said.
        text: the free text.
        problems: what could not be read; such a key is none.
    """

    name: str
    algorithm: Algorithm = Algorithm.ED25519
    public: bytes = b""
    secret_id: str = ""
    customer: str = ""
    lists: frozenset[str] = frozenset()
    not_before_us: int = 0
    not_after_us: int = 0
    revoked_us: int = 0
    by: str = ""
    text: str = ""
    problems: tuple[str, ...] = ()

    @property
    def statement(self) -> bytes:
        """What the holder of an Ed25519 key signs to be registered with it.

        Other words than a token begins with: neither is the other. It names whose it is
        to be, so that it enrols nothing else, and needs no challenge.
        """
        lines = [
            "opt-in-key/1",
            f"customer={self.customer}",
            *(f"list={one}" for one in sorted(self.lists)),
            f"key={self.name}",
            f"{self.algorithm}={to_base64url(self.public)}",
        ]
        return "".join(f"{line}\n" for line in lines).encode()

    def __str__(self) -> str:
        """The field's value."""
        material = self.secret_id or to_base64url(self.public)
        words = [
            f"{self.algorithm}={material}",
            f"customer={self.customer}",
            f"list={','.join(sorted(self.lists))}",
        ]
        words += [
            f"{word}={format_moment(moment_us)}"
            for word, moment_us in (
                ("not-before", self.not_before_us),
                ("not-after", self.not_after_us),
                ("revoked", self.revoked_us),
            )
            if moment_us
        ]
        if self.by:
            words.append(f"by={self.by}")
        return " ".join((*words, self.text)).strip()


def is_key_name(name: str) -> bool:
    """Whether a token can name such a key."""
    return _NAME.fullmatch(name) is not None


def revoked(name: str, raw: bytes, now_us: int, by: str) -> str:
    """The field's value when the key counts no more; also where it cannot be read.

    Args:
        name: of the field.
        raw: its value until now.
        now_us: since when it counts no more.
        by: who says so, "" where not said.
    """
    old = parse_key(name, raw)
    if not old.problems:
        return str(replace(old, revoked_us=now_us, by=by or old.by))
    # Before whatever stands there: so it is read, and stays when somebody mends the rest.
    words = [f"revoked={format_moment(now_us)}", *([f"by={by}"] if by else [])]
    text = raw[:MAX_VALUE_BYTES].decode("utf-8", "replace")
    words += [word for word in text.split() if not word.startswith(("revoked=", "by="))]
    return " ".join(words)


@lru_cache(maxsize=4096)
def parse_key(name: str, raw: bytes) -> OptinKey:
    """Read one field; never raises."""
    problems: list[str] = []
    if not is_key_name(name):
        problems.append("expected <issuer>:<selector> of a-z, 0-9, dots and dashes")
    if len(raw) > MAX_VALUE_BYTES:
        problems.append(f"{len(raw)} bytes, at most {MAX_VALUE_BYTES} are read")
    words, text = _split(raw[:MAX_VALUE_BYTES].decode("utf-8", "replace"), problems)
    algorithm, public, secret_id = _material(words, problems)
    moments_us = {word: _moment_us(word, words, problems) for word in _MOMENTS}
    lists = frozenset(filter(None, words.get("list", "").lower().split(",")))
    customer = words.get("customer", "")
    if not customer:
        problems.append("no customer=")
    if not lists:
        problems.append("no list=")
    return OptinKey(
        name=name,
        algorithm=algorithm,
        public=public,
        secret_id=secret_id,
        customer=customer,
        lists=lists,
        not_before_us=moments_us["not-before"],
        not_after_us=moments_us["not-after"],
        revoked_us=moments_us["revoked"],
        by=words.get("by", ""),
        text=text,
        problems=tuple(problems),
    )


def _split(value: str, problems: list[str]) -> tuple[Mapping[str, str], str]:
    words: dict[str, str] = {}
    rest = value.strip()
    while rest:
        word, _, after = rest.partition(" ")
        key, equals, argument = word.partition("=")
        if not equals or not looks_like_a_word(key):
            break
        if key not in WORDS:
            problems.append(unknown(key, WORDS))
        elif key in words:
            problems.append(f"{key}= stands there twice")
        words[key] = argument
        rest = after.lstrip()
    # A `revoked=` that nobody reads would leave the key good.
    problems += misplaced(rest, WORDS)
    return words, rest


def _material(
    words: Mapping[str, str], problems: list[str]
) -> tuple[Algorithm, bytes, str]:
    given = [word for word in _ALGORITHMS if word in words]
    if len(given) != 1:
        problems.append(
            f"expected one of {', '.join(f'{one}=' for one in _ALGORITHMS)}"
        )
        return Algorithm.ED25519, b"", ""
    text = words[given[0]]
    if given[0] == Algorithm.HMAC_SHA256:
        if _KEY_ID.fullmatch(text) is None:
            problems.append(f"{given[0]}={text[:80]}: expected 12 hexadecimal digits")
        return Algorithm.HMAC_SHA256, b"", text
    public = b""
    try:
        public = from_base64url(text)
    except ValueError as error:
        problems.append(f"{given[0]}: {error}")
    else:
        if len(public) != _PUBLIC_BYTES:
            problems.append(
                f"{given[0]}: {len(public)} bytes, expected {_PUBLIC_BYTES}"
            )
    return Algorithm.ED25519, public, ""


def _moment_us(word: str, words: Mapping[str, str], problems: list[str]) -> int:
    if word not in words:
        return 0
    try:
        return max(1, parse_moment_us(words[word]))
    except ValueError as error:
        problems.append(f"{word}={words[word][:80]}: {error}")
        return 0
