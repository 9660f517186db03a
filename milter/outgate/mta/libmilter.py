"""The engine: pymilter's C callbacks, negotiated the fast way.

What makes it fast, and is easily lost again:

- callbacks are set on the C module, not on `Milter.Base`: no dispatch, no decoding;
- the fewest callbacks, and no reply for any of them but end-of-message: an MTA then
  writes a message in two pieces and waits once;
- one process is bound to one CPU (`daemon.worker`): threads that wander between CPUs
  with the interpreter's lock cost three times as much.

HELO is not negotiated: pymilter answers 451 to one that is not UTF-8 before any Python
runs. A header *name* that is not UTF-8 raises inside pymilter too, where no guard of
ours can be; the exception policy is therefore CONTINUE: that header is not seen, and the
message is judged without it. (Any other policy in a no-reply stage makes libmilter
ignore the rest of the message, end-of-message included, and the MTA waits for minutes.
Neither Postfix nor Sendmail passes such a name on.)

Every callback runs under one guard: an exception is logged with its traceback and
counted. Where a stage gets no reply, the transaction is marked, and the answer comes at
end-of-message.

Limits: libmilter closes the connection at a packet of more than 65,535 bytes, such as a
single header of that size; the MTA's default action follows.
"""

import os
import socket as sockets
from collections.abc import Callable
from typing import Any, Protocol

import Milter

from outgate.model.dkim import SIGNATURE_HEADER
from outgate.model.verdict import Reply
from outgate.mta.effects import Effects
from outgate.mta.listening import accepted, dead_listener, listening
from outgate.mta.session import MilterSession

_BACKLOG = 4096
# Longer than any MTA keeps a session (Postfix: 300 s between commands).
_IDLE_TIMEOUT_S = 7200
_PERMANENT = 500

_ACTIONS = Milter.ADDHDRS | Milter.CHGHDRS | Milter.DELRCPT | Milter.QUARANTINE

# Fewer macros are fewer bytes for each message. A list may not be empty: the MTA would
# send its own.
_SYMLISTS = (
    (Milter.M_CONNECT, "j v"),
    (Milter.M_HELO, "{tls_version}"),
    (Milter.M_ENVFROM, "i {auth_type} {auth_authen} {cert_subject} {verify}"),
    (Milter.M_ENVRCPT, "i"),
    (Milter.M_DATA, "i"),
    (Milter.M_EOH, "i"),
    (Milter.M_EOM, "i"),
)
_INTERNET = frozenset({sockets.AF_INET, sockets.AF_INET6})


class Hooks(Protocol):
    """What the engine needs from the worker."""

    def open_session(self) -> MilterSession:
        """A new milter connection begins."""

    def close_session(self, session: MilterSession) -> None:
        """It ended."""

    def begin(self, session: MilterSession) -> None:
        """A transaction began: a drain must wait for it."""

    def end(self, session: MilterSession) -> None:
        """It was answered or aborted."""

    def failed(self, stage: str) -> None:
        """An exception is being handled: log its traceback and count it."""


class _Link:
    """What hangs on pymilter's context: the session, and what each stage returns."""

    __slots__ = ("connect", "header", "mail", "rcpt", "session", "skip")

    def __init__(self, session: MilterSession, agreed: int) -> None:
        self.session = session
        self.connect = _silence(agreed & Milter.P_NR_CONN)
        self.mail = _silence(agreed & Milter.P_NR_MAIL)
        self.rcpt = _silence(agreed & Milter.P_NR_RCPT)
        self.header = _silence(agreed & Milter.P_NR_HDR)
        self.skip = int(Milter.SKIP if agreed & Milter.P_SKIP else Milter.CONTINUE)


def _silence(no_reply: int) -> int:
    """NOREPLY where it was agreed: libmilter logs anything else as a lie."""
    return int(Milter.NOREPLY if no_reply else Milter.CONTINUE)


class Engine:
    """libmilter, serving one socket in this process; there can be only one."""

    def __init__(self, hooks: Hooks, *, needs_body: bool, replies: str) -> None:
        """Set the callbacks.

        Args:
            hooks: the worker.
            needs_body: whether anybody looks at bodies.
            replies: stage of the first reply: `end-of-message`, `mail`, `recipient`.
        """
        self._hooks = hooks
        self._descriptor = -1
        self._dead: sockets.socket | None = None
        self._listener: sockets.socket | None = None
        unused = Milter.P_NOHELO | Milter.P_NOUNKNOWN | Milter.P_NODATA | Milter.P_NOEOH
        if not needs_body:
            unused |= Milter.P_NOBODY
        silent = Milter.P_NR_CONN | Milter.P_NR_HDR
        if replies != "mail":
            silent |= Milter.P_NR_MAIL
        if replies != "recipient":
            silent |= Milter.P_NR_RCPT
        self._wanted = unused | silent | Milter.P_SKIP
        Milter.set_flags(_ACTIONS)
        Milter.set_exception_policy(Milter.CONTINUE)
        Milter.set_connect_callback(self._guard("connect", self._connect))
        Milter.set_envfrom_callback(self._guard("mail", self._mail))
        Milter.set_envrcpt_callback(self._guard("rcpt", self._rcpt))
        # Called most often, so its guard is its own.
        Milter.set_header_callback(self._header)
        if needs_body:
            Milter.set_body_callback(self._guard("body", self._body))
        Milter.set_eom_callback(self._end_of_message)
        Milter.set_abort_callback(self._guard("abort", self._abort))
        Milter.set_close_callback(self._close)
        Milter.register("outgate", negotiate=self._negotiate)

    def adopt(self, listener: sockets.socket, dummy: str) -> None:
        """Make libmilter serve a socket that the supervisor owns.

        libmilter insists on opening a socket by itself: it gets a private dummy of the
        same family, and the real listener is put over its descriptor. So an orderly
        end unlinks the dummy, never the shared socket.

        Args:
            listener: bound, listening, non-blocking: several processes poll it, and a
                blocking accept would hang all but one.
            dummy: such as `unix:/run/…/dummy` or `inet:0@127.0.0.1`.
        """
        # Made now, since a drain must not fail.
        self._dead = dead_listener()
        self._listener = listener
        before = listening()
        Milter.setconn(dummy)
        Milter.setbacklog(_BACKLOG)
        Milter.settimeout(_IDLE_TIMEOUT_S)
        Milter.opensocket(True)
        (self._descriptor,) = listening() - before
        os.dup2(listener.fileno(), self._descriptor)

    def run(self) -> None:
        """Serve until the process ends; libmilter's threads do the work."""
        Milter.main()

    def stop_accepting(self) -> None:
        """Take no new sessions: put a listener that nobody knows over the descriptor."""
        if self._dead is not None:
            os.dup2(self._dead.fileno(), self._descriptor)

    def connected(self) -> int:
        """How many MTAs are connected, those included that have not said a word yet."""
        return 0 if self._listener is None else accepted(self._listener)

    def _guard(self, stage: str, callback: Callable[..., int]) -> Callable[..., int]:
        """Wrap a callback of a stage that has no failure of its own."""

        def guarded(ctx: Any, *arguments: Any) -> int:
            try:
                return callback(ctx, *arguments)
            except Exception:
                return self._note_failure(ctx, stage)

        return guarded

    def _note_failure(self, ctx: Any, stage: str) -> int:
        """Log and count an exception; the answer comes at end-of-message."""
        self._hooks.failed(stage)
        link: _Link | None = ctx.getpriv()
        if link is None:
            return int(Milter.CONTINUE)
        link.session.mark_failed()
        return int(getattr(link, stage, Milter.CONTINUE))

    def _negotiate(self, ctx: Any, options: list[int]) -> int:
        try:
            agreed = options[1] & self._wanted
            actions = options[0] & (_ACTIONS | Milter.SETSYMLIST)
            session = self._hooks.open_session()
            session.negotiate(removes_recipients=bool(actions & Milter.DELRCPT))
            ctx.setpriv(_Link(session, agreed))
            options[:] = [actions, agreed, 0, 0]
            if actions & Milter.SETSYMLIST:
                for stage, macros in _SYMLISTS:
                    ctx.setsymlist(stage, macros)
        except Exception:
            self._hooks.failed("negotiate")
            return int(Milter.REJECT)
        return int(Milter.CONTINUE)

    def _connect(self, ctx: Any, _host: str, family: int, address: Any) -> int:
        link: _Link = ctx.getpriv()
        ip = address[0] if family in _INTERNET and address else None
        link.session.connect(ip, ctx.getsymval("v") or "", ctx.getsymval("j") or "")
        return link.connect

    def _mail(self, ctx: Any, *arguments: bytes) -> int:
        link: _Link = ctx.getpriv()
        session = link.session
        self._hooks.begin(session)
        login = ctx.getsymval("{auth_authen}") or ""
        reply = session.mail(arguments, login, "" if login else _certificate(ctx))
        if reply is not None:
            self._hooks.end(session)
            return _refuse(ctx, reply)
        return link.mail

    def _rcpt(self, ctx: Any, *arguments: bytes) -> int:
        link: _Link = ctx.getpriv()
        # Where nothing is answered, nobody reads the queue id.
        queue_id = _queue_id(ctx) if link.rcpt == Milter.CONTINUE else ""
        reply = link.session.recipient(arguments, queue_id)
        return link.rcpt if reply is None else _refuse(ctx, reply)

    def _header(self, ctx: Any, name: str, value: bytes) -> int:
        try:
            link: _Link = ctx.getpriv()
            link.session.header(name, value)
        except Exception:
            return self._note_failure(ctx, "header")
        return link.header

    def _body(self, ctx: Any, chunk: bytes) -> int:
        link: _Link = ctx.getpriv()
        return link.skip if link.session.body(chunk) else int(Milter.CONTINUE)

    def _end_of_message(self, ctx: Any) -> int:
        link: _Link | None = None
        try:
            link = ctx.getpriv()
            if link is None:
                return int(Milter.TEMPFAIL)
            try:
                answer = _apply(
                    ctx, link.session.end_of_message(ctx.getsymval("i") or "")
                )
                link.session.answered()
                return answer
            finally:
                self._hooks.end(link.session)
        except Exception:
            self._hooks.failed("end-of-message")
            return self._answer_failure(ctx, link)

    def _answer_failure(self, ctx: Any, link: _Link | None) -> int:
        try:
            if link is not None:
                return _apply(ctx, link.session.fail(_queue_id(ctx)))
        except Exception:
            self._hooks.failed("end-of-message")
        return int(Milter.TEMPFAIL)

    def _abort(self, ctx: Any) -> int:
        link: _Link | None = ctx.getpriv()
        if link is not None:
            link.session.abort()
            self._hooks.end(link.session)
        return int(Milter.CONTINUE)

    def _close(self, ctx: Any) -> int:
        try:
            link: _Link | None = ctx.getpriv()
            if link is not None:
                ctx.setpriv(None)
                self._hooks.close_session(link.session)
        except Exception:
            self._hooks.failed("close")
        return int(Milter.CONTINUE)


def _certificate(ctx: Any) -> str:
    """Subject of a client certificate that the MTA verified, else nothing."""
    subject = ctx.getsymval("{cert_subject}")
    # Postfix gives the subject of trusted certificates only, and no {verify}.
    if not subject or ctx.getsymval("{verify}") not in {None, "OK"}:
        return ""
    return str(subject)


def _queue_id(ctx: Any) -> str:
    try:
        return ctx.getsymval("i") or ""
    except Exception:
        return ""


def _refuse(ctx: Any, reply: Reply) -> int:
    # `%` begins a format in libmilter.
    ctx.setreply(str(reply.code), reply.enhanced, reply.text.replace("%", "%%"))
    return int(Milter.REJECT if reply.code >= _PERMANENT else Milter.TEMPFAIL)


def _apply(ctx: Any, effects: Effects) -> int:
    """Tell the MTA; libmilter sends the changes before the answer."""
    if effects.reply is not None:
        return _refuse(ctx, effects.reply)
    for name, copies in effects.remove:
        for occurrence in range(copies, 0, -1):
            ctx.chgheader(name, occurrence, None)
    for name, value in effects.add:
        ctx.addheader(name, value)
    for path in effects.remove_recipients:
        ctx.delrcpt(path.decode())
    for value in reversed(effects.sign):
        # Above all headers, those included that the MTA does not show.
        ctx.addheader(SIGNATURE_HEADER, value, 0)
    if effects.quarantine:
        ctx.quarantine(effects.quarantine)
    return int(Milter.CONTINUE)
