"""The daemon over the milter protocol: what an MTA sees, whatever it sends."""

from collections.abc import Callable
from typing import Any

import pytest

from lab.miltermta import Actions, MilterMta, Steps
from lab.outgate import Outgate
from mta.marks import marks, traces

Connect = Callable[..., MilterMta]

ANNE = b"<anne@example.org>"
BOB = b"<bob@example.net>"
HEADERS = [
    (b"From", b" Anne <anne@example.org>"),
    (b"To", b" bob@example.net"),
    (b"Subject", b" lunch"),
    (b"Date", b" Tue, 24 Nov 2026 10:00:00 +0100"),
    (b"Message-ID", b" <1@example.org>"),
]
BULK = [*HEADERS, (b"Precedence", b" bulk")]


class TestOrdinaryMail:
    """Most mail: nothing to be seen of a filter."""

    def test_a_personal_message_passes_unchanged(
        self, mta: Connect, someone: str
    ) -> None:
        """A trace is added, nothing is changed, and it is accepted at its end."""
        with mta(login=someone) as client:
            outcome = client.send(
                sender=ANNE, recipients=[BOB], headers=HEADERS, body=b"Hello\r\n"
            )

        assert outcome.action == "accept"
        assert (marks(outcome), outcome.changed, outcome.stage) == ([], [], "eom")
        assert len(traces(outcome)) == 1

    def test_two_messages_in_one_session_are_two_messages(
        self, mta: Connect, outgate: Outgate, someone: str
    ) -> None:
        """Nothing of the first one reaches the second one."""
        with mta(login=someone) as client:
            for queue_id, recipients in (("2in1a", [BOB, ANNE]), ("2in1b", [BOB])):
                client.send(
                    sender=ANNE,
                    recipients=recipients,
                    headers=HEADERS,
                    queue_id=queue_id,
                )

        assert outgate.message("2in1a")["recipients"] == "2"
        assert outgate.message("2in1b")["recipients"] == "1"

    def test_a_thousand_recipients_are_counted(
        self, mta: Connect, outgate: Outgate, someone: str
    ) -> None:
        """Each of them costs the limit; the reply names none of them."""
        recipients = [b"<r%d@example.net>" % number for number in range(1000)]
        with mta(login=someone) as client:
            outcome = client.send(
                sender=ANNE, recipients=recipients, headers=HEADERS, queue_id="1000r"
            )

        assert (outcome.action, outcome.code) == ("reject", 550)
        assert b"1000 recipients" in outcome.reply
        assert b"example.net" not in outcome.reply
        reasons = outgate.message("1000r")["reasons"].split(",")
        assert reasons[:2] == ["message-exceeds-limit", "bulk-to-strangers"]

    def test_a_null_sender_is_a_sender(
        self, mta: Connect, outgate: Outgate, someone: str
    ) -> None:
        """Its mail is charged to whoever logged in."""
        with mta(login=someone) as client:
            outcome = client.send(
                sender=b"<>", recipients=[BOB], headers=HEADERS, queue_id="null"
            )

        assert outcome.action == "accept"
        assert outgate.message("null")["customer"] == someone
        assert "messages-per-login-hourly:1/20" in outgate.message("null")["limits"]

    @pytest.mark.parametrize("flavour", ["postfix", "sendmail"])
    def test_an_mta_that_offers_little_gets_the_same_verdict(
        self, mta: Connect, flavour: str, someone: str
    ) -> None:
        """Without no-reply, without SKIP, without macro lists: every stage is answered."""
        with mta(
            login=someone,
            flavour=flavour,
            steps=Steps.ALL & ~(Steps.NR | Steps.SKIP),
            actions=Actions.ALL & ~Actions.SETSYMLIST,
        ) as client:
            outcome = client.send(
                sender=ANNE, recipients=[BOB], headers=BULK, body=b"x" * 200_000
            )

        assert outcome.action == "accept"
        assert marks(outcome) == [(b"Outgate-Verdict", b"class=bulk; action=tag", None)]


class TestOddSessions:
    """What no well-behaved client does, and every port sees."""

    def test_a_probe_that_says_nothing_disturbs_nobody(
        self, mta: Connect, outgate: Outgate, someone: str
    ) -> None:
        """A connection that is opened and closed leaves no trace."""
        before = len(outgate.events("callback-error"))
        for _ in range(5):
            mta().probe().close()
        with mta(login=someone) as client:
            assert client.send(sender=ANNE, recipients=[BOB]).action == "accept"

        assert len(outgate.events("callback-error")) == before

    @pytest.mark.parametrize(
        "stage", ["connect", "helo", "mail", "rcpt", "data", "header", "eoh", "body"]
    )
    def test_abort_at_any_stage_forgets_the_message(
        self, mta: Connect, outgate: Outgate, someone: str, stage: str
    ) -> None:
        """The next message of the session is judged, and only that one is charged."""
        with mta(login=someone) as client:
            for step in _steps(client):
                step()
                if step.__name__ == stage:
                    break
            client.abort()
            outcome = client.send(
                sender=ANNE, recipients=[BOB], headers=HEADERS, queue_id=f"ab{stage}"
            )

        assert outcome.action == "accept"
        assert (
            "messages-per-login-hourly:1/20" in outgate.message(f"ab{stage}")["limits"]
        )

    def test_a_header_name_that_is_not_utf8_is_not_seen(
        self, mta: Connect, someone: str
    ) -> None:
        """pymilter cannot decode it; the message is judged without it, and at once."""
        with mta(login=someone) as client:
            outcome = client.send(
                sender=ANNE,
                recipients=[BOB],
                headers=[(b"X-B\xe9d", b" 1"), *BULK],
            )

        assert outcome.action == "accept"
        assert marks(outcome) == [(b"Outgate-Verdict", b"class=bulk; action=tag", None)]

    def test_bytes_that_are_not_utf8_are_shown_and_judged(
        self, mta: Connect, outgate: Outgate, someone: str
    ) -> None:
        """Sender, header values and host name may be anything."""
        with mta(login=someone, hostname="pc.example") as client:
            outcome = client.send(
                sender=b"<ann\xe9@example.org>",
                recipients=[b"<b\xffb@example.net>"],
                headers=[(b"Subject", b" \xfe\xff"), (b"From", b" \xe9 <a@b.example>")],
                body=b"\x00\xff",
                queue_id="latin",
            )

        assert outcome.action == "accept"
        assert outgate.message("latin")["sender"] == r"ann\xe9@example.org"

    def test_hundreds_of_headers_are_bounded(self, mta: Connect, someone: str) -> None:
        """A huge header section costs no memory and changes no verdict."""
        headers = [(b"Received", b" from x " + b"y" * 900) for _ in range(2000)]
        with mta(login=someone) as client:
            outcome = client.send(sender=ANNE, recipients=[BOB], headers=headers + BULK)

        assert outcome.action == "accept"


class TestOwnHeader:
    """The header that `tag` adds is ours alone."""

    def test_forged_copies_are_removed(self, mta: Connect, someone: str) -> None:
        """All of them, the last one first, before ours is added."""
        forged = (b"outgate-VERDICT", b" class=personal; action=accept")
        with mta(login=someone) as client:
            outcome = client.send(
                sender=ANNE, recipients=[BOB], headers=[forged, *BULK, forged]
            )

        assert [(index, value) for index, _, value in outcome.changed] == [
            (2, b""),
            (1, b""),
        ]
        assert marks(outcome) == [(b"Outgate-Verdict", b"class=bulk; action=tag", None)]

    def test_bulk_mail_with_an_unsubscribe_is_not_tagged(
        self, mta: Connect, someone: str
    ) -> None:
        """RFC 2369: a mailto: address in brackets is a way out.

        To a stranger it is tagged all the same: no list of that customer is registered.
        """
        headers = [*BULK, (b"List-Unsubscribe", b" <mailto:leave@example.org>")]
        with mta(login=someone) as client:
            first, second = (
                client.send(sender=ANNE, recipients=[BOB], headers=headers)
                for _ in range(2)
            )

        assert (len(marks(first)), marks(second)) == (1, [])


class TestLimits:
    """What a limit does at the protocol."""

    def test_a_login_over_its_limit_is_held(
        self, mta: Connect, outgate: Outgate, someone: str
    ) -> None:
        """The 21st message of 20 is quarantined, with its reason."""
        with mta(login=someone) as client:
            outcomes = [
                client.send(
                    sender=ANNE,
                    recipients=[BOB],
                    headers=[(b"Subject", b" %d" % number)],
                    queue_id=f"over{number}",
                )
                for number in range(21)
            ]

        assert [outcome.action for outcome in outcomes[:20]] == ["accept"] * 20
        assert outcomes[20].action == "quarantine"
        assert outcomes[20].quarantine_reason == b"outgate: limit-exceeded"
        assert outgate.message("over20")["reasons"] == "limit-exceeded"

    def test_a_client_over_its_limit_is_deferred_in_words(self, mta: Connect) -> None:
        """The reply says which limit, when to try again, and a reference."""
        with mta(client=("192.0.2.77", 4444)) as client:
            outcomes = [
                client.send(sender=ANNE, recipients=[BOB], queue_id=f"cl{number}")
                for number in range(6)
            ]

        last = outcomes[5]
        assert [one.action for one in outcomes[:5]] == ["accept"] * 5
        assert (last.action, last.code, last.enhanced) == ("tempfail", 451, b"4.7.1")
        assert last.reply.decode() == (
            "451 4.7.1 The sending limit of 5/1h messages is used up; try again in 12 "
            "minutes. (limit-exceeded, ref cl5)"
        )

    def test_ipv6_neighbours_of_a_64_share_a_counter(self, mta: Connect) -> None:
        """A host can choose any address of its /64."""
        outcomes = []
        for number in range(6):
            with mta(client=(f"2001:db8:a:1::{number}", 4444)) as client:
                outcomes.append(client.send(sender=ANNE, recipients=[BOB]).action)

        assert outcomes == ["accept"] * 5 + ["tempfail"]

    def test_mail_from_outside_passes_and_is_not_counted(
        self, mta: Connect, outgate: Outgate
    ) -> None:
        """Inbound mail is nobody's business here."""
        with mta(client=("203.0.113.5", 4444)) as client:
            for number in range(8):
                outcome = client.send(
                    sender=ANNE, recipients=[BOB], headers=BULK, queue_id=f"in{number}"
                )
                assert (outcome.action, marks(outcome)) == ("accept", [])

        assert outgate.message("in7")["class"] == "inbound"
        assert "limits" not in outgate.message("in7")

    def test_a_retry_is_recognised(self, mta: Connect, outgate: Outgate) -> None:
        """The same message again, with a new queue id, is attempt two and three."""
        with mta(client=("192.0.2.78", 4444)) as client:
            for _ in range(5):
                client.send(sender=ANNE, recipients=[BOB])
            for number in range(3):
                client.send(
                    sender=ANNE,
                    recipients=[BOB],
                    headers=HEADERS,
                    queue_id=f"again{number}",
                )

        attempts = [
            outgate.message(f"again{number}").get("attempt") for number in range(3)
        ]
        assert attempts == [None, "2", "3"]

    def test_an_alias_costs_the_people_behind_it(
        self, mta: Connect, outgate: Outgate, someone: str
    ) -> None:
        """Operators name aliases that the MTA expands later."""
        with mta(login=someone) as client:
            client.send(
                sender=ANNE, recipients=[b"<Everyone@example.net>"], queue_id="alias"
            )

        assert "recipients-per-login-hourly:40/50" in outgate.message("alias")["limits"]

    def test_internal_recipients_cost_no_external_limit(
        self, mta: Connect, outgate: Outgate, someone: str
    ) -> None:
        """Recipients in our own domains are never strangers."""
        with mta(login=someone) as client:
            client.send(
                sender=ANNE,
                recipients=[b"<a@internal.example>", b"<b@INTERNAL.example>"],
                headers=BULK,
                queue_id="inside",
            )

        line = outgate.message("inside")
        # Where a login comes from counts for all its mail.
        names = [one.partition(":")[0] for one in line["limits"].split(",")]
        assert names == [
            "networks-per-login-daily",
            "internal-recipients-per-login-hourly",
        ]
        assert line["action"] == "accept"


class TestAccountability:
    """Only what a sender cannot choose moves a charge."""

    def test_forging_another_changes_nothing_of_the_others(
        self, mta: Connect, outgate: Outgate, someone: str
    ) -> None:
        """Envelope, header From and List-Id of another customer: own counters fill."""
        victim = f"victim-{someone}"
        headers = [
            (b"From", f" <{victim}>".encode()),
            (b"List-Id", f" <list.{victim.replace('@', '.')}>".encode()),
            (b"ARC-Seal", b" i=1; a=rsa-sha256"),
            (b"Auto-Submitted", b" auto-replied"),
        ]
        with mta(login=someone) as client:
            for number in range(10):
                client.send(
                    sender=f"<{victim}>".encode(),
                    recipients=[BOB],
                    headers=headers,
                    queue_id=f"forge{number}",
                )
        with mta(login=victim) as client:
            client.send(sender=ANNE, recipients=[BOB], queue_id="forged-victim")

        forger, other = outgate.message("forge9"), outgate.message("forged-victim")
        assert "messages-per-login-hourly:10/20" in forger["limits"]
        assert "messages-per-login-hourly:1/20" in other["limits"]

    @pytest.mark.parametrize(
        "disguise",
        [
            {"headers": [(b"ARC-Seal", b" i=1")]},
            {"sender": b"<SRS0=HHH=TT=example.com=x@example.org>"},
            {"headers": [(b"Auto-Submitted", b" auto-generated")]},
            {"headers": [(b"Content-Type", b" text/calendar; method=REQUEST")]},
            {"sender": b"<>"},
            {"recipients": [BOB, b"<postmaster@example.net>"]},
        ],
        ids=["arc", "srs", "auto-submitted", "calendar", "null sender", "postmaster"],
    )
    def test_a_disguise_lowers_no_count(
        self,
        mta: Connect,
        outgate: Outgate,
        someone: str,
        disguise: dict[str, Any],
    ) -> None:
        """Each message costs what it costs without."""
        message = {"sender": ANNE, "recipients": [BOB], "headers": HEADERS, **disguise}
        with mta(login=someone) as client:
            actions = [
                client.send(**message, queue_id=f"{someone}-{number}").action
                for number in range(21)
            ]

        assert actions[20] == "quarantine"
        assert (
            "messages-per-login-hourly:20/20"
            in outgate.message(f"{someone}-20")["limits"]
        )

    def test_a_verified_certificate_is_a_customer_only_where_configured(
        self, mta: Connect, outgate: Outgate
    ) -> None:
        """Another server's certificate makes no mail outbound."""
        subject = {"{cert_subject}": "/CN=mx.other.example"}
        with mta(client=("203.0.113.8", 4444), macros=subject) as client:
            client.send(sender=ANNE, recipients=[BOB], queue_id="cert")

        assert outgate.message("cert")["class"] == "inbound"


class TestOperator:
    """Orders through Redis act on the next message."""

    def test_a_quarantined_login_is_held_and_released_by_hand(
        self, mta: Connect, outgate: Outgate, someone: str
    ) -> None:
        """HSET acts on the next message, HDEL on the one after."""
        with mta(login=someone) as client:
            outgate.redis("HSET", "outgate:quarantine", someone, "by=anne phished")
            held = client.send(sender=ANNE, recipients=[BOB])
            outgate.redis("HDEL", "outgate:quarantine", someone)
            passed = client.send(sender=ANNE, recipients=[BOB])

        assert (held.action, passed.action) == ("quarantine", "accept")

    def test_a_suspended_address_is_refused(
        self, mta: Connect, outgate: Outgate, someone: str
    ) -> None:
        """By envelope sender, whoever logged in."""
        outgate.redis("HSET", "outgate:suspend", "bot@example.org", "bot")
        with mta(login=someone) as client:
            outcome = client.send(sender=b"<BOT+1@example.org>", recipients=[BOB])

        assert (outcome.action, outcome.code) == ("reject", 550)
        assert b"suspended" in outcome.reply

    def test_an_order_that_ended_does_not_act(
        self, mta: Connect, outgate: Outgate, someone: str
    ) -> None:
        """`until=` in the past: the keeper will remove it."""
        outgate.redis(
            "HSET", "outgate:suspend", someone, "until=2020-01-01T00:00:00Z old"
        )
        with mta(login=someone) as client:
            assert client.send(sender=ANNE, recipients=[BOB]).action == "accept"

    def test_a_wrong_type_disturbs_no_mail(
        self, mta: Connect, outgate: Outgate, someone: str
    ) -> None:
        """A slip of redis-cli: `outgate:allow` becomes a string."""
        outgate.redis("DEL", "outgate:allow")
        outgate.redis("SET", "outgate:allow", someone)
        try:
            with mta(login=someone) as client:
                assert client.send(sender=ANNE, recipients=[BOB]).action == "accept"
        finally:
            outgate.redis("DEL", "outgate:allow")


class TestLocalSubmission:
    """Postfix's non_smtpd_milters, at their own socket."""

    def test_defer_becomes_quarantine(self, outgate: Outgate) -> None:
        """A deferred file would be offered again at each new submission."""
        outcomes = []
        for number in range(6):
            with MilterMta(
                f"unix:{outgate.directory}/www.sock", flavour="postfix-local"
            ) as client:
                outcomes.append(
                    client.send(
                        sender=b"www-data@example.org",
                        recipients=[b"bob@example.net"],
                        headers=[(b"Subject", b" %d" % number)],
                        queue_id=f"local{number}",
                    )
                )

        assert [one.action for one in outcomes] == ["accept"] * 5 + ["quarantine"]
        assert outgate.message("local5")["local-user"] == "www-data"

    def test_nothing_is_refused_at_rcpt(self, outgate: Outgate) -> None:
        """The verdict falls at the end: Postfix reports a refusal at RCPT as an error."""
        outgate.redis("HSET", "outgate:suspend", "cron@bot.example", "bot")
        with MilterMta(
            f"unix:{outgate.local_socket}", flavour="postfix-local"
        ) as client:
            outcome = client.send(
                sender=b"cron@bot.example", recipients=[b"bob@example.net"]
            )

        assert (outcome.action, outcome.stage) == ("reject", "eom")
        assert outcome.refused_recipients == {}


def _steps(client: MilterMta) -> list[Callable[[], object]]:
    """The events of one message, one after the other."""

    def connect() -> None:
        client.connect()

    def helo() -> None:
        client.helo()

    def mail() -> None:
        client.mail(ANNE)

    def rcpt() -> None:
        client.rcpt(BOB)

    def data() -> None:
        client.data()

    def header() -> None:
        client.header(b"Subject", b" x")

    def eoh() -> None:
        client.eoh()

    def body() -> None:
        client.body(b"x")

    return [connect, helo, mail, rcpt, data, header, eoh, body]
