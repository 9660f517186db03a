"""One TOML file into `Settings`, or all of its problems in one report.

cattrs walks the tree of classes; the hooks here read our own value types and say what
they got and what they expected. Nothing is guessed: an unknown key, a number where a
text with a unit belongs, a wrong word are problems, each with its dotted key and, where
one is close, the right name.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, override

from outgate.config.checks import check
from outgate.config.settings import Settings
from outgate.model.client import Network, parse_network
from outgate.model.errors import ConfigError, Problem
from outgate.model.units import ByteSize, Rate, parse_duration, parse_size

_AT = re.compile(r"@ (?:attribute|index) (\S+)$")


class _BadValueError(ValueError):
    """A value of the wrong form; its text is `got …: expected …`."""

    def __init__(self, got: object, expected: str) -> None:
        super().__init__(f"got {got!r}: {expected}")


def load(path: Path) -> Settings:
    """Read a file.

    Raises:
        ConfigError: with every problem of the file.
    """
    try:
        text = path.read_text()
    except OSError as error:
        raise ConfigError((Problem("", _os_text(error), str(path)),)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            (Problem("", f"is not UTF-8: {error}", str(path)),)
        ) from error
    return parse(text, source=str(path))


def parse(text: str, *, source: str = "") -> Settings:
    """Read the text of a file.

    Raises:
        ConfigError: with every problem of the text.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError((Problem("", f"is not TOML: {error}", source),)) from error
    try:
        settings: Settings = _CONVERTER.structure(document, Settings)
    except ClassValidationError as group:
        raise ConfigError(tuple(_problems(group, "", source))) from None
    problems = check(settings)
    if problems:
        raise ConfigError(
            tuple(replace(problem, source=source) for problem in problems)
        )
    return settings


def _problems(group: BaseException, key: str, source: str) -> list[Problem]:
    """Flatten the exception tree into one line for each leaf."""
    if isinstance(group, ForbiddenExtraKeysError):
        known = [_kebab(field.name) for field in attrs.fields(group.cl)]
        return [
            Problem(_join(key, name), _unknown(name, known), source)
            for name in sorted(group.extra_fields)
        ]
    if isinstance(group, ExceptionGroup):
        return [
            problem
            for child in group.exceptions
            for problem in _problems(child, _join(key, _place(child)), source)
        ]
    if isinstance(group, KeyError):
        return [Problem(key, "is required", source)]
    return [Problem(key, str(group), source)]


def _place(error: BaseException) -> str:
    """Attribute or index at which an exception of cattrs arose."""
    for note in reversed(getattr(error, "__notes__", ())):
        if found := _AT.search(str(note)):
            return f"[{found[1]}]" if found[1].isdigit() else _kebab(found[1])
    return ""


def _join(key: str, part: str) -> str:
    if not part or not key or part.startswith("["):
        return key + part
    return f"{key}.{part}"


def _unknown(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    if close:
        return f"is unknown; did you mean `{close[0]}`?"
    return f"is unknown; expected one of {', '.join(sorted(known))}"


def _kebab(name: str) -> str:
    return name.replace("_", "-")


def _os_text(error: OSError) -> str:
    return f"cannot be read: {error.strerror}"


def _text(value: object, _: object) -> str:
    if not isinstance(value, str):
        raise _BadValueError(value, "expected a text in quotes")
    return value


def _whole(value: object, _: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _BadValueError(value, "expected a whole number")
    return value


def _flag(value: object, _: object) -> bool:
    if not isinstance(value, bool):
        raise _BadValueError(value, "expected true or false")
    return value


def _word(value: object, kind: type[StrEnum]) -> StrEnum:
    words = [member.value for member in kind]
    if not isinstance(value, str) or value not in words:
        close = get_close_matches(str(value), words, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise _BadValueError(value, f"expected one of {', '.join(words)}{hint}")
    return kind(value)


def _quantity(
    read: Callable[[str], Any], example: str
) -> Callable[[object, object], Any]:
    def hook(value: object, _: object) -> Any:
        if not isinstance(value, str):
            raise _BadValueError(
                value, f"expected a text with a unit, such as {example}"
            )
        try:
            return read(value)
        except ValueError as error:
            raise _BadValueError(value, str(error)) from None

    return hook


def _rate_or_off(value: object, _: object) -> Rate | None:
    if value == "off":
        return None
    rate: Rate = _quantity(Rate.parse, '"50/1h"')(value, None)
    return rate


def _whole_or_auto(value: object, _: object) -> int | None:
    if value in {None, "auto"}:
        return None
    return _whole(value, None)


def _network(value: object, _: object) -> Network:
    network = parse_network(value) if isinstance(value, str) else None
    if network is None:
        raise _BadValueError(value, "expected an address or a network in quotes")
    return network


def _mapping(value: object, kind: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _BadValueError(value, "expected a table")
    leaf = get_args(kind)[1]
    found: dict[str, Any] = {}
    wrong: list[str] = []
    for name, item in value.items():
        try:
            found[name] = _CONVERTER.structure(item, leaf)
        except ValueError as error:
            wrong.append(f"{name}: {error}")
    if wrong:
        raise ValueError("; ".join(wrong))
    return found


def _sequence(value: object, kind: Any) -> tuple[Any, ...]:
    """Lists only: a text is a sequence too, but not one that anybody meant."""
    if not isinstance(value, list):
        raise _BadValueError(value, "expected a list in square brackets")
    leaf = get_args(kind)[0]
    items: list[Any] = []
    wrong: list[Exception] = []
    for index, item in enumerate(value):
        try:
            items.append(_CONVERTER.structure(item, leaf))
        except Exception as error:  # noqa: BLE001 - collected, with its place
            error.add_note(f"Structuring list @ index {index}")
            wrong.append(error)
    if wrong:
        raise ExceptionGroup("list", wrong)
    return tuple(items)


def _class_hook(kind: type) -> Callable[[object, type], Any]:
    names: dict[str, Any] = {
        field.name: override(rename=_kebab(field.name)) for field in attrs.fields(kind)
    }
    structure: Callable[..., Any] = make_dict_structure_fn(
        kind,
        _CONVERTER,
        _cattrs_forbid_extra_keys=True,
        _cattrs_detailed_validation=True,
        **names,
    )

    def hook(value: object, target: type) -> Any:
        if not isinstance(value, dict):
            raise _BadValueError(value, f"expected a table [{_kebab(kind.__name__)}]")
        return structure(value, target)

    return hook


def _build() -> Converter:
    converter = Converter(detailed_validation=True)
    hooks: list[tuple[Any, Callable[..., Any]]] = [
        (str, _text),
        (int, _whole),
        (bool, _flag),
        (timedelta, _quantity(parse_duration, '"15m"')),
        (ByteSize, _quantity(lambda text: ByteSize(parse_size(text)), '"2MiB"')),
        (Rate, _quantity(Rate.parse, '"50/1h"')),
    ]
    for kind, hook in hooks:
        converter.register_structure_hook(kind, hook)
    by_shape: list[tuple[Callable[[Any], bool], Callable[..., Any]]] = [
        (lambda kind: isinstance(kind, type) and issubclass(kind, StrEnum), _word),
        (lambda kind: kind == Network, _network),
        (lambda kind: kind == Rate | None, _rate_or_off),
        (lambda kind: kind == int | None, _whole_or_auto),
        (lambda kind: get_origin(kind) is tuple, _sequence),
        (lambda kind: get_origin(kind) is Mapping, _mapping),
    ]
    for predicate, hook in by_shape:
        converter.register_structure_hook_func(predicate, hook)
    converter.register_structure_hook_factory(attrs.has, _class_hook)
    return converter


_CONVERTER = _build()
