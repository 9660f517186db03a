"""One TOML file into `Settings`, or all of its problems in one report.

cattrs walks the tree of classes; the hooks here read our own value types and say what
they got and what they expected. Nothing is guessed: an unknown key, a number where a
text with a unit belongs, a wrong word are problems, each with its dotted key and, where
one is close, the right name. What cannot be read is then left out, so that the same
report tells what the rest says together.
"""

import json
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, override

from outgate.config.checks import check
from outgate.config.merging import unshipped, with_shipped
from outgate.config.moments import read_moment
from outgate.config.settings import (
    STATE_VARIABLE,
    SYSTEM_CONFIG,
    SYSTEM_PATHS,
    Settings,
)
from outgate.config.wording import did_you_mean, shown
from outgate.model.client import Network, parse_network
from outgate.model.errors import ConfigError, Problem
from outgate.model.units import ByteSize, Rate, parse_duration, parse_size
from outgate.policy.settings import LimitSettings, ProfileSettings

_AT = re.compile(r"@ (?P<kind>attribute|index|key) (?P<part>.+)", re.DOTALL)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ITEM = re.compile(r"(?P<table>[a-z-]+)\[(?P<index>\d+)\]")
_REQUIRED = "is required"

Place = tuple[str | int, ...]
"""Keys and indexes from the root of a document: `("limit", 2, "rate")`."""


class _BadValueError(ValueError):
    """A value of the wrong form; its text is `got …: expected …`."""

    def __init__(self, got: object, expected: str) -> None:
        super().__init__(f"got {shown(got)}: {expected}")


def load(path: Path) -> Settings:
    """Read a file.

    Raises:
        ConfigError: with every problem of the file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError((Problem("", _os_text(error), str(path)),)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            (Problem("", f"is not UTF-8: {error}", str(path)),)
        ) from error
    # An account that asks about the system's daemon means its directories, not its own.
    system = path.resolve() == SYSTEM_CONFIG.resolve()
    return parse(text, source=str(path), system=system)


def parse(text: str, *, source: str = "", system: bool = False) -> Settings:
    """Read the text of a file.

    Args:
        text: TOML.
        source: its name, for the report.
        system: whether it is the machine's own: its directories are the system's then,
            whoever reads it.

    Raises:
        ConfigError: with every problem of the text.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Numbers of thousands of digits and brackets beyond counting are no
        # TOMLDecodeError.
        raise ConfigError((Problem("", f"is not TOML: {error}", source),)) from error
    if system and STATE_VARIABLE not in os.environ:
        given = document.get("paths", {})
        document["paths"] = SYSTEM_PATHS | given if isinstance(given, dict) else given
    settings, problems = _read(document)
    if problems:
        raise ConfigError(
            tuple(Problem(key, message, source) for key, message in problems)
        )
    return settings


def _read(document: dict[str, Any]) -> tuple[Settings, list[tuple[str, str]]]:
    """What can be read, and all problems by their dotted keys."""
    found: list[tuple[Place, str]] = []
    # Of each list, where its items stand in the file.
    indexes = {
        name: list(range(len(value)))
        for name, value in document.items()
        if isinstance(value, list)
    }
    settings: Settings | None = None
    while settings is None:
        try:
            settings = _CONVERTER.structure(document, Settings)
        except ClassValidationError as group:
            leaves = [
                (place, message + unshipped(document, place) * (message == _REQUIRED))
                for place, message in _leaves(group, ())
            ]
            # A table that now lacks what it needs had its problem told: it goes whole.
            gone = [place[:-1] if found else place for place, _ in leaves]
            found = found or leaves
            _leave_out(document, gone, indexes)
    problems = [(_dotted(place), message) for place, message in found]
    for problem in check(settings):
        if item := _ITEM.match(problem.key):
            index = indexes[item["table"]][int(item["index"])]
            key = f"{item['table']}[{index}]{problem.key[item.end() :]}"
        else:
            key = problem.key
        problems.append((key, problem.message))
    return settings, problems


def _leave_out(
    document: dict[str, Any], places: Iterable[Place], indexes: dict[str, list[int]]
) -> None:
    """Delete what stands at these places, and its index."""
    # From the end, so that earlier places stay where they are.
    for place in sorted(set(places), key=_position, reverse=True):
        *way, last = place
        parent: Any = document
        for step in way:
            parent = parent[step]
        if isinstance(last, int) or last in parent:
            del parent[last]
        if isinstance(last, int) and len(place) == len(("customer", 0)):
            del indexes[str(place[0])][last]


def _position(place: Place) -> tuple[tuple[str, int], ...]:
    """Sorts indexes as numbers."""
    return tuple(("", part) if isinstance(part, int) else (part, 0) for part in place)


def _leaves(error: BaseException, place: Place) -> Iterator[tuple[Place, str]]:
    """Flatten the exception tree: each leaf is one problem."""
    match error:
        case ForbiddenExtraKeysError():
            known = [_kebab(field.name) for field in attrs.fields(error.cl)]
            for name in sorted(error.extra_fields):
                yield (*place, name), _unknown(name, known)
        case ExceptionGroup():
            for child in error.exceptions:
                yield from _leaves(child, (*place, *_part(child)))
        case KeyError():
            yield place, _REQUIRED
        case _:
            yield place, str(error)


def _part(error: BaseException) -> Place:
    """Key or index at which an exception arose, as noted by cattrs or a hook."""
    for note in reversed(getattr(error, "__notes__", ())):
        if found := _AT.search(str(note)):
            match found["kind"]:
                case "attribute":
                    return (_kebab(found["part"]),)
                case "index":
                    return (int(found["part"]),)
                case _:
                    return (found["part"],)
    return ()


def _dotted(place: Place) -> str:
    """As people write it: `limit[2].rate`."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _BARE_KEY.fullmatch(part) else json.dumps(part)
            text += f".{key}" if text else key
    return text


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


def _word(value: object, kind: type[StrEnum], without: str = "") -> StrEnum:
    words = [member.value for member in kind]
    if not isinstance(value, str) or value not in words:
        offered = [word for word in words if word != without]
        hint = did_you_mean(str(value), offered)
        raise _BadValueError(value, f"expected one of {', '.join(offered)}{hint}")
    return kind(value)


def _annotated(value: object, kind: Any) -> Any:
    """A key that does not take one word of its type."""
    leaf, without = get_args(kind)
    if isinstance(leaf, type) and issubclass(leaf, StrEnum):
        # The word itself is read: what to write instead is told where all is checked.
        return _word(value, leaf, without.word)
    if value == without.word:
        raise _BadValueError(
            value, 'a stream always has a limit; expected a rate such as "10000/1d"'
        )
    return _CONVERTER.structure(value, leaf)


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
    rate: Rate = _quantity(Rate.parse, '"50/1h", or "off"')(value, None)
    return rate


def _network(value: object, _: object) -> Network:
    network = parse_network(value) if isinstance(value, str) else None
    if network is None:
        raise _BadValueError(value, "expected an address or a network in quotes")
    return network


def _mapping(value: object, kind: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _BadValueError(value, "expected a table")
    leaf = get_args(kind)[1]
    return dict(_each(value.items(), leaf, "key"))


def _sequence(value: object, kind: Any) -> tuple[Any, ...]:
    """Lists only: a text is a sequence too, but not one that anybody meant."""
    leaf = get_args(kind)[0]
    if not isinstance(value, list):
        tables = "of tables, each under [[…]]" if attrs.has(leaf) else "in brackets"
        raise _BadValueError(value, f"expected a list {tables}")
    return tuple(item for _, item in _each(enumerate(value), leaf, "index"))


def _each(
    items: Iterable[tuple[Any, object]], leaf: Any, kind: str
) -> list[tuple[Any, Any]]:
    """Read all members of a list or a table of free names."""
    read: list[tuple[Any, Any]] = []
    wrong: list[Exception] = []
    for part, item in items:
        try:
            read.append((part, _CONVERTER.structure(item, leaf)))
        except Exception as error:  # noqa: BLE001 - collected, with its place
            error.add_note(f"@ {kind} {part}")
            wrong.append(error)
    if wrong:
        raise ExceptionGroup(kind, wrong)
    return read


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
            raise _BadValueError(value, "expected a table")
        return structure(value, target)

    return hook


def _merging_hook(kind: type) -> Callable[[object, type], Any]:
    structure = _class_hook(kind)

    def hook(value: object, target: type) -> Any:
        return structure(with_shipped(kind, value), target)

    return hook


def _since(value: object, _: object) -> datetime:
    try:
        return read_moment(value)
    except ValueError as error:
        raise _BadValueError(value, str(error)) from None


def _read_size(text: str) -> ByteSize:
    return ByteSize(parse_size(text))


def _build() -> Converter:
    converter = Converter(detailed_validation=True)
    # cattrs asks for the nearest class first: words are texts, sizes are numbers.
    by_class: list[tuple[type, Callable[..., Any]]] = [
        (str, _text),
        (StrEnum, _word),
        (int, _whole),
        (bool, _flag),
        (timedelta, _quantity(parse_duration, '"15m"')),
        (ByteSize, _quantity(_read_size, '"2MiB"')),
        (Rate, _quantity(Rate.parse, '"50/1h"')),
    ]
    for kind, hook in by_class:
        converter.register_structure_hook(kind, hook)
    by_shape: list[tuple[Callable[[Any], bool], Callable[..., Any]]] = [
        (lambda kind: get_origin(kind) is Annotated, _annotated),
        (lambda kind: kind == Network, _network),
        (lambda kind: kind == Rate | None, _rate_or_off),
        (lambda kind: kind == int | None, _whole),
        (lambda kind: kind == datetime | None, _since),
        (lambda kind: get_origin(kind) is tuple, _sequence),
        (lambda kind: get_origin(kind) is Mapping, _mapping),
    ]
    for predicate, hook in by_shape:
        converter.register_structure_hook_func(predicate, hook)
    converter.register_structure_hook_factory(attrs.has, _class_hook)
    converter.register_structure_hook_factory(
        lambda kind: kind in {LimitSettings, ProfileSettings}, _merging_hook
    )
    return converter


_CONVERTER = _build()
