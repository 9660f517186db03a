"""Every key that Outgate has in Redis. No other module spells one.

`key_table` is what `docs/redis.md` says of them. Braces mark the part that must share a
Cluster slot: one script touches the keys of one tag only. Operator state, counters and
records have prefixes of their own, so that deleting counters in bulk can touch nothing
else.
"""

import re
from urllib.parse import quote, unquote

from outgate.policy.operator import Order

_UNSAFE = re.compile(r"[{}%\s\x00-\x1f\x7f]")
_TAGGED = re.compile(
    r"(?P<kind>[a-z]+):\{(?P<tag>[^{}]+)\}(?::(?P<rest>.*))?", re.DOTALL
)


SCHEMA_VERSION = 2


def safe(text: str) -> str:
    """Escape what would break a hash tag or a line of redis-cli, as in URLs: `%7B`."""
    if not text:
        # Braces around nothing are no tag.
        return "%"
    if text.isalnum() or not _UNSAFE.search(text):
        return text
    return _UNSAFE.sub(lambda found: quote(found[0]), text)


class Keys:
    """Spells keys under one namespace."""

    def __init__(self, namespace: str = "outgate") -> None:
        self.namespace = namespace
        self.audit = f"{namespace}:audit"
        self.audited = f"{namespace}:audited"
        self.complaints = f"{namespace}:complaints"
        self.complaint_totals = f"{namespace}:complaint-totals"
        self.held_index = f"{namespace}:held"
        self.hosts = f"{namespace}:hosts"
        self.list_seen = f"{namespace}:list-seen"
        self.list_grace = f"{namespace}:list-grace"
        self.list_report = f"{namespace}:list-report"
        self.optin_keys = f"{namespace}:optin-key"
        self.optin_lists = f"{namespace}:optin-lists"
        self.schema = f"{namespace}:schema"
        self._count = f"{namespace}:count:{{"

    def order(self, order: Order) -> str:
        """One of the operators' hashes."""
        return f"{self.namespace}:{order.value}"

    def count(self, customer: str, limit: str, identity: str) -> str:
        """A counter; `customer` and `identity` must be `safe` already."""
        return f"{self._count}{customer}}}:{limit}:{identity}"

    def distinct(self, customer: str, limit: str, identity: str) -> str:
        """Different ones; `customer` and `identity` must be `safe` already."""
        return f"{self.namespace}:distinct:{{{customer}}}:{limit}:{identity}"

    def contacts(self, customer: str) -> str:
        """Whom a customer has mailed; `customer` must be `safe` already."""
        return f"{self.namespace}:contacts:{{{customer}}}"

    def content(self, customer: str) -> str:
        """What a customer has mailed; `customer` must be `safe` already."""
        return f"{self.namespace}:content:{{{customer}}}"

    def usual(self, customer: str, principal: str) -> str:
        """What somebody usually sends; both must be `safe` already."""
        return f"{self.namespace}:usual:{{{customer}}}:{principal}"

    def standing(self, customer: str) -> str:
        """How a customer behaves; `customer` must be `safe` already."""
        return f"{self.namespace}:standing:{{{customer}}}"

    def shared(self, band: str) -> str:
        """One band of a content, for all customers."""
        return f"{self.namespace}:shared:{{{band}}}"

    def optin(self, list_id: str, bucket: int) -> str:
        """Subscribers of a list, one of many hashes of them."""
        return f"{self.namespace}:optin:{{{safe(list_id)}:{bucket}}}"

    def optin_prefix(self, list_id: str) -> bytes:
        """Of a list's keys: the number of the bucket and a brace are missing."""
        return f"{self.namespace}:optin:{{{safe(list_id)}:".encode()

    def challenge(self, list_id: str, bucket: int) -> str:
        """Challenges of a list, one of many hashes of them."""
        return f"{self.namespace}:challenge:{{{safe(list_id)}:{bucket}}}"

    def challenges(self, customer: str, list_id: str) -> str:
        """What is known of all challenges of a customer's list."""
        return f"{self.namespace}:challenges:{{{safe(list_id)}}}:{safe(customer)}"

    def challenged(self, recipient: str) -> str:
        """Challenges to one person; `recipient` is a keyed hash in hexadecimal."""
        return f"{self.namespace}:challenged:{{{recipient}}}"

    def contradiction(self, list_id: str, bucket: int) -> str:
        """Claims that the ledger contradicts, one of many hashes of them."""
        return f"{self.namespace}:contradiction:{{{safe(list_id)}:{bucket}}}"

    @staticmethod
    def list_member(customer: str, list_id: str) -> str:
        """What names a customer's list in hashes and sets of them."""
        return f"{safe(list_id)} {safe(customer)}"

    def list_of(self, member: str) -> tuple[str, str] | None:
        """Customer and id that a member names."""
        list_id, _, customer = member.partition(" ")
        return (unquote(customer), unquote(list_id)) if customer else None

    def list_day(self, customer: str, list_id: str, day: str) -> str:
        """What a list's mail of one day was like; `day` as 2026-11-24."""
        return f"{self.namespace}:listday:{{{safe(customer)}}}:{safe(list_id)}:{day}"

    def trace(self, bucket: str) -> str:
        """Traces of ten minutes; `bucket` as 2026-11-24T1710, in UTC."""
        return f"{self.namespace}:trace:{{{bucket}}}"

    def evidence(self, list_id: str, bucket: int) -> str:
        """Sealed evidence of those in one hash of subscribers."""
        return f"{self.namespace}:evidence:{{{safe(list_id)}:{bucket}}}"

    def parts(self, key: str) -> tuple[str, str, str]:
        """Kind of a key, what stands in its braces and what behind, before `safe`.

        All are "" where a key is none of ours, or has no braces.
        """
        found = _TAGGED.fullmatch(key.removeprefix(f"{self.namespace}:"))
        if found is None:
            return "", "", ""
        return found["kind"], unquote(found["tag"]), unquote(found["rest"] or "")

    def seen(self, customer: str, retry: str) -> str:
        """Attempts of one message; `customer` must be `safe` already."""
        return f"{self.namespace}:seen:{{{customer}}}:{retry}"

    def holding(self, customer: str) -> str:
        """What is held for a customer; `customer` must be `safe` already."""
        return f"{self.namespace}:holding:{{{customer}}}"

    def held(self, mta: str, queue_id: str) -> str:
        """The record of one held message."""
        return f"{self.namespace}:held:{safe(mta)}:{safe(queue_id)}"

    def digest(self, contact: str) -> str:
        """The mark that a digest went out."""
        return f"{self.namespace}:digest:{safe(contact)}"

    def report(self, customer: str, list_id: str) -> str:
        """The mark that a list's maintainer was told."""
        return f"{self.namespace}:report:{safe(customer)}:{safe(list_id)}"

    def notice(self, customer: str, limit: str, identity: str) -> str:
        """The mark that a notice of a limit went out."""
        return f"{self.namespace}:notice:{safe(customer)}:{limit}:{safe(identity)}"

    def complaint(self, complaint_id: str) -> str:
        """One complaint."""
        return f"{self.namespace}:complaint:{complaint_id}"

    def complained(self, customer: str, scope: str) -> str:
        """Who complained about a customer, or a list of his: `list:<id>`."""
        return f"{self.namespace}:complained:{{{safe(customer)}}}:{safe(scope)}"

    def strikes(self, customer: str) -> str:
        """Complaints that are held against a customer."""
        return f"{self.namespace}:strikes:{{{safe(customer)}}}"

    def copies(self, message: str) -> str:
        """Who got a message of ours from elsewhere; `message` in hexadecimal digits."""
        return f"{self.namespace}:copies:{{{message}}}"
