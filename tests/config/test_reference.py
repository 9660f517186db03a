"""The reference page, the sample file and `config show` say what the code does."""

import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, get_args, get_origin

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.documents import fast, texts, toml
from outgate.config.reader import parse
from outgate.config.reference import reference, sample, show
from outgate.config.settings import Settings
from outgate.model.limit import Count, Per
from outgate.model.units import ByteSize, format_duration, format_size
from outgate.model.verdict import Mode, Reason
from outgate.policy.compiled import LIMIT_REASONS
from outgate.policy.naming import KIND_PREFIXES
from outgate.policy.operator import canonical_name
from outgate.policy.rule_settings import RulesSettings, allowed_actions, rule_field
from outgate.policy.shipped import SHIPPED_LIMITS

_KEYS = re.compile(r"^#(?=[a-z\[])", re.MULTILINE)


def _classes(kind: type = Settings) -> Iterator[type]:
    """Every class of the tree, once for each place it stands at."""
    yield kind
    for field in attrs.fields(kind):
        inner: Any = field.type
        if get_origin(inner) is tuple:
            inner = get_args(inner)[0]
        if isinstance(inner, type) and attrs.has(inner):
            yield from _classes(inner)


def test_every_key_says_what_it_is() -> None:
    """A text is a sentence; who reads the page does not read the code."""
    for kind in _classes():
        assert kind.__doc__
        for field in attrs.fields(kind):
            text = field.metadata["doc"]
            assert text[0].isupper() or text[0] == "`", (kind, field.name)
            assert text.endswith("."), (kind, field.name)


def test_the_reference_names_every_table_key_and_shipped_limit() -> None:
    """What is missing there does not exist for an operator."""
    page = reference()

    for kind in _classes():
        for field in attrs.fields(kind):
            name = field.name.replace("_", "-")
            if kind is Settings:
                assert re.search(rf"^## `\[*{name}[\].`]", page, re.MULTILINE)
            elif kind is RulesSettings:
                assert f"| `{name}` |" in page
            else:
                assert f"- **`{name}`** — " in page
    for limit in SHIPPED_LIMITS:
        assert (
            f"| `{limit.name}` | {limit.per} | {limit.count} | `{limit.rate}`" in page
        )


def test_the_reference_names_every_action_of_every_rule() -> None:
    """The table of rules is the one that the check goes by."""
    rows = reference().splitlines()

    for reason in Reason:
        row = next(row for row in rows if row.startswith(f"| `{reason}` |"))
        if reason in LIMIT_REASONS:
            assert "its limit's" in row
        else:
            assert all(f"`{action}`" in row for action in allowed_actions(reason))


def test_no_default_is_told_twice() -> None:
    """A text that names its default is not followed by another one."""
    for line in reference().splitlines():
        assert line.count("Default:") <= 1, line


def test_the_reference_depends_on_no_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the same page for root and for others, here and there."""
    here = reference(), sample()
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")

    assert (reference(), sample()) == here


def test_the_sample_is_a_file_that_changes_nothing() -> None:
    """As it is shipped, every line of it is a comment."""
    assert tomllib.loads(sample()) == {}


def test_the_sample_without_its_comment_signs_is_a_good_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each default and each example is valid, and they go together."""
    # A mail server's group, wherever the test runs.
    monkeypatch.setattr("grp.getgrnam", lambda _: SimpleNamespace(gr_gid=0))

    settings = parse(_KEYS.sub("", sample()))

    assert settings.listen[0].group == "postfix"
    assert settings.customer[0].profile == settings.profile[0].name


def test_the_sample_has_every_key() -> None:
    """Nobody has to look for what else there might be."""
    document = tomllib.loads(_KEYS.sub("", sample()))

    assert _missing(Settings, document) == [
        f"rules.{reason}.action" for reason in Reason if reason in LIMIT_REASONS
    ]


def _missing(kind: type, document: Any, place: str = "") -> list[str]:
    """Keys of the tree that the document does not have."""
    found: list[str] = []
    for field in attrs.fields(kind):
        name = field.name.replace("_", "-")
        if name not in document:
            found.append(f"{place}{name}")
            continue
        inner: Any = field.type
        value = document[name]
        if get_origin(inner) is tuple:
            inner, value = get_args(inner)[0], value[0]
        if isinstance(inner, type) and attrs.has(inner):
            found += _missing(inner, value, f"{place}{name}.")
    return found


def test_defaults_in_the_sample_are_the_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Uncommenting a line of a table that stands once changes nothing by surprise."""
    monkeypatch.setenv("OUTGATE_STATE", "/var/lib/outgate")
    text = _KEYS.sub("", sample())
    once = text[text.index("[rules.suspended]") : text.index("[store]")]

    changed = parse(
        once.replace('["postqueue", "-j"]', "[]").replace("mx1.example.org", "")
    )

    plain = Settings()
    assert changed.tag == plain.tag
    assert changed.quarantine == attrs.evolve(plain.quarantine, spool="/var/spool")
    for reason in Reason:
        rule = getattr(changed.rules, rule_field(reason).name)
        assert rule.action in {None, allowed_actions(reason)[0]}
        assert (rule.mode, rule.reply) == (Mode.ENFORCE, "")


def test_what_show_prints_is_read_back() -> None:
    """The defaults, and everything else, as a file that could be installed."""
    settings = parse(_MUCH)

    assert parse(show(settings)) == settings
    assert parse(show(Settings())) == Settings()


_MUCH = """
mode = "enforce"
[[listen]]
address = "unix:/run/a.sock"
workers = 3
[[listen]]
address = "inet6:[::1]:8894"
path = "local-submission"
local-user = "www-data"
[network]
forwarders = ["2001:db8::/32"]
[domains.aliases]
"everyone@example.org" = 1200
[[customer]]
name = 'the "choir" \\ of Köln'
match = ["@choir.example"]
profile = "newsletter"
[[profile]]
name = "newsletter"
limits = { recipients = "20000/1d", messages = "9/90s" }
[[limit]]
name = "messages-per-client-hourly"
per = "client"
count = "messages"
rate = "off"
[[limit]]
name = "a"
per = "list"
count = "recipients"
rate = "9/1h"
burst = 18
[rules.suspended]
action = "defer"
reply = "Write to postmaster,\\n{queue-id}"
[quarantine]
queue-command = ["postqueue", "-j"]
keep = "36h"
"""


def _may_be_a_customer(name: str) -> bool:
    return bool(name.strip()) and not canonical_name(name).startswith(KIND_PREFIXES)


_settings = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from([mode.value for mode in Mode]),
        "domains": st.fixed_dictionaries(
            {"aliases": st.dictionaries(st.just("all@example.org"), st.integers(1, 99))}
        ),
        "customer": st.lists(
            st.fixed_dictionaries(
                {
                    "name": texts.filter(_may_be_a_customer),
                    "match": texts.map(lambda text: [f"user:{''.join(text.split())}a"]),
                }
            ),
            max_size=2,
            unique_by=(
                lambda one: canonical_name(one["name"]),
                lambda one: one["match"][0].lower(),
            ),
        ),
        "limit": st.lists(
            st.fixed_dictionaries(
                {
                    "name": st.from_regex(r"[a-z][a-z0-9-]{0,8}x", fullmatch=True),
                    # What these two go together with, other tests say.
                    "per": st.sampled_from(sorted({*Per} - {Per.CAMPAIGN, Per.STREAM})),
                    "count": st.sampled_from([count.value for count in Count]),
                    "rate": st.one_of(
                        st.just("off"), st.integers(1, 999).map("{}/1h".format)
                    ),
                },
                optional={"burst": st.integers(1, 9999)},
            ),
            max_size=2,
            unique_by=lambda one: one["name"],
        ),
        "rules": st.fixed_dictionaries(
            {"suspended": st.fixed_dictionaries({"reply": texts})}
        ),
        "quarantine": st.fixed_dictionaries(
            {
                "cap-bytes": st.integers(1, 2**45).map(format_size),
                "keep": st.integers(60, 86_400 * 366).map(
                    lambda seconds: format_duration(timedelta(seconds=seconds))
                ),
            }
        ),
        "secrets": st.fixed_dictionaries({"file": texts}),
    },
)


@fast
@given(_settings)
def test_whatever_is_shown_is_read_back(document: dict[str, Any]) -> None:
    """Every text, size, time and rate survives the way out and in."""
    settings = parse(toml(document))

    assert parse(show(settings)) == settings


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://127.0.0.1:6379/1", "redis://127.0.0.1:6379/1"),
        ("redis://:secret@127.0.0.1/1", "redis://127.0.0.1/1"),
        ("rediss://anne:se@cret@h:1", "rediss://anne@h:1"),
        ("unix://anne:secret@/run/x.sock?db=1", "unix://anne@/run/x.sock?db=1"),
        ("", ""),
    ],
)
def test_show_leaves_a_password_out(url: str, shown: str) -> None:
    """What is printed ends up in tickets."""
    settings = parse(f'[store]\nurl = "{url}"\n')

    assert f'url = "{shown}"\n' in show(settings)
    assert parse(show(settings)).store.url == shown


def test_sizes_are_shown_with_their_unit() -> None:
    """A bare number would be refused when it is read again."""
    settings = attrs.evolve(
        Settings(),
        quarantine=attrs.evolve(Settings().quarantine, cap_bytes=ByteSize(3 << 20)),
    )

    assert 'cap-bytes = "3MiB"\n' in show(settings)
