"""docs/log.md: what each field and each event of the log says.

Fields and events are read from the code that writes them: one that is not explained here
makes no page.
"""

import ast
import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import outgate
from outgate.log import canonical
from outgate.model.errors import StoreError
from outgate.model.verdict import MailClass, Reason
from outgate.policy.compiled import LIMIT_REASONS
from outgate.policy.questions import Source
from outgate.store.breaker import GivenUp
from pages.markdown import GENERATED, block, code, joined, paragraph, table

_LEVELS = ("debug", "info", "warning", "error")

FIELDS: Mapping[str, str] = {
    "queue-id": "the MTA's, the same as in the MTA's own log",
    "mta": "the MTA's host name for itself",
    "customer": "who is accountable, and whose counters these are",
    "login": "the SASL login, with its realm",
    "local-user": "the system user, of a local submission",
    "script": "the script of a web site that PHP names",
    "client": "the client's address",
    "sender": "the envelope sender; a recipient that VERP writes into it is left out",
    "recipients": "how many; never who",
    "size": "bytes: what the client declared (`SIZE=`) or what was seen, whichever is more; beyond the first 64 KiB of a body, which alone are looked at, an estimate",
    "class": "what kind of mail it is: [classes](#classes)",
    "action": "the verdict: what would be",
    "disposition": "what the MTA was told: another one than `action` in monitor mode, and on "
    "a local submission, where nothing is deferred",
    "reasons": "all rules that found something, the severest first: [reasons](reasons.md)",
    "detail": "what they found, in the same order: [details](#details)",
    "instead": "the reason that decided in place of these, such as `quarantine-full`",
    "removed": "how many recipients were taken out of it: "
    "[list permission](list-permission.md)",
    "claims": "`result:number` of confirmations that good tokens claim, compared with the "
    "ledger of [challenges](challenges.md#the-time-line)",
    "challenge": "of a request to confirm a subscription: by whose words it was known "
    "([challenges](challenges.md#what-is-recognised))",
    "refused": "how many were refused at RCPT, and are not among `recipients`",
    "optin": "`result:number` of each copy of `Opt-In-Evidence`: "
    "[results](optin-evidence.md#what-it-proves-and-what-not)",
    "trace": "id of the message's [trace](trace.md)",
    "dkim": "`result:domain/selector` of each signature, or why there is none: "
    "[results](dkim.md#watching)",
    "limits": "`name:used/of` of each counter that the message was measured against; what a "
    "mailing reached (`strangers-per-campaign`) is no counter and stands in `detail` alone",
    "attempt": "the second one or a later one of this very message",
    "source": "who answered in place of the store: [sources](#sources)",
    "trouble": "why: the kind of the store's error",
    "store-ms": "how long the look-up took",
    "total-ms": "how long the decision took at the message's end, look-up included",
    "worker": "which worker",
}

CLASSES: Mapping[MailClass, str] = {
    MailClass.INBOUND: "from outside: accepted untouched, and nothing else is known of it",
    MailClass.BOUNCE: "a null sender, one recipient, and it looks like an automatic response",
    MailClass.AUTO_REPLY: "says that a program answers",
    MailClass.CALENDAR: "an invitation or an answer to one (iTIP)",
    MailClass.CONFIRMATION: "a request to confirm a subscription, by its words or its stream",
    MailClass.FORWARD: "somebody else wrote it, and it is passed on",
    MailClass.LIST: "a List-Id, or another header that only lists have",
    MailClass.BULK: "declares itself bulk",
    MailClass.BULK_BY_BEHAVIOUR: "declares nothing, and reaches 50 people or more",
    MailClass.TRANSACTIONAL: "of a registered stream",
    MailClass.PERSONAL: "all else, receipts and cron mail included",
}

_OF_ORDER = "the name by which an order was found, and its text"
DETAILS: Mapping[Reason, str] = {
    Reason.SUSPENDED: _OF_ORDER,
    Reason.QUARANTINED: _OF_ORDER,
    Reason.STORE_UNAVAILABLE: "the kind of the store's error, as `trouble`",
    Reason.MESSAGE_EXCEEDS_LIMIT: "the limit: `name:cost/of`",
    Reason.LIMIT_EXCEEDED: "the limit and the rate in force; `20% of …` where conduct moves "
    "it",
    Reason.CAMPAIGN_ACROSS_CUSTOMERS: "how many customers and strangers",
    Reason.SUBSCRIPTION_BOMBING: "how many challenges within a day before this one, by the "
    "list and by all",
    Reason.UNUSUAL_FOR_THIS_SENDER: "recipients today, and on busy days",
    Reason.CONSENT_WITHDRAWN: "how many of how many recipients outside; `refused at RCPT` "
    "where no message came after that",
    Reason.LIST_WITHOUT_CONSENT: "the same; `not enforced yet` before the day of "
    "`enforce-from`",
    Reason.DECLARED_BULK_UNREGISTERED: "the List-Id, or `no List-Id`",
    Reason.NULL_SENDER_ABUSE: "how many recipients",
    Reason.MISSING_UNSUBSCRIBE: "[what is odd](list-headers.md) about the list headers, or `no "
    "List-Unsubscribe`",
    Reason.NEAR_LIMIT: "`name:used/of` of each",
    Reason.QUARANTINE_FULL: "nothing: see `instead`",
    Reason.INTERNAL_ERROR: "nothing: event `callback-error` has the traceback",
}

SOURCES: Mapping[Source, str] = {
    Source.STORE: "the store itself; it is not written",
    Source.LOCAL: 'the host\'s own counters (`on-failure = "degraded"`)',
    Source.ACCEPT: 'nobody (`on-failure = "accept"`)',
    Source.DEFER: 'nobody (`on-failure = "defer"`)',
}

EVENTS: Mapping[str, str] = {
    "message": "a message was judged: [its fields](#a-message)",
    "callback-error": "an error of Outgate's own; the message went the way of "
    "`internal-error`",
    "store-error": "one question to the store failed",
    "store-down": "a worker stopped asking the store: `on-failure` is in force",
    "store-up": "a worker asks the store again",
    "hold-record-lost": "the disk did not take why a message is held; it is held all the same",
    "digest-sent": "somebody was told of held mail",
    "digests-late": "the MTA takes mail so slowly that some digests wait for the next round",
    "digest-not-sent": "the MTA did not take a digest; it is tried again",
    "hold-record-unusable": "somebody wrote into the record of a held message; it is left out",
    "hold-queue-not-listed": "`queue-command` failed: what is not held any more is not seen",
    "holds-not-tended": "the store is away; held mail is looked at later",
    "metrics-served": "the port of `[metrics] listen` is free again",
    "metrics-not-served": "the port of `[metrics] listen` cannot be had; mail goes on",
    "operator-trouble": "an [order](redis.md#words-of-a-value) that cannot be read, once",
    "complaint": "a [complaint](complaints.md) was taken in",
    "complaint-repeated": "a complaint that was taken in before; nothing is counted again",
    "complaint-filed": "a report that a person has to read: `reason` as in "
    "[the table](complaint-reports.md#what-is-filed), `our-error` for one of Outgate's own",
    "dkim-off": "no keys are configured: nothing is signed",
    "trace-error": "a message left without its trace; it is a bug",
    "dkim-error": "a key could not sign; the message left without its signature",
    "optin-key-unusable": "a list host's key cannot be used on this host; its tokens count "
    "as absent",
    "outbox-kept": "the store is away at the end; records wait on disk for the next start",
    "keeper-store-down": "the keeper cannot use the store: orders are those last known",
    "keeper-store-up": "the keeper uses the store again",
    "notice-sent": "a customer was told of limits that are nearly used up",
    "list-report-lost": "the disk did not take that a list's maintainer is to be told",
    "list-report-not-sent": "the MTA did not take such a report; it is tried again",
    "list-report-sent": "a list's maintainer was told how many recipients lack a consent",
    "notice-lost": "the disk did not take that a customer is to be told",
    "dsn-sent": "an envelope sender was told whom a list's message did not reach",
    "dsns-late": "as `digests-late`",
    "dsn-not-sent": "the MTA did not take such a notification; it is tried again",
    "dsn-given-up": "the MTA took it for five days not; the list was not told",
    "dsn-unusable": "a file in `spool/dsn` that no worker wrote; it is deleted",
    "notices-late": "as `digests-late`",
    "notice-not-sent": "the MTA did not take a notice; it is tried again",
    "socket-unchanged": "mode and group of a socket that systemd passed stay as they are",
    "store-accepted": "the store is the right one again",
    "store-refused": "another secret, another layout, wrong credentials: the store is not used",
    "store-evicts": "the store would drop counters when it is full: set `noeviction`",
    "keeper-step-failed": "one task of the keeper failed; the others go on",
    "store-checked": "the store is there, and the right one",
    "store-unreachable": "the store is away at the start; the daemon starts without it",
    "start-failed": "a process could not begin: an error of Outgate's own",
    "process-died": "a process ended by itself; a new one starts",
    "store-not-started": "the embedded store does not start; it is tried again",
    "store-silent": "the embedded store lives and does not answer; it is started anew",
    "store-adopted": "the embedded store outlived the daemon before this one",
    "store-not-stopped": "the embedded store did not end in time",
    "store-started": "the embedded store is there",
    "store-loading": "the embedded store reads its file",
    "stopped": "the end",
    "reloading": "a new generation of workers starts",
    "reloaded": "it serves; the old one drains",
    "reload-failed": "the old configuration goes on; one line for each problem",
    "stopping": "workers drain",
    "ready": "all sockets are served",
    "status-not-written": "`outgate doctor` and metrics see old numbers",
    "drain-timeout": "so many `sessions` and `transactions` were cut off, each with the "
    "MTA's default action",
    "pin-failed": "a worker is bound to no CPU",
    "log-lines-lost": "nobody read the log in time: so many lines are missing here",
}


class Event(NamedTuple):
    """What the code writes under one name.

    Attributes:
        levels: mostly one.
        fields: after time, level and event.
    """

    levels: tuple[str, ...]
    fields: tuple[str, ...]


def line_fields() -> list[str]:
    """The fields of a message's line that the code can write."""
    writers = (canonical.fields, canonical.consent)
    tree = ast.parse("\n".join(inspect.getsource(one) for one in writers))
    return [
        node.elts[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Tuple)
        and isinstance(node.elts[0], ast.Constant)
        and isinstance(node.elts[0].value, str)
    ]


def events() -> dict[str, Event]:
    """Every event that the code can write, by name."""
    found: dict[str, Event] = {}
    for file in sorted(Path(outgate.__path__[0]).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for level, name, fields in _written(node):
                before = found.get(name, Event((), ()))
                found[name] = Event(
                    tuple(dict.fromkeys((*before.levels, level))),
                    tuple(dict.fromkeys((*before.fields, *fields))),
                )
    return dict(sorted(found.items()))


def _written(node: ast.AST) -> Iterator[tuple[str, str, list[str]]]:
    """What a call writes, if it is one of a log."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    method, words = node.func.attr, [_text(one) for one in node.args]
    if method in _LEVELS and _is_log(node.func.value):
        fields = [key.arg.replace("_", "-") for key in node.keywords if key.arg]
        yield method, words[0], fields
    elif method in {"write", "_line"} and len(words) > 3 and words[1] in _LEVELS:
        pairs = node.args[3].elts if isinstance(node.args[3], ast.List) else []
        names = [_text(one.elts[0]) for one in pairs if isinstance(one, ast.Tuple)]
        yield words[1], words[2], names


def _is_log(node: ast.AST) -> bool:
    return ast.unparse(node).rpartition(".")[2] in {"log", "_log"}


def _text(node: ast.AST) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""


def page() -> str:
    """The page."""
    return joined(
        "# Log",
        paragraph(
            "On standard error, so in the journal (`journalctl -u outgate`): one line for "
            "each message, and rare events. `[log] format` is logfmt or JSON, with the same "
            "fields; a field that has nothing to say is left out. Each line begins with "
            "`time` (UTC), `level` and `event`; what is not printable is written `\\xNN`."
        ),
        GENERATED,
        block(
            "time=2026-11-24T06:00:00.000Z level=info event=message queue-id=4XyZ1a2b3c "
            "mta=mx1.example.org\n  customer=choir login=anne@choir.example "
            "client=192.0.2.9 sender=anne@choir.example\n  recipients=1 size=2048 "
            "class=personal action=quarantine disposition=quarantine\n  "
            'reasons=limit-exceeded detail="messages-per-login-hourly 1000/1h"\n  '
            "limits=messages-per-login-hourly:1000/1000 store-ms=0.42 total-ms=0.61 worker=1"
        ),
        "## A message",
        table(
            ("field", "what it says"), ((f"`{one}`", FIELDS[one]) for one in _order())
        ),
        "## Classes",
        paragraph("A class is for who reads it: no class lowers a count."),
        table(
            ("`class`", "what it is"), ((f"`{one}`", CLASSES[one]) for one in MailClass)
        ),
        "## Details",
        table(
            ("reason", "`detail`"),
            ((f"[`{one}`](reasons.md#{one})", _detail(one)) for one in Reason),
        ),
        "## Sources",
        table(
            ("`source`", "who answered"), ((f"`{one}`", SOURCES[one]) for one in Source)
        ),
        paragraph(f"`trouble` is one of {code(_troubles())}."),
        "## Events",
        table(
            ("`event`", "level", "fields", "what happened"),
            (
                (f"`{name}`", ", ".join(one.levels), code(one.fields), EVENTS[name])
                for name, one in events().items()
            ),
        ),
    )


def _order() -> list[str]:
    """As they stand in the line; each that the code has must be explained."""
    written = set(line_fields())
    if unknown := written - FIELDS.keys():
        raise KeyError(f"tests/pages/log.py explains no field {', '.join(unknown)}")
    return [one for one in FIELDS if one in written]


def _detail(reason: Reason) -> str:
    return DETAILS[Reason.LIMIT_EXCEEDED if reason in LIMIT_REASONS else reason]


def _troubles() -> list[str]:
    """Kinds that a look-up can fail by; `GivenUp` is one of the store's own room."""
    return sorted({GivenUp.kind, *(one.kind for one in StoreError.__subclasses__())})
