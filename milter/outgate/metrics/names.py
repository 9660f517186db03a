"""Every metric there is. No other module spells one."""

from outgate.metrics.complaint_names import COMPLAINT_METRICS
from outgate.metrics.metric import Kind, Metric
from outgate.model.consent import TokenResult
from outgate.model.dkim import Algorithm, SigningResult
from outgate.model.verdict import Action, MailClass, Reason
from outgate.policy.questions import Source

NO_REASON = "none"
_ACTIONS = tuple(action.value for action in Action)

# From well below a local round trip to well beyond an MTA's patience.
_SECONDS = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005),
    *(0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
)

MESSAGES = Metric(
    name="outgate_messages_total",
    kind=Kind.COUNTER,
    text="Messages, by class, verdict, what the MTA was told, and deciding reason.",
    rise="By reason: somebody sends more than they may. By disposition `defer`: mail "
    "piles up at clients.",
    labels=(
        ("class", tuple(mail_class.value for mail_class in MailClass)),
        ("action", _ACTIONS),
        ("disposition", _ACTIONS),
        ("reason", (NO_REASON, *(reason.value for reason in Reason))),
    ),
)
RECIPIENTS = Metric(
    name="outgate_recipients_total",
    kind=Kind.COUNTER,
    text="Recipients of outbound messages, people behind aliases included.",
    rise="More people get mail from here.",
    labels=(("direction", ("external", "internal")), ("disposition", _ACTIONS)),
)
STRANGERS = Metric(
    name="outgate_strangers_total",
    kind=Kind.COUNTER,
    text="Recipients whom the customer had never mailed and who have not asked for it, by what the MTA was told.",
    rise="Bulk mail, or new customers. By disposition `accept`: it leaves.",
    labels=(("disposition", _ACTIONS),),
)
REMOVED_RECIPIENTS = Metric(
    name="outgate_removed_recipients_total",
    kind=Kind.COUNTER,
    text="Recipients that were taken out of a registered list's mail, by reason; envelope senders get delivery status notifications.",
    rise="A list's software does not take off those who unsubscribe, or adds people who "
    "did not ask.",
    labels=(
        (
            "reason",
            (Reason.CONSENT_WITHDRAWN.value, Reason.LIST_WITHOUT_CONSENT.value),
        ),
    ),
)
REFUSED_RECIPIENTS = Metric(
    name="outgate_refused_recipients_total",
    kind=Kind.COUNTER,
    text="Recipients that were refused at RCPT (`[[list]] bounces`), by reason.",
    rise="A list's software does not take off those who unsubscribe.",
    labels=(("reason", (Reason.CONSENT_WITHDRAWN.value,)),),
)
LIMIT_EXCEEDED = Metric(
    name="outgate_limit_exceeded_total",
    kind=Kind.COUNTER,
    text="Messages that a limit had no room for, by limit; one message may meet several.",
    rise="Somebody sends more than they may, or the limit is too low.",
    labels=(("limit", ()),),
)
NEAR_LIMIT = Metric(
    name="outgate_near_limit_total",
    kind=Kind.COUNTER,
    text="Messages after which little was left of a limit, by limit (reason `near-limit`).",
    rise="Mail will be stopped soon: ask who sends, or raise the limit before.",
    labels=(("limit", ()),),
)
RETRIES = Metric(
    name="outgate_retries_total",
    kind=Kind.COUNTER,
    text="Messages that had been tried before and not accepted.",
    rise="Clients try deferred mail again and again.",
)
DECISION_SECONDS = Metric(
    name="outgate_decision_seconds",
    kind=Kind.HISTOGRAM,
    text="From end-of-message to the decision, look-up included.",
    rise="The store or this machine is slow.",
    buckets=_SECONDS,
)
STORE_SECONDS = Metric(
    name="outgate_store_seconds",
    kind=Kind.HISTOGRAM,
    text="One look-up in the store.",
    rise="The store is slow or far.",
    buckets=_SECONDS,
)
STORE_ERRORS = Metric(
    name="outgate_store_errors_total",
    kind=Kind.COUNTER,
    text="Look-ups that the store did not answer as it should.",
    rise="timeout and unavailable: the store is away, and down: so nobody asked; refused: credentials; script: a "
    "bug or a key of a wrong type; local: the degraded counters cannot be used.",
    labels=(
        ("kind", ("timeout", "unavailable", "down", "refused", "script", "local")),
    ),
)
ANSWERS = Metric(
    name="outgate_answers_total",
    kind=Kind.COUNTER,
    text="Look-ups, by who answered.",
    rise="Anything but `store`: degraded mode.",
    labels=(("source", tuple(source.value for source in Source)),),
)
OPTIN_TOKENS = Metric(
    name="outgate_optin_tokens_total",
    kind=Kind.COUNTER,
    text="Copies of header Opt-In-Evidence in outbound mail, by what became of them; all "
    "but `valid` count as absent.",
    rise="no-match, other-customer: somebody forges or copies tokens; key-revoked, "
    "key-expired, expired: a list host signs with an old key or sends old tokens; withdrawn: it mails who "
    "has left the list; error: "
    "a secret is missing here, the log names it.",
    labels=(("result", tuple(result.value for result in TokenResult)),),
)
CHALLENGES = Metric(
    name="outgate_challenges_total",
    kind=Kind.COUNTER,
    text="Requests to confirm a subscription, by what the MTA was told.",
    rise="`defer` or `reject`: somebody enters an address into many forms "
    "(`subscription-bombing`), or into one again and again.",
    labels=(("disposition", _ACTIONS),),
)
OPTIN_CONTRADICTIONS = Metric(
    name="outgate_optin_contradictions_total",
    kind=Kind.COUNTER,
    text="Confirmations claimed by tokens of mail that left, that no request to confirm went before: noted beside "
    "the claim (`contradicted-by-ledger`). Those of imports are in their reports.",
    rise="A list host claims what never happened, or sends its requests by another way than is declared: see "
    "`outgate list status`.",
)
NO_ALGORITHM = "none"
DKIM_SIGNATURES = Metric(
    name="outgate_dkim_signatures_total",
    kind=Kind.COUNTER,
    text="DKIM signatures of outbound mail that left, or why there is none.",
    rise="no-key, not-permitted: senders that nobody has configured, or a forged header "
    "From; error: a key cannot sign, the log names it.",
    labels=(
        ("algorithm", (NO_ALGORITHM, *(algorithm.value for algorithm in Algorithm))),
        ("result", tuple(result.value for result in SigningResult)),
    ),
)
CALLBACK_ERRORS = Metric(
    name="outgate_callback_errors_total",
    kind=Kind.COUNTER,
    text="Unforeseen errors in milter callbacks; each has a traceback in the log.",
    rise="A bug; mail goes the way of `[rules.internal-error]`.",
    labels=(
        (
            "stage",
            (
                *("negotiate", "connect", "mail", "rcpt", "header", "body"),
                *("end-of-message", "abort", "close"),
            ),
        ),
    ),
)
LOG_LINES_LOST = Metric(
    name="outgate_log_lines_lost_total",
    kind=Kind.COUNTER,
    text="Lines of workers' logs that nobody took in time; mail did not wait for them.",
    rise="Whoever reads standard error is stuck or too slow, or the disk is full.",
)
SESSIONS = Metric(
    name="outgate_sessions",
    kind=Kind.GAUGE,
    text="Open milter connections.",
    rise="More SMTP sessions, or an MTA that keeps them.",
)
TRANSACTIONS = Metric(
    name="outgate_transactions",
    kind=Kind.GAUGE,
    text="Messages between MAIL and the answer at end-of-message.",
    rise="Messages wait: the store or this machine is slow.",
)
WORKERS = Metric(
    name="outgate_workers",
    kind=Kind.GAUGE,
    text="Worker processes, by state.",
    rise="`draining` that stays: sessions that do not end.",
    labels=(("state", ("starting", "ready", "draining")),),
)
WORKER_RESTARTS = Metric(
    name="outgate_worker_restarts_total",
    kind=Kind.COUNTER,
    text="Processes that died and were started again, by role.",
    rise="Crashes: see the log.",
    labels=(("role", ("worker", "keeper", "store")),),
)
RELOADS = Metric(
    name="outgate_config_reloads_total",
    kind=Kind.COUNTER,
    text="Reloads of the configuration, by result.",
    rise="`failed`: the old configuration is still in force.",
    labels=(("result", ("ok", "failed")),),
)
BUILD = Metric(
    name="outgate_build_info",
    kind=Kind.GAUGE,
    text="Always 1; the version runs as a label.",
    rise="-",
    labels=(("version", ()), ("mode", ("monitor", "enforce"))),
)
ORDERS = Metric(
    name="outgate_operator_orders",
    kind=Kind.GAUGE,
    text="Operators' orders in force, by hash; not those that do nothing.",
    rise="-",
    labels=(("order", ("quarantine", "suspend", "allow", "limit")),),
)
ORDER_TROUBLES = Metric(
    name="outgate_operator_troubles",
    kind=Kind.GAUGE,
    text="Names, types and values in operators' hashes that cannot be used, and keys of "
    "a wrong type.",
    rise="A typing error: an order may not act as its author thinks, or a sender is judged "
    "by local counters: `outgate doctor` names it.",
)
HELD_MESSAGES = Metric(
    name="outgate_held_messages",
    kind=Kind.GAUGE,
    text="Messages in hold queues, as recorded, of all hosts.",
    rise="Nobody releases or deletes.",
)
HELD_BYTES = Metric(
    name="outgate_held_bytes",
    kind=Kind.GAUGE,
    text="Size of the messages in hold queues.",
    rise="Nobody releases or deletes.",
)
HELD_OVERDUE = Metric(
    name="outgate_held_overdue",
    kind=Kind.GAUGE,
    text="Held messages past their hold-until.",
    rise="Nobody looks at the hold queue.",
)
HELD_OLDEST = Metric(
    name="outgate_held_oldest_seconds",
    kind=Kind.GAUGE,
    text="Age of the oldest held message.",
    rise="Nobody looks at the hold queue.",
)
HELD_UNUSABLE = Metric(
    name="outgate_held_unusable",
    kind=Kind.GAUGE,
    text="Records of held messages that cannot be read, and so are left alone.",
    rise="Somebody wrote `held:` keys by hand; the log names them.",
)
HOSTS = Metric(
    name="outgate_hosts",
    kind=Kind.GAUGE,
    text="Hosts that share the store.",
    rise="-",
)
OUTBOX = Metric(
    name="outgate_outbox_records",
    kind=Kind.GAUGE,
    text="Records on disk that are not in the store yet.",
    rise="The store is away; nothing is lost.",
)
STORE_UP = Metric(
    name="outgate_store_up",
    kind=Kind.GAUGE,
    text="Whether the keeper reached the store in its last round.",
    rise="A fall to 0: degraded mode.",
)
STORE_REFUSED = Metric(
    name="outgate_store_refused",
    kind=Kind.GAUGE,
    text="Whether the store is not used because it belongs to somebody else.",
    rise="It was filled with another secret, or by a newer Outgate: this host is on its "
    "own, in degraded mode.",
)
STORE_DURABLE = Metric(
    name="outgate_store_durable",
    kind=Kind.GAUGE,
    text="Whether the store says when consents are on disk (1), or writes of the "
    "registry are `durability=unconfirmed` (0).",
    rise="At 0: set `appendfsync always`, or take a server that has WAITAOF (Redis 7.2, "
    "Valkey) with `appendonly yes`.",
)
TRACES_DROPPED = Metric(
    name="outgate_traces_dropped_total",
    kind=Kind.COUNTER,
    text="Traces of messages that were dropped before their time, since all of them "
    "took more than `[trace] memory`.",
    rise="More mail than this memory is for: raise it, or shorten `[trace] keep`.",
)
TRACE_BYTES = Metric(
    name="outgate_trace_bytes",
    kind=Kind.GAUGE,
    text="Memory of the store that traces of messages take.",
    rise="More mail; at `[trace] memory` the oldest are dropped.",
)
KEEPER_ERRORS = Metric(
    name="outgate_keeper_errors_total",
    kind=Kind.COUNTER,
    text="Steps of the keeper that failed, an outage of the store aside.",
    rise="A full disk, or a bug; the log has a traceback. No message waits for it.",
    labels=(
        (
            "step",
            (
                "supervisor",
                "http",
                "store-check",
                "orders",
                "strays",
                "order-upkeep",
                "hosts",
                "local-copy",
                "traces",
                "outbox",
                "outbox-size",
                "dsns",
                "dsns-waiting",
                "complaints",
                "mta-names",
                "holds",
                "hold-queue",
                "recount",
                "digests",
                "notices",
            ),
        ),
    ),
)
NOTIFY_FAILURES = Metric(
    name="outgate_notify_failures_total",
    kind=Kind.COUNTER,
    text="Digests of held mail, notices of limits, reports of lists and delivery status "
    "notifications that could not be sent; they are tried again.",
    rise="The MTA of `[notify] smtp` is away or refuses them; the log has its words.",
    labels=(("kind", ("digest", "notice", "dsn", "list-report")),),
)
DSNS_WAITING = Metric(
    name="outgate_dsns_waiting",
    kind=Kind.GAUGE,
    text="Delivery status notifications of removed recipients that were not sent yet.",
    rise="The MTA of `[notify] smtp` is away or refuses them.",
)

METRICS: tuple[Metric, ...] = (
    MESSAGES,
    RECIPIENTS,
    STRANGERS,
    REMOVED_RECIPIENTS,
    REFUSED_RECIPIENTS,
    LIMIT_EXCEEDED,
    NEAR_LIMIT,
    RETRIES,
    DECISION_SECONDS,
    STORE_SECONDS,
    STORE_ERRORS,
    ANSWERS,
    OPTIN_TOKENS,
    CHALLENGES,
    OPTIN_CONTRADICTIONS,
    DKIM_SIGNATURES,
    CALLBACK_ERRORS,
    LOG_LINES_LOST,
    SESSIONS,
    TRANSACTIONS,
    WORKERS,
    WORKER_RESTARTS,
    RELOADS,
    BUILD,
    ORDERS,
    ORDER_TROUBLES,
    HELD_MESSAGES,
    HELD_BYTES,
    HELD_OVERDUE,
    HELD_OLDEST,
    HELD_UNUSABLE,
    HOSTS,
    OUTBOX,
    STORE_UP,
    STORE_REFUSED,
    STORE_DURABLE,
    TRACES_DROPPED,
    TRACE_BYTES,
    KEEPER_ERRORS,
    NOTIFY_FAILURES,
    DSNS_WAITING,
    *COMPLAINT_METRICS,
)
