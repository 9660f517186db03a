"""The reference page, the sample file and `config show`, from the tree of settings.

Nothing is written twice: texts, defaults and examples come from where each key is
declared, and `make check` fails when the committed pages differ.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from textwrap import wrap
from typing import Any, get_args, get_origin

import attrs

from outgate.config.settings import Settings
from outgate.model.limit import Count
from outgate.model.units import ByteSize, Rate, format_duration
from outgate.policy.compiled import LIMIT_REASONS
from outgate.policy.rule_settings import RuleSettings, RulesSettings, rule_field
from outgate.policy.shipped import SHIPPED_LIMITS
from outgate.policy.shipped_profiles import SHIPPED_PROFILES

_INTRO = """\
# Configuration

`/etc/outgate/outgate.toml`, or `--config`, or `OUTGATE_CONFIG`; without any file the
defaults below are in force. Every value that has a unit is written with it: `"50/1h"`,
`"15m"`, `"2MiB"`. `outgate config check` reports every problem at once; SIGHUP reloads,
and a bad file leaves the old one running. What needs a restart says so: `[paths]`, and
the step from or to the embedded store.

This page is generated from the code (`make docs`).
"""

# Where defaults depend on the machine, the page says so and names no path.
_MACHINE = frozenset({"state", "runtime"})
# Rules whose action stands elsewhere: with each limit.
_LIMIT_RULES = frozenset(rule_field(reason).name for reason in LIMIT_REASONS)


def reference() -> str:
    """The reference page, Markdown."""
    sections = [_section(field) for field in attrs.fields(Settings)]
    return "\n".join([_INTRO, *sections, _shipped_limits(), _shipped_profiles()])


def sample() -> str:
    """A file with every key, commented out, at its default or an example."""
    lines = [
        "# Outgate's configuration. Every key is here; each comment holds the default,",
        "# or an example where there is none. Reference: docs/configuration.md",
    ]
    for field in attrs.fields(Settings):
        if (kind := _class_of(field.type)) is None:
            lines += [
                "",
                *_comment(field),
                f"#{_kebab(field.name)} = {_example(field)}",
            ]
            continue
        if kind is RulesSettings:
            lines += _rules_sample()
            continue
        name = _kebab(field.name)
        header = f"[[{name}]]" if _is_list(field) else f"[{name}]"
        lines += ["", f"# {field.metadata['doc']}", f"#{header}"]
        for key in attrs.fields(kind):
            lines += [*_comment(key), f"#{_kebab(key.name)} = {_example(key)}"]
    return "\n".join(lines) + "\n"


def _rules_sample() -> Iterator[str]:
    """Each rule's table; what its keys mean is said once, before the first."""
    keys = attrs.fields(RuleSettings)
    yield ""
    yield "# What each rule may do; a rule's name is its reason. In each table:"
    for key in keys:
        yield from wrap(
            f"{_kebab(key.name)}: {key.metadata['doc']}",
            88,
            initial_indent="#   ",
            subsequent_indent="#     ",
            break_on_hyphens=False,
        )
    for rule in attrs.fields(RulesSettings):
        yield from ("", *_comment(rule), f"#[rules.{_kebab(rule.name)}]")
        if rule.name not in _LIMIT_RULES:
            yield f"#action = {_toml(rule.metadata['allowed'][0])}"
        yield from (
            f"#{_kebab(key.name)} = {_toml(key.default)}"
            for key in keys
            if key.default is not None
        )


def show(settings: Settings) -> str:
    """Everything in force, as TOML; a password in the store's URL is left out."""
    store = attrs.evolve(settings.store, url=_without_password(settings.store.url))
    settings = attrs.evolve(settings, store=store)
    lines: list[str] = []
    tables: list[str] = []
    for field in attrs.fields(Settings):
        value = getattr(settings, field.name)
        if attrs.has(type(value)):
            tables += _table_lines(_kebab(field.name), value)
        elif _is_list(field):
            for item in value:
                tables += ["", f"[[{_kebab(field.name)}]]", *_key_lines(item)]
        else:
            lines.append(f"{_kebab(field.name)} = {_toml(value)}")
    return "\n".join([*lines, *tables]) + "\n"


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    credentials, at, place = rest.rpartition("@")
    user = credentials.partition(":")[0]
    return f"{scheme}://{user}{at if user else ''}{place}" if at else url


def _table_lines(name: str, value: Any) -> Iterator[str]:
    nested = [
        (field.name, getattr(value, field.name))
        for field in attrs.fields(type(value))
        if isinstance(getattr(value, field.name), RuleSettings)
    ]
    if nested:
        for rule, settings in nested:
            yield from ("", f"[{name}.{_kebab(rule)}]", *_key_lines(settings))
    else:
        yield from ("", f"[{name}]", *_key_lines(value))


def _key_lines(value: Any) -> Iterator[str]:
    for field in attrs.fields(type(value)):
        item = getattr(value, field.name)
        if item is None and field.name != "rate":
            continue
        yield f"{_kebab(field.name)} = {_toml(item)}"


def _section(field: "attrs.Attribute[Any]") -> str:
    kind = _class_of(field.type)
    name = _kebab(field.name)
    if kind is None:
        return f"## `{name}`\n\n{_entry(field)}\n"
    if kind is RulesSettings:
        return _rules_section()
    title = f"`[[{name}]]`" if _is_list(field) else f"`[{name}]`"
    rows = "\n".join(
        f"- **`{_kebab(key.name)}`** — {_entry(key)}" for key in attrs.fields(kind)
    )
    return f"## {title}\n\n{field.metadata['doc']}\n\n{rows}\n"


def _rules_section() -> str:
    lines = [
        "## `[rules.<reason>]`",
        "",
        (
            "One table for each rule. A rule's name is its reason: the word in the log, in "
            "the metrics and here."
        ),
        "",
    ]
    lines += [
        f"- **`{_kebab(key.name)}`** — {_entry(key)}"
        for key in attrs.fields(RuleSettings)
    ]
    lines += [
        "",
        "| rule | what it finds | action | may also be |",
        "|---|---|---|---|",
    ]
    for rule in attrs.fields(RulesSettings):
        own, *others = (f"`{action}`" for action in rule.metadata["allowed"])
        if rule.name in _LIMIT_RULES:
            own, others = "its limit's", []
        lines.append(
            f"| `{_kebab(rule.name)}` | {rule.metadata['doc']} | {own} | "
            f"{', '.join(others)} |"
        )
    return "\n".join(lines) + "\n"


def _shipped_limits() -> str:
    lines = [
        "## Shipped limits",
        "",
        (
            "In force unless a `[[limit]]` of the same name changes them "
            '(`rate = "off"` removes one). Count words for overrides: '
            f"{', '.join(f'`{count}`' for count in Count)}."
        ),
        "",
        "| name | per | count | rate | action |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{limit.name}` | {limit.per} | {limit.count} | `{limit.rate}` | "
        f"`{limit.action}` |"
        for limit in SHIPPED_LIMITS
    ]
    lines += [
        "",
        (
            "A limit `50/1h` lets 50 through at once and then one every 72 s: at most 100 "
            "in the worst hour. `burst` sets how many fit at once; `outgate check` prints "
            "the arithmetic for the limits that a message meets."
        ),
    ]
    return "\n".join(lines) + "\n"


def _shipped_profiles() -> str:
    lines = [
        "## Shipped profiles",
        "",
        (
            "For `[[customer]] profile` and for orders (`profile=probation` in "
            "`outgate:limit`). A `[[profile]]` of the same name changes the shipped one: of "
            "its keys, and of its `limits`, it keeps what is not given; a count word "
            "replaces all of that count. Who has no profile has `normal`. "
            "[New customers](profiles.md) tells how to use them."
        ),
        "",
        "| limit | " + " | ".join(f"`{one.name}`" for one in SHIPPED_PROFILES) + " |",
        "|---" * (1 + len(SHIPPED_PROFILES)) + "|",
    ]
    for limit in SHIPPED_LIMITS:
        rates = [one.limits.get(limit.name) for one in SHIPPED_PROFILES]
        if any(rates):
            cells = (f"`{rate}`" if rate else "" for rate in rates)
            lines.append(f"| `{limit.name}` | {' | '.join(cells)} |")
    lines += ["", "Where nothing stands, the limit's own rate is in force."]
    return "\n".join(lines) + "\n"


def _entry(field: "attrs.Attribute[Any]") -> str:
    text: str = field.metadata["doc"]
    default = _default(field)
    if "Default: " in text:
        return text
    if default is not None and field.name not in _MACHINE:
        text += f" Default: `{default}`."
    elif field.metadata["example"] and default is None and not _is_optional(field):
        text += f" Required, such as `{field.metadata['example']}`."
    return text


def _default(field: "attrs.Attribute[Any]") -> str | None:
    default: Any = field.default
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type] # a class at run time
        default = default.factory() if default.factory is dict else None
    if default is attrs.NOTHING or default is None:
        return None
    return _toml(default)


def _example(field: "attrs.Attribute[Any]") -> str:
    if field.name in _MACHINE:
        return str(field.metadata["example"])
    default = _default(field)
    empty = default in {None, '""', "[]", "{}"}
    return str(field.metadata["example"]) if empty else str(default)


def _is_optional(field: "attrs.Attribute[Any]") -> bool:
    return field.default is not attrs.NOTHING


def _comment(field: "attrs.Attribute[Any]") -> list[str]:
    lines = wrap(field.metadata["doc"], 86, break_on_hyphens=False)
    return [f"# {line}" for line in lines]


def _class_of(kind: Any) -> Any:
    """The attrs class behind a table or a list of tables, None for a plain value."""
    if get_origin(kind) is tuple:
        kind = get_args(kind)[0]
    return kind if isinstance(kind, type) and attrs.has(kind) else None


def _is_list(field: "attrs.Attribute[Any]") -> bool:
    return get_origin(field.type) is tuple and _class_of(field.type) is not None


def _kebab(name: str) -> str:
    return name.replace("_", "-")


def _toml(value: Any) -> str:
    match value:
        case None:
            return '"off"'
        case bool():
            return "true" if value else "false"
        case ByteSize() | Rate() | IPv4Network() | IPv6Network():
            return f'"{value}"'
        case int() | datetime():
            return str(value)
        case timedelta():
            return f'"{format_duration(value)}"'
        case StrEnum():
            return f'"{value.value}"'
        case str():
            # JSON's strings are TOML's, but for DEL.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
        case Mapping():
            pairs = ", ".join(
                f"{_toml(key)} = {_toml(item)}" for key, item in value.items()
            )
            return f"{{ {pairs} }}" if pairs else "{}"
        case _:
            return f"[{', '.join(_toml(item) for item in value)}]"
