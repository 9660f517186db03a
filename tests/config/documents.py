"""Configuration documents: printed as TOML, and made up by Hypothesis."""

import json
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, get_args, get_origin

import attrs
from hypothesis import settings
from hypothesis import strategies as st

from outgate.config.settings import Settings

# Enough to meet every key with every kind of value, and quick enough to run always.
fast = settings(max_examples=80, deadline=None)


def toml(document: Mapping[str, Any]) -> str:
    """Print a document, each key of the root on a line of its own."""
    return "".join(f"{_text(key)} = {_value(item)}\n" for key, item in document.items())


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(value)
        case str():
            return _text(value)
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            pairs = (f"{_text(key)} = {_value(item)}" for key, item in value.items())
            return f"{{ {', '.join(pairs)} }}"
        case _:
            return f"[{', '.join(_value(item) for item in value)}]"


def _text(text: str) -> str:
    # JSON's strings are TOML's, but for DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


# What TOML has no character for: lone halves of surrogate pairs.
texts = st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace").decode())
_WORDS = (
    *("", "off", "auto", "enforce", "monitor", "local-submission", "login", "reject"),
    *("50/1h", "1/366d", "50/our", "15m", "0s", "9999999w", "2MiB", "5 GB"),
    *("unix:/run/x.sock", "unix:x", "inet:host:99999", "inet6:[::1]:25", "[::1]:25"),
    *("redis://h:1/0", "redis://[::1", "redis://h:x", "unix://u:p@/s?db=x", "a:²"),
    *("@example.org", "anne@example.org", "user:", "192.0.2.0/24", "*", "no\0group"),
)
_leaves = st.one_of(
    st.none().map(lambda _: {}),
    st.booleans(),
    st.integers(-(2**64), 2**64),
    st.floats(),
    st.sampled_from(_WORDS),
    texts,
    st.datetimes(),
    st.dates(),
    st.times(),
)
junk = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=6,
)


def _tables(kind: type) -> st.SearchStrategy[dict[str, Any]]:
    """Tables with right and wrong keys, right and wrong values."""
    keys: dict[str, st.SearchStrategy[Any]] = {
        field.name.replace("_", "-"): _values(field) for field in attrs.fields(kind)
    }
    right = st.fixed_dictionaries({}, optional=keys)
    wrong = st.dictionaries(texts, junk, max_size=1)
    return st.builds(lambda one, two: {**two, **one}, right, wrong)


def _values(field: "attrs.Attribute[Any]") -> st.SearchStrategy[Any]:
    kind: Any = field.type
    if get_origin(kind) is tuple and attrs.has(get_args(kind)[0]):
        return st.one_of(st.lists(_tables(get_args(kind)[0]), max_size=3), junk)
    if isinstance(kind, type) and attrs.has(kind):
        return st.one_of(_tables(kind), junk)
    return st.one_of(st.sampled_from(_WORDS), st.lists(_leaves, max_size=2), junk)


documents = _tables(Settings)
