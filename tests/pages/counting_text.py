"""What docs/counting.md says between its tables."""

from collections.abc import Mapping

from outgate.message.fingerprint import BANDS, ROWS
from outgate.message.words import MAX_TEXT_CHARACTERS
from outgate.model.contacts import WEEKS_KEPT
from outgate.model.content import FEW, HOURS_KEPT, PLACES
from outgate.model.distinct import EXACT_MAX
from outgate.model.limit import Limit
from outgate.model.sharing import KEPT_H, NEW_H, NEW_KEPT, OLD_KEPT
from outgate.model.transaction import MAX_RECIPIENTS_KEPT
from outgate.policy.gate import LEARNT_A_DAY
from outgate.policy.plan import FORWARDED_RECIPIENTS
from outgate.policy.rules.unusual_for_this_sender import FACTOR, FLOOR
from outgate.policy.settings import CampaignSettings
from outgate.policy.shipped import SHIPPED_LIMITS

INTRO = """
Bulk mail is not told by how much there is, but by whom it reaches: people who never had
mail from this customer, and never asked for any. A note to fifteen friends is no bulk;
neither are five thousand receipts that were waited for. This page says what Outgate counts
to know that, how exactly, why the numbers are what they are, what it costs, and what
escapes it.
"""

RATES = """
What *drains* is a leaking bucket (GCRA): of `50/1w` 50 fit at once (`burst`), and they
drain within a week; so in the first week 100 pass at most. What *slides* is a window: how
many different ones there were lately, each until it has not been seen for the time of the
rate. All limits of a message are checked, then all are charged or none; what is refused or
held costs nothing. A limit whose action is `tag`, or whose `mode` is `monitor`, stops
nothing, and is charged for itself. A message that is larger than a whole plain limit would
never fit: [`message-exceeds-limit`](reasons.md#message-exceeds-limit) refuses it. A
recipient who is named twice is one.
"""

STRANGERS = f"""
A *contact* is a mailbox to which mail of this customer left in the last {WEEKS_KEPT} weeks
(about 400 days: the readers of a yearly letter stay known). Everybody else outside is a
*stranger*, until a first message to him has left. Contacts belong to the customer: whom
one of its logins has written to is known to the others. Case, plus-tags (`anne+shop@`) and
dots where a provider ignores them (`[domains] plus-tags`, `dotless`) make no other person.
Recipients in `[domains] local` and `relay` are never strangers.

What is remembered is four bytes of a keyed hash and a week, in one hash of the customer's
in Redis; beyond 512 contacts two bytes and the week, in 512 pages of 256 at most. So with
100,000 contacts 0.3 % of strangers are taken for known, and next to none with a few
hundred. The key (`outgate secret`) is not in Redis: nobody reads an address out of it. How
somebody is shown and forgotten: [privacy](privacy.md).

Contacts become the recipients of what left, in monitor mode nearly
[those of everything](#the-first-day-and-the-month-before-it). Those of
what was held and released later do not: no milter sees a released message again, so its
readers are strangers still. Nor do those who asked for a registered list, by its mail: it
asks nobody's contacts, and a list of 100,000 would push ordinary contacts out of the pages.
"""

DIFFERENT = f"""
Different recipients, domains, clients and networks are kept as keyed hashes of four bytes
with the time of their last use, to the 256th part of the window: one ages out late by one
such part at most, never early. Up to {EXACT_MAX:,} their number is exact. Beyond, a sample
of them is kept (adaptive sampling: Wegman; Flajolet, Computing 43, 1990), with a standard
error of 4 %.
"""

CAMPAIGNS = f"""
Copies of one mailing differ in names, links, codes, subject, order, and now and then in a
word. So a message is read as a reader would see it, and becomes a set of words. Folded away
are case, spellings of accents (NFKC), letters that only look like others, invisible
characters, digits, markup and what it hides, quoted lines, signatures, legal notices, and
links but for the site they lead to. A signature needs no mark: what follows "Kind regards"
and its like is one, and a last block with a telephone number or an address, where they are
short and hold no sentence. What is quoted counts where the message answers nothing
(In-Reply-To, References), has fewer than thirty words of its own, and quotes more. The
subject counts only where a text has fewer than eight different words: it is compared as a
whole then. Pictures alone are compared by what the message consists of, under any subject;
documents alone by the words of the subject and about their size as well; a message whose
first 64 KiB are a picture, by the words of the subject. Encrypted mail (S/MIME, PGP) is not
compared, nor is any where bodies are not looked at. Read are the first 64 KiB of a body, and of its text the first
{MAX_TEXT_CHARACTERS:,} characters; whatever is sent, the time for it is linear in its
bytes.

Of these words MinHash (Broder 1997), by one permutation (Li, Owen, Zhang 2012) with empty
bins filled by further ones (Shrivastava 2017), gives {BANDS * ROWS} minima; they are joined
into {BANDS} *bands* of {ROWS} (locality-sensitive hashing: Indyk, Motwani 1998). Two
messages of one customer are one *campaign* where one band is the same. Texts that share the
part J of their words have each band in common with probability J^{ROWS}: unrelated texts
share a twentieth of their words, copies more than three quarters.

Of a campaign is kept: its bands as keyed hashes of three bytes, when it was last used, and
how many it reached; of {PLACES} campaigns of a customer, for {HOURS_KEPT // 24} days after
the last use. Those that reached fewest strangers make room first, by powers of two: to make
Outgate forget a mailing takes {PLACES} others that reach half as many strangers each, or
more. Up to {FEW} strangers it costs none. Beyond {PLACES} people the number that it
reached is an estimate (standard error 15 %); strangers are counted one by one. Sender
address, List-Id and class of a message make no other campaign of it, and no class lowers a
count: bounces, auto-replies and invitations are compared as everything is; so is mail that
says it is forwarded, but for what a forwarder forwards.
No word of a text is kept, and none can be read back.
"""

JOINED = """
What is joined in error matters less than it seems: only the strangers of both add up.
Joined in error was one of 8,001 pairs of real personal mails, one in 21,528 of real list
mail, one in 6,064 of real spam; of letters with the same signature, notice or quote, one in
33,000 to 166,000, and of letters of 18 words under the same signature of a company one in
27,000 to 55,000. Of bounces it is one in 92: they look alike.

What is not joined: of copies with a tenth of their words exchanged a fifth to a third of
the pairs (but a copy has many others to be joined with); copies that a person or a program
writes anew; and what is no text, as a PDF under another paragraph each time. Nor is a text
of 60 words with 100 other words appended to each copy: the part that two share is too small
for any band. The same is bought by words that only some readers see (white ones where
another element has a dark background, what a style sheet hides, `mso-hide`), by a document
that is another in each copy, by a text behind a picture or document longer than the
64 KiB that are read, under another subject each time, and by an advert of a few lines: up to 45 different words that look like a signature or a quote, or 25
beside each phrase of a legal notice, are left out; with more, all that a reader sees is
compared. For such mail a sender gets the 200 a day of a login instead of the 50 of a
campaign, and many customers who send it are no
[`campaign-across-customers`](reasons.md#campaign-across-customers) either: nothing says
that it is one content.
"""

CONSENT = f"""
A list is registered by `[[list]]`, its id and its customer; who asked for it by `outgate
optin`. For mail of that customer with that List-Id, those who asked cost nothing, however
many they are; limits on messages, recipients and bytes leave it alone, but for those `per =
"list"`. Everybody else is a stranger as ever, and the share rule makes no room for them: a
list has confirmed subscribers only. An address that was merely imported (grade `import`)
has not asked, and a perfect List-Unsubscribe is no consent either. Those who did not ask
are charged after the verdict, so what is in flight may go beyond the limit.

A stream is registered by `[[stream]]`, its header From and its customer: mail of a program
to who waits for it, with that header From and one recipient a message; other mail is none
of it. It pays by a limit of its own for every stranger, and no other limit on strangers
counts it, nor is its content compared. Its `kind` is the class of its mail.

Whatever else a message says of itself moves no count: not header From, List-Id, Precedence,
a null sender, nor signs of forwarding, unless they come from a host of `[network]
forwarders` and the message has {FORWARDED_RECIPIENTS} recipients at most.
"""

_CAMPAIGN = CampaignSettings()
_KEPT_DAYS = KEPT_H // 24
ACROSS = f"""
A botnet on hijacked accounts stays below the limits of each. So four of the twelve bands of
what goes to strangers are known across customers: keyed hashes of the customers, since when
each has sent it, and how many strangers it reached. A content is *new* to a customer for
{NEW_H} hours from its first use. Where it is new to {_CAMPAIGN.customers} customers at a
time, and they reach {_CAMPAIGN.strangers} strangers together (`[campaign]`),
[`campaign-across-customers`](reasons.md#campaign-across-customers) speaks for that message
and those that follow, but never for a customer who has been sending the content for longer.
Texts of a few words are not compared: "thank you" is in everybody's mail. Neither is mail
of registered lists and streams.

So a template that many customers send, such as the receipts of a shop program, is nobody's
campaign once it is old to them: whoever sends it once a week stays known
({_KEPT_DAYS} days after the last use). Those to whom it is old hide nobody who begins to send it:
up to {OLD_KEPT} of one content are kept, and {NEW_KEPT} beside them to whom it is new; the
strangers of further new ones are added to the last of these. Where more than {OLD_KEPT}
customers send a template, it stays new to those who came last. Two moments remain. An empty
gate has seen nobody's template: about four customers of one a day become known, in monitor
mode as well, so a template of a hundred takes about a month. And a
program whose next version changes its text makes it new to all who use it; where five send
it to forty strangers within a day, mail is held until the day is over. A `[[stream]]` for
mail of programs avoids both.

Whoever wants a text to be held can send it himself: that takes {_CAMPAIGN.customers}
customers and {_CAMPAIGN.strangers} strangers, lasts a day, and takes other customers for
each further day; against who has been sending the text already it does nothing.

Which accounts those are: the log lines with that reason name each of them from then on
(`journalctl -u outgate -g campaign-across-customers`), and held mail shows the text. Those
who began are named nowhere, for the store has keyed hashes of them alone: look in the
day before for lines of other customers with about the same `size`, or search the mail that
the MTA still has for the text.
"""

BENCH = """
Simulated days before the real policy and the real store (`make bench-policy`; here one
seed, full size), beside what a limit of so many recipients an hour and sender would have
made of the same mail. "After a month": the gate has watched in monitor mode for that long.
More than 50 leave where some of the fifty drain meanwhile, or where twenty accounts begin
at once.
"""

FIRST_DAY = f"""
The first day of an empty gate is unfair: everybody is a stranger. The secretary of a club
of 60, who writes once a month in one message by Bcc, is held (60 strangers, none known); so
are the school and the incident notice.

So leave `mode = "monitor"` for as long as your slowest senders take to write once; for most
that is a month. What a mailing would have cost is charged as if it had been held, so that
the report is true, but its recipients are contacts from then on. After that none of the
good stories is stopped.

A month of watching also teaches the contacts of whoever sends spam in it. So what
[`campaign-across-customers`](reasons.md#campaign-across-customers) finds teaches none, and
of one sender's mail beyond limits at most {LEARNT_A_DAY:,} recipients a day become
contacts (a message that goes beyond them teaches none), and none of a registered list's.
That still is many in a month, and each login of a customer has as many. Before you set
`enforce`, look whom the log has
with `reasons=` `bulk-to-strangers` (it names the `customer=`), and make all contacts of one
who sent bulk mail strangers again: `redis-cli DEL 'outgate:contacts:{{choir}}'`.

Where there is no month: register the lists (`outgate optin load`),
or free a sender for a first letter (`HSET outgate:allow … "for=2h …"`), whose recipients
become contacts as well, however many they are.
"""

COSTS = f"""
**CPU.** With plain limits alone, and no look at bodies, a message costs a worker 1.6 times
what it costs a milter that does nothing; with strangers, different ones and contents 2.4
times (`make bench`: both in the same round, on the same CPU). The fingerprint by itself: a
plain text of 64 KiB takes six times as long as one of 1 KiB; quoted lines or a legal notice
make it three to four times as long, the costliest hostile body that is known sixteen times.
`bodies = false` in a `[[listen]]` spares it, and all campaigns with it: no mail of that
socket is compared.

**Memory in Redis.** All keys of an ordinary sender (50 recipients a day, 400 contacts, a
circular each month) take 8 KiB at most after a year; 100,000 contacts 512 KiB, a full table
of campaigns 28 KiB: tests hold it to that. A window of different ones is 6 KiB at most. A
content that went to strangers takes four keys of 150 bytes each for ten days, of 360 where
{NEW_KEPT} customers send it, of 1.9 KB where {OLD_KEPT} have done so for longer (Redis 7.0, its own tables included). Every counter expires: [keys and their lives](redis.md#keys).

**Time.** One look-up answers and charges everything; no message waits for a second one. The
server does one thing at a time, so a large message makes others wait: against 100,000
contacts, 1,000 recipients who are new cost it 6 ms, 10,000 some 40 ms, and as many known
ones 20 ms, or 30 ms where each had no mail yet this week (of its CPU; limits on different
recipients and domains take 3 ms more for 1,000, and 10 ms for 10,000). To give back what
10,000 strangers were charged takes 25 ms.
"""

DEGRADED = """
Without the store each host goes on with draining counters of its own, at its share of each
limit (the limit divided by the hosts seen). Nobody knows contacts there: for every limit on
strangers *each recipient counts as a stranger*, so an outage is no time for mailings;
each message of a stream costs one of the stream's limit. Campaigns, different ones and contents across customers are
not counted, mail of a registered list only per list. Whom mail reaches meanwhile does not
become a contact. `[store] on-failure` chooses `accept` or `defer` instead.
"""

_FORWARDED = next(
    limit.rate.count
    for limit in SHIPPED_LIMITS
    if limit.name == "recipients-per-forwarder-hourly" and limit.rate is not None
)
BLIND = f"""
Recipients that the MTA adds after the milter: virtual aliases, `.forward`, `:include:`. One
may be ten thousand. Name big ones in `[domains] aliases`: plain limits charge them at their
size; to limits on strangers they are one person.

Mail whose text is in a PDF or a picture: only the words around it are compared, or what the
message consists of. What is encrypted is only seen by how many strangers its sender reaches.

Who has written to us: no incoming mail is looked at, so whoever asked us something is a
stranger until he has an answer. The acknowledgements of a ticket desk, and vacation
replies, look alike and go to strangers: they are held at the fifty-first in a week. The
desk can be a [stream](#limits-for-common-wishes). So can a program that answers for
people, where it has a header From of its own: as one of a person's address it would spare
all that this person writes.

What a host of `[network] forwarders` forwards: how much it is, and neither who gets it nor
what it says. So such a host, or who takes it over, may reach
{_FORWARDED:,} strangers an hour
(`recipients-per-forwarder-hourly`) with the same text: name only hosts that you trust so
far, or lower that limit.

Bounces that look alike, and notices of a few words: they are joined, and to many strangers
they are a campaign. (The MTA's own bounces pass no milter.)

Fifty strangers in seven days for each content, and two hundred a day for each login: so
much it lets out by design. Whoever writes each copy anew gets the two hundred.

A botnet whose accounts each send one copy, and the others more than a day later: to them the
content is old by then. So are the accounts that sent the first copies of a mailing that was
held, a day later. The limits of each customer hold all the while.

Strangers who are taken for known (0.3 % with 100,000 contacts), and customers with more
than 131,072 contacts: the pages that are full forget those who came first.

More than {MAX_RECIPIENTS_KEPT:,} different recipients of one message: nobody knows who the
others are. So [`message-exceeds-limit`](reasons.md#message-exceeds-limit) refuses it, a
registered list's too; where that rule only monitors, the others are known to plain limits
alone.
"""

MORE = """
`outgate check FILE` shows which limits a message meets, and how full they are; every key is
in [configuration](configuration.md#limit). For one sender and for some time:
`HSET outgate:limit` ([Redis](redis.md#on-call)).
"""


def share(shipped: Mapping[str, Limit]) -> str:
    """Why a campaign may go on beyond its limit."""
    limit = shipped["strangers-per-campaign"]
    return f"""
A club writes to all its members, and some of them are new. So a campaign beyond its limit
goes on as long as at most {limit.share} % of all whom it ever reached were strangers
(`share` of `{limit.name}`), the message under judgement included: 400 members of whom 60
joined lately pass, 400 bought addresses among 60 members do not. In single messages the
order counts: a mailing that begins with its strangers is held at the fifty-first.
"""


def reasoning(shipped: Mapping[str, Limit]) -> str:
    """Why the shipped limits are what they are, a paragraph for each."""

    def rate(name: str) -> str:
        return f"`{name}`, `{shipped[name].rate}`"

    return f"""
{rate("strangers-per-campaign")}: an invitation to forty guests who never had mail is
nobody's spam; the same words to 51 strangers in a week nearly always are. A week, and not a
day, since one a minute for a week is a campaign too. Lower, and the first letter of each
small club is held; higher, and each hijacked account reaches so many more. It is held, not
refused: the person behind it has written real mail too, and somebody can look.

{rate("strangers-per-login-daily")}: it binds who writes each copy differently. A new
customer with an address book writes 150 first mails on a day; a person hardly writes more,
a program does.

{rate("strangers-per-local-user-daily")}: a web form that is abused mails strangers, a cron
job does not. {rate("strangers-per-client-daily")}: behind one address there may be a whole
office; its campaigns are bound by the first limit all the same. So is all local mail of a
Postfix host, which tells of no user: it has that limit too, as one client, `unknown`.

{rate("strangers-per-customer-daily")}: what all logins, users and clients of a customer
reach together, or a hundred stolen passwords of one house would have a hundred limits. Ten
of its busiest people fit. Who is no customer's has it too, beyond his own limit: an IPv6
client is its own /48 then, in whose /64s each host has a limit per client. A site whose
prefix is shorter than that may change its /48 as well: put all of the prefix into its
`[[customer]] match`, and this limit binds it.

{rate("networks-per-login-daily")}: a telephone on a train gives a person some networks a
day, a stolen password is used from many more. It only tags: a traveller is no criminal. So
does [`unusual-for-this-sender`](reasons.md#unusual-for-this-sender), on a day with more
than {FLOOR} recipients who had no mail this week, and more than {FACTOR} times the busiest
day so far (which fades by a twentieth a day).

The limits on messages and recipients only bound what a machine that runs wild can do. They
lie far above any day of the good stories below: a number that stops a spammer at 100 an
hour stops a school as well.
"""
