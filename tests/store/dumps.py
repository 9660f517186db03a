"""What the store knows of a customer, in a form that can be compared.

Where the same is kept in another way (contacts in pages, a content in a field of its
own), or is only newer (the last use of what was there before), dumps are equal.
"""

import struct
from dataclasses import dataclass, field

from outgate.store.keys import Keys
from store.running import Store

_CONTENT_HEAD = struct.Struct(">ddIB")


@dataclass
class Dump:
    """All keys of one customer.

    Attributes:
        counters: by key: microseconds until it is empty.
        different: by key: keyed hashes.
        contacts: the first two bytes and the page of each keyed hash, or all of it.
        contents: bands to people, strangers that it ever reached, what drains.
        usual: recipients of today, by key; nothing where there were none.
    """

    counters: dict[str, int] = field(default_factory=dict)
    different: dict[str, set[bytes]] = field(default_factory=dict)
    contacts: set[tuple[int, bytes]] = field(default_factory=set)
    contents: dict[bytes, tuple[object, ...]] = field(default_factory=dict)
    usual: dict[str, int] = field(default_factory=dict)


def dump(store: Store, keys: Keys, now_us: int) -> Dump:
    """Read everything but attempts and what is held."""
    found = Dump()
    for name in store.names(keys):
        full = f"{keys.namespace}:{name}"
        match name.partition(":")[0]:
            case "count":
                tat_us = int(store.ask("GET", full).split()[0])
                if tat_us > now_us:
                    found.counters[name] = tat_us - now_us
            case "distinct":
                found.different[name] = set(_split(store.ask("GET", full)[9:], 6, 4))
            case "contacts":
                found.contacts |= _contacts(_table(store, full))
            case "content":
                found.contents |= _contents(_table(store, full), now_us)
            case "usual":
                today = struct.unpack(">HId", store.ask("GET", full))[1]
                if today:
                    found.usual[name] = today
            case _:
                pass
    return found


def _table(store: Store, name: str) -> dict[bytes, bytes]:
    values = iter(store.ask("HGETALL", name))
    return dict(zip(values, values, strict=True))


def _split(text: bytes, width: int, used: int) -> list[bytes]:
    return [text[at : at + used] for at in range(0, len(text), width)]


def _contacts(table: dict[bytes, bytes]) -> set[tuple[int, bytes]]:
    recent = _split(table.pop(b"recent"), 5, 4)
    found = {(int.from_bytes(one[2:], "big") % 512, one[:2]) for one in recent}
    for page, text in table.items():
        found |= {(int(page), one) for one in _split(text, 3, 2)}
    return found


def _contents(
    table: dict[bytes, bytes], now_us: int
) -> dict[bytes, tuple[object, ...]]:
    found: dict[bytes, tuple[object, ...]] = {}
    for record in _split(table.pop(b"index", b""), 60, 60):
        place, few = record[38], record[39]
        if place:
            value = table[b"%d" % place]
            tat_us, _, ever, depth = _CONTENT_HEAD.unpack_from(value)
            people = frozenset(_split(value[_CONTENT_HEAD.size :], 4, 4))
            found[record[:36]] = (people, ever, depth, max(0, tat_us - now_us))
        else:
            inline = frozenset(_split(record[40:], 4, 4)) - {bytes(4)}
            found[record[:36]] = (inline, few, 0, None)
    return found
