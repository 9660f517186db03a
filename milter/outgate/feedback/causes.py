"""From a reply to its cause: enhanced codes (RFC 3463), reply codes, and the words.

Words come first where they are plain: providers give `5.7.1` to full mailboxes and
`5.1.1` to blocked senders. All of it is what the other side says; it may err, or lie.
"""

import re

from outgate.feedback.outcome import MAX_REPLY_CHARACTERS, Cause

# `550 5.1.1`, `550-5.1.1`, `#5.1.1`, `(5.1.1)`; not a version or an IP address.
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_REPLY_CODE = re.compile(
    r"(?<![\d.])([245][0-5]\d)(?=[ \-#]|\Z)(?! ?(?:bytes|seconds))"
)

_RATE_LIMIT = re.compile(
    r"rate.?limit|(?:too many|too much|exceed\w*|maximum|limit|max) .{0,30}?"
    r"(?:connections?|messages|e?mails|sessions?|concurren|rate\b)"
    r"|too (?:fast|quickly)|throttl|unusual rate|e?mails? per |messages? per "
    r"|receiving mail (?:too|at a rate)|slow down|connection (?:frequency|rate)"
    r"|frequency (?:limit|restrict)|sending limit|unexpected volume|\bTSS?04\b"
    r"|concurrent",
    re.IGNORECASE,
)
_MAILBOX_FULL = re.compile(
    r"(?:mail ?box|inbox|mail ?folder|maildir|account|user|storage)\W+"
    r"(?:\w+\W+){0,5}?(?:full\b|over ?quota)"
    r"|(?:over|exceed\w*|insufficient|not enough)\W+(?:\w+\W+){0,4}?"
    r"(?:quota|storage|mailbox (?:size|limit))"
    r"|quota\W+(?:\w+\W+){0,3}?(?:exceed|full|reached|violat)|over ?quota|mailfull"
    r"|mail ?box (?:size )?limit exceeded|mailbox.?full",
    re.IGNORECASE,
)
_UNKNOWN_USER = re.compile(
    r"(?:user|mail ?box|recipient|address(?:ee)?|account|alias|addresses?)"
    r"[^\n]{0,80}?"
    r"(?:unknown|not (?:be )?found|not known|n[o']t exist|doesn't exist|does not exist"
    r"|not (?:a )?(?:valid|listed|recognized|recognised)|invalid|unrecognized|undefined"
    r"|no longer (?:available|valid|exists?|in use)|unavailable)"
    r"|(?:unknown|no such|invalid|non-?existent|unrecogni[sz]ed|bad|undeliverable)"
    r"[ _-]+(?:\w+[ _-]+){0,3}?(?:user|mail ?box|recipient|address|account|person|local)"
    r"|no mail ?box (?:here|by that)|not (?:our|a known) (?:customer|user)"
    r"|user unknown|user doesn't have a|not listed in|no account by|isn't a known|unknown in virtual"
    r"|who you are trying to send e?mail to does not exist",
    re.IGNORECASE,
)
_UNKNOWN_HOST = re.compile(
    r"(?:host|domain|dns)[^\n]{0,60}?(?:unknown|not found|n[o']t exist|lookup failure)"
    r"|(?:unknown|no such|invalid|illegal) (?:host|domain)|couldn't find any host"
    r"|unrouteable|unroutable|nullmx|null mx|does not accept (?:any )?(?:e?mail|messages)"
    r"|all relevant mx records point to non-existent|name service error"
    r"|no mail hosts for domain|no route for|no (?:smtp service|mx record)"
    r"|not accepting network messages",
    re.IGNORECASE,
)
_SPAM_BLOCK = re.compile(
    r"\bspam|\bjunk|unsolicited|\bbulk (?:e?mail|sender)|block(?:ed|list| list|ing)"
    r"|black.?list|deny.?list|dnsbl|\brbls?\b|\bsbl\b|\bxbl\b|\bpbl\b|spamhaus|spamcop|barracuda"
    r"|sorbs|abusix|senderscore|reputation|policy (?:reasons?|violation|restriction)"
    r"|(?:local|security|content|administrative|site) polic|\bpolicy\b|\bdmarc\b|\bspf\b|\bdkim\b"
    r"|unauthenticated|reverse dns|\brdns\b|ptr record|\bptr\b|reverse hostname"
    r"|banned|suspicious|malware|virus|phish|not accept(?:ed|ing)? (?:from|mail from)"
    r"|refused (?:by|for|your|due)|denied|prohibited|abus(?:e|ive)|bad helo|dynamic ip"
    r"|service refus|network not allowed|generic hostname|\brejected (?:for|due|by|because|as)|not permitted|\bbgp\b",
    re.IGNORECASE,
)
# Words that are about the sending host or domain, and about nothing else.
_SENDER_BLOCK = re.compile(
    r"\bptr\b|\brdns\b|reverse (?:dns|hostname|lookup)|dnsbl|spamhaus|spamcop"
    r"|black.?list|\bdmarc\b|\bspf\b|\bdkim\b|reputation",
    re.IGNORECASE,
)
# About the sender's own address, the relay or the way: it says nothing of a recipient,
# and nobody calls the mail spam.
_ELSEWHERE = re.compile(
    r"relay(?:ing)?\b.{0,30}(?:denied|not|prohib)|(?:no|not|unable|deny|denied).{0,20}relay"
    r"|(?:sender|return|from)[ -](?:address|domain).{0,40}"
    r"(?:not found|not exist|reject|invalid|resol)"
    r"|domain of sender|unrout[e]?able sender|sender (?:rejected|unknown|denied)"
    r"|does not resolve|authentication (?:required|is required)|hop count|routing loop",
    re.IGNORECASE,
)
_SUSPENDED = re.compile(
    r"(?:user|mail ?box|recipient|address|account)[^\n]{0,40}?"
    r"(?:suspended|disabled|inactive|deactivated|locked|frozen|is block|on hold)",
    re.IGNORECASE,
)
_PERMANENT = 500
_UNKNOWN_STATUS = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10", "4.4"})
# Sender's address: bad system, bad syntax; RFC 7505.
_SENDER_STATUS = frozenset({"1.7", "1.8", "7.27"})
_RATE_STATUS = frozenset({"7.28"})
# RFC 3463 §3.8, RFC 7372: what is refused for who sends it, or how.
_AUTHENTICATION = frozenset({"7.8", "7.9", "7.10", "7.11", "7.12", "7.13", "7.14"})


# A hostile reply costs up to seven microseconds for each character.
_MAX_CHARACTERS = 8_000


def room_for(recipients: int) -> int:
    """How many characters of each reply are read, where one bounce has so many."""
    # A code stands in the first forty.
    return min(MAX_REPLY_CHARACTERS, _MAX_CHARACTERS // max(1, recipients))


def read_codes(text: str) -> tuple[int | None, str]:
    """Reply code and enhanced code in a reply; None and "" where there are none."""
    text = text[:MAX_REPLY_CHARACTERS]
    status = _STATUS.search(text)
    code = _REPLY_CODE.search(text)
    return int(code[1]) if code else None, status[1] if status else ""


def cause_of(status: str, reply_code: int | None, text: str) -> Cause:
    """Why something was refused or deferred."""
    text = text[:MAX_REPLY_CHARACTERS]
    detail = status.partition(".")[2]
    if detail == "2.2" or _MAILBOX_FULL.search(text):
        return Cause.MAILBOX_FULL
    if detail in _SENDER_STATUS or _ELSEWHERE.search(text):
        return Cause.OTHER
    if detail in _RATE_STATUS or _RATE_LIMIT.search(text):
        return Cause.RATE_LIMIT
    if _SENDER_BLOCK.search(text) and detail != "1.1":
        return Cause.SPAM_BLOCK
    is_blocked = _SPAM_BLOCK.search(text) is not None
    if _SUSPENDED.search(text) and not is_blocked:
        return Cause.OTHER
    if detail in _UNKNOWN_STATUS and not is_blocked:
        return Cause.UNKNOWN_USER
    if _UNKNOWN_USER.search(text) or _UNKNOWN_HOST.search(text):
        is_final = reply_code is None or reply_code >= _PERMANENT
        return Cause.UNKNOWN_USER if is_final else Cause.OTHER
    is_policy = detail.startswith("7.") and detail not in _AUTHENTICATION
    return Cause.SPAM_BLOCK if is_blocked or is_policy else Cause.OTHER
