"""The whole configuration as a tree of frozen classes.

Names of fields are the keys of the file with `_` for `-`; texts, defaults and examples
stand beside each key, and `reference` prints them.
"""

import os
from datetime import timedelta
from pathlib import Path

import attrs

from outgate.model.identity import Path as SubmissionPath
from outgate.model.verdict import Mode
from outgate.policy.complaint_settings import ComplaintSettings, FeedbackLoopSettings
from outgate.policy.declared import setting, table
from outgate.policy.dkim_settings import DkimSettings, SignatureSettings
from outgate.policy.list_settings import ListSettings, OptinSettings
from outgate.policy.rule_settings import RulesSettings
from outgate.policy.settings import (
    CampaignSettings,
    CustomerSettings,
    DomainSettings,
    LimitSettings,
    NetworkSettings,
    PolicySettings,
    ProfileSettings,
    QuarantineSettings,
    StreamSettings,
    TagSettings,
)
from outgate.policy.trace_settings import TraceSettings

STATE_VARIABLE = "OUTGATE_STATE"
CONFIG_VARIABLE = "OUTGATE_CONFIG"
SYSTEM_CONFIG = Path("/etc/outgate/outgate.toml")
SYSTEM_PATHS = {"state": "/var/lib/outgate", "runtime": "/run/outgate"}


@attrs.frozen(kw_only=True)
class ListenSettings:
    """One socket that an MTA speaks to; any number of them."""

    address: str = setting(
        "`unix:/path`, `inet:host:port` or `inet6:[host]:port`. A path that Postfix's "
        "chroot reaches is best: every local user can speak to a loopback port.",
        example='"unix:/var/spool/postfix/outgate/outgate.sock"',
    )
    mode: str = setting(
        "Permissions of a unix socket, octal.", "0660", example='"0660"'
    )
    group: str = setting(
        "Group of a unix socket; the daemon must be in it. Empty: its directory's where "
        "that is setgid, else the daemon's own.",
        "",
        example='"postfix"',
    )
    path: SubmissionPath = setting(
        "`smtp`, or `local-submission` for Postfix's `non_smtpd_milters` and for mail "
        "of local users: nothing is refused at RCPT there, and `defer` becomes "
        "`quarantine`.",
        SubmissionPath.SMTP,
        example='"smtp"',
    )
    login_realm: str = setting(
        "Appended to SASL logins without a realm: Cyrus SASL gives none.",
        "",
        example='"example.org"',
    )
    local_user: str = setting(
        "The system user whose mail comes by this local-submission socket, such as "
        "`www-data`. Sendmail's Received line names the user; Postfix tells a milter "
        "nothing: where this is empty, all its local mail is of one sender, `unknown`, "
        "with the limits of a client.",
        "",
        example='""',
    )
    workers: int | None = setting(
        "Processes that serve this socket. Default: `[workers] count` for `smtp`, one "
        "for `local-submission`.",
        None,
        example="2",
    )
    bodies: bool = setting(
        "Look at bodies too (their first 64 KiB): without them, no campaign is "
        "recognised, sizes are known only where the client declared them, and a retry "
        "is not told from another message of the same subject and second. Messages "
        "cost a third less CPU.",
        True,
        example="true",
    )
    replies: str = setting(
        "When a suspended sender is told: at `end-of-message` (fastest: one reply a "
        "message), or already at `mail` or `recipient`, from the local copy of the "
        "operator's state. At `recipient`, who has withdrawn from a list with `bounces` "
        "is refused, too. Ignored for `local-submission`.",
        "end-of-message",
        example='"end-of-message"',
    )


@attrs.frozen(kw_only=True)
class WorkerSettings:
    """The processes that serve the sockets."""

    count: int | None = setting(
        "Processes for each `smtp` socket. Default: as many as there are CPUs that "
        "the daemon may use.",
        None,
        example="2",
    )
    pin: str = setting(
        "`auto` binds each process to one CPU (threads that wander between CPUs cost "
        "three times as much); `off` leaves it to the kernel.",
        "auto",
        example='"auto"',
    )
    drain_timeout: timedelta = setting(
        "How long a leaving worker waits for the sessions it serves.",
        timedelta(seconds=30),
        example='"30s"',
    )


@attrs.frozen(kw_only=True)
class StoreSettings:
    """Redis or Valkey."""

    url: str = setting(
        "`redis://[user@]host:port/db`, `rediss://…` or `unix:///path?db=0`. Empty: "
        "a private server of Outgate's own, in the state directory.",
        "",
        example='"unix:///run/redis/redis-server.sock"',
    )
    password_file: str = setting(
        "A file with the password, so that it stands in no configuration.",
        "",
        example='"/etc/outgate/redis.password"',
    )
    timeout: timedelta = setting(
        "How long one look-up may take. After three failures in a row nobody asks for "
        "a second. A local store answers in a tenth of a millisecond; the patience is "
        "for a machine that is busy, where giving up early would let mail out "
        "uncounted.",
        timedelta(milliseconds=200),
        example='"200ms"',
    )
    on_failure: str = setting(
        "While the store is away: `degraded` (counters of this host, last known "
        "operator state), `accept`, or `defer`.",
        "degraded",
        example='"degraded"',
    )
    namespace: str = setting("First word of every key.", "outgate", example='"outgate"')


@attrs.frozen(kw_only=True)
class LogSettings:
    """Where and how Outgate says what it did."""

    format: str = setting(
        "`logfmt` or `json`; one line for each message, on standard error.",
        "logfmt",
        example='"logfmt"',
    )
    level: str = setting(
        "`debug`, `info`, `warning` or `error`. The line for each message is `info`.",
        "info",
        example='"info"',
    )


@attrs.frozen(kw_only=True)
class MetricsSettings:
    """The HTTP endpoint for Prometheus: /metrics, /healthz, /readyz."""

    listen: str = setting(
        "`host:port`; empty for none.", "127.0.0.1:9894", example='"127.0.0.1:9894"'
    )


@attrs.frozen(kw_only=True)
class NotifySettings:
    """Digests of held mail, and notices of limits that are nearly used up."""

    postmaster: str = setting(
        "Who gets the digest of all held mail; empty for nobody.",
        "",
        example='"postmaster@example.org"',
    )
    sender: str = setting(
        "From of digests and notices; empty for none. They leave with the null sender, so "
        "that nothing bounces.",
        "",
        example='"outgate@example.org"',
    )
    smtp: str = setting(
        "`host:port` of the MTA that carries them.",
        "127.0.0.1:25",
        example='"127.0.0.1:25"',
    )
    digest_after: timedelta = setting(
        "How long a message is held before a digest tells of it: a burst is held in "
        "seconds, and one digest shall hold all of it.",
        timedelta(minutes=5),
        example='"5m"',
    )
    digest_every: timedelta = setting(
        "At most one digest to an address in this time.",
        timedelta(days=1),
        example='"1d"',
    )
    warn_every: timedelta = setting(
        "At most one notice to a customer's contact in this time of one and the same "
        "limit that is nearly used up (`warn` of `[[limit]]`). Not sent in monitor mode.",
        timedelta(days=1),
        example='"1d"',
    )


def default_state() -> str:
    """Where state is kept unless configured: by environment, root, or ordinary user."""
    if state := os.environ.get(STATE_VARIABLE):
        return state
    if os.geteuid() == 0:
        return SYSTEM_PATHS["state"]
    home = os.environ.get("XDG_STATE_HOME") or f"{Path.home()}/.local/state"
    return f"{home}/outgate"


def default_runtime() -> str:
    """Where sockets and metrics live unless configured."""
    if state := os.environ.get(STATE_VARIABLE):
        return f"{state}/run"
    if os.geteuid() == 0:
        return SYSTEM_PATHS["runtime"]
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return f"{runtime}/outgate" if runtime else f"{default_state()}/run"


@attrs.frozen(kw_only=True)
class PathSettings:
    """Directories of the daemon's own."""

    state: str = attrs.field(
        factory=default_state,
        metadata={
            "doc": "What outlives a restart: the embedded store, the secret, the "
            "outbox. Default: `OUTGATE_STATE`, else /var/lib/outgate for root and "
            "wherever /etc/outgate/outgate.toml is read, ~/.local/state/outgate for "
            "others.",
            "example": '"/var/lib/outgate"',
        },
    )
    runtime: str = attrs.field(
        factory=default_runtime,
        metadata={
            "doc": "What a restart makes anew: metrics, counters of the degraded mode. "
            "Default: `run` in `OUTGATE_STATE`, else /run/outgate for root and "
            "wherever /etc/outgate/outgate.toml is read, $XDG_RUNTIME_DIR/outgate for "
            "others.",
            "example": '"/run/outgate"',
        },
    )


@attrs.frozen(kw_only=True)
class SecretSettings:
    """The key behind keyed hashes."""

    file: str = setting(
        "Default: `secret` in the state directory. With a store of several hosts, "
        "make it once (`outgate secret new`) and copy it to all of them.",
        "",
        example='"/etc/outgate/secret"',
    )
    trace: tuple[str, ...] = setting(
        "Files of keys for the header `Outgate-Trace` alone, made like the other one: "
        "the first signs, the others are still read. A new one is put first, on all "
        "hosts that share the store. Default: the key of `file` signs, which is read "
        "in any case.",
        (),
        example='["/etc/outgate/trace-2026b", "/etc/outgate/trace-2026a"]',
    )


@attrs.frozen(kw_only=True)
class Settings:
    """Everything an operator can decide, in the order of the reference page."""

    mode: Mode = setting(
        "`monitor` judges and reports, but lets everything out; `enforce` acts. "
        "Operators' quarantine, suspend and allow act in both.",
        Mode.MONITOR,
        example='"monitor"',
    )
    listen: tuple[ListenSettings, ...] = setting(
        "Sockets. Default: one unix socket `outgate.sock` in the runtime directory.",
        (),
    )
    workers: WorkerSettings = table("Processes.", WorkerSettings)
    network: NetworkSettings = table("Our clients.", NetworkSettings)
    domains: DomainSettings = table("Our recipients.", DomainSettings)
    customer: tuple[CustomerSettings, ...] = setting(
        "Who is accountable. Without a match, each login, user or client is its own "
        "customer.",
        (),
    )
    profile: tuple[ProfileSettings, ...] = setting("Limits that customers share.", ())
    limit: tuple[LimitSettings, ...] = setting(
        "Limits, beside the shipped ones. One with a shipped name changes that one, "
        "and keeps of it what is not given.",
        (),
    )
    list: tuple[ListSettings, ...] = setting("Registered mailing lists.", ())
    optin: OptinSettings = table(
        "Consents of registered lists' recipients.", OptinSettings
    )
    stream: tuple[StreamSettings, ...] = setting(
        "Registered mail of programs to people who are waiting for it.", ()
    )
    campaign: CampaignSettings = table(
        "The same content from several customers.", CampaignSettings
    )
    rules: RulesSettings = table("What each rule may do.", RulesSettings)
    quarantine: QuarantineSettings = table("Bounds of held mail.", QuarantineSettings)
    tag: TagSettings = table("The header that `tag` adds.", TagSettings)
    trace: TraceSettings = table("Whose a message was.", TraceSettings)
    dkim: DkimSettings = table("Signing with DKIM.", DkimSettings)
    signature: tuple[SignatureSettings, ...] = setting(
        "Who may have mail signed as which domain.", ()
    )
    complaints: ComplaintSettings = table("Complaints.", ComplaintSettings)
    feedback_loop: tuple[FeedbackLoopSettings, ...] = setting(
        "Providers whose complaints are believed.", ()
    )
    store: StoreSettings = table("Redis.", StoreSettings)
    log: LogSettings = table("The log.", LogSettings)
    metrics: MetricsSettings = table("Prometheus.", MetricsSettings)
    notify: NotifySettings = table("Digests and notices.", NotifySettings)
    paths: PathSettings = table("Directories.", PathSettings)
    secrets: SecretSettings = table("Keys.", SecretSettings)

    def for_policy(self) -> PolicySettings:
        """The part that deciding depends on."""
        return PolicySettings(
            mode=self.mode,
            network=self.network,
            domains=self.domains,
            customers=self.customer,
            profiles=self.profile,
            limits=self.limit,
            lists=self.list,
            streams=self.stream,
            optin=self.optin,
            campaign=self.campaign,
            rules=self.rules,
            quarantine=self.quarantine,
            tag=self.tag,
            trace=self.trace,
        )
