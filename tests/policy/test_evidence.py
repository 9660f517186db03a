"""For whom a message's tokens speak, and what a hostile one costs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from message.tokens import LIST, SEED, a_token
from model.optins import records
from outgate.message.optin_evidence import (
    Algorithm,
    Token,
    normal_recipient,
    routing_hint,
)
from outgate.model.challenge import Coverage, Entry, Witness
from outgate.model.consent import Grade, TokenResult
from outgate.model.limit import Count, Per
from outgate.model.optin import Method, Permission, Record, State, ZoneSource
from outgate.model.optin_order import MAX_AHEAD_US, erasure, later, pack, read_record
from outgate.model.transaction import Transaction
from outgate.model.units import SECOND_US
from outgate.model.verdict import Action, Mode, Reason
from outgate.policy.compiled import Policy
from outgate.policy.evidence import (
    MAX_RECIPIENTS,
    MAX_TOKENS,
    MAX_UNROUTED,
    MAX_VERIFICATIONS,
    weigh,
)
from outgate.policy.gate import Gate
from outgate.policy.list_settings import ListSettings
from outgate.policy.operator import format_moment
from outgate.policy.optin_keys import OptinKey
from outgate.policy.questions import Evidence, Source
from outgate.policy.rule_settings import RuleSettings
from outgate.policy.snapshot import Snapshot
from outgate.signing.tokens import SigningKey, TokenVerifier
from policy.builders import Outpost, a_customer, a_limit, a_policy, a_transaction, fast
from policy.ledger import NOW_US
from store.builders import a_plan

R = TokenResult
ANNA = "anna@example.net"
LOGIN = "post@choir.example"
CHOIR = a_customer("choir", LOGIN)
SIGNER = SigningKey(Algorithm.ED25519, "lists.example.org", "2026a", SEED)
KEY = OptinKey(
    name=SIGNER.name,
    public=SIGNER.public,
    customer="choir",
    lists=frozenset({LIST, "gone.example.org"}),
)
DAY_US = 86_400 * SECOND_US


@dataclass(slots=True)
class Counted:
    """The real verifier, and how often it was asked."""

    real: TokenVerifier
    asked: int = 0
    broken: bool = False

    def is_genuine(self, key: OptinKey, signed: bytes, signature: bytes) -> bool:
        self.asked += 1
        if self.broken:
            raise OSError("no such key here")
        return self.real.is_genuine(key, signed, signature)


@dataclass(slots=True)
class Lists(Outpost):
    """A gate that knows a list of the choir's, and the key of its list host."""

    verifier: Counted = field(init=False)

    def reload(self, policy: Any) -> None:
        self.policy = policy
        self.verifier = Counted(TokenVerifier(Path("/nowhere")))
        self.host.copy = Snapshot.build([], optin_keys=[KEY])
        self.gate = Gate(
            policy, self.store, self.host, self.clock, (self,), self.verifier
        )

    def keys(self, *keys: OptinKey) -> None:
        self.host.copy = Snapshot.build([], optin_keys=keys)

    def results(self, message: Transaction) -> Mapping[TokenResult, int]:
        decision = self.judge(message)
        assert decision.plan is not None
        return decision.plan.evidence.results


def gate(strangers: str = "1/1d", mode: Mode = Mode.ENFORCE) -> Lists:
    """Who sends to more than so many strangers is held."""
    return Lists(
        a_policy(
            a_limit(strangers, per=Per.CUSTOMER, count=Count.STRANGERS),
            mode=mode,
            customers=[CHOIR, a_customer("band", "post@band.example")],
            lists=[
                ListSettings(id=LIST, customer="choir"),
                ListSettings(id="band.example.org", customer="band"),
            ],
            local=["here.example"],
            # Here it is asked who is a stranger, not what becomes of him.
            rules={Reason.LIST_WITHOUT_CONSENT: RuleSettings(mode=Mode.MONITOR)},
        )
    )


def signed(recipient: str, **changed: Any) -> Token:
    return SIGNER.sign(a_token(**changed), recipient.encode())


def hinted(recipient: str, **changed: Any) -> Token:
    normal = normal_recipient(recipient.encode())
    token = a_token(**changed)
    return SIGNER.sign(
        replace(token, routing_hint=routing_hint(token.evidence_id, normal)),
        recipient.encode(),
    )


def mail(
    tokens: Iterable[Token | bytes],
    recipients: Iterable[str] = (ANNA,),
    *,
    list_id: str = LIST,
    login: str = LOGIN,
) -> Transaction:
    message = a_transaction(
        login,
        recipients=recipients,
        headers={
            "List-Id": f"<{list_id}>",
        },
    )
    message.headers["opt-in-evidence"] = [
        token if isinstance(token, bytes) else str(token).encode() for token in tokens
    ]
    return message


def people(count: int) -> list[str]:
    return [f"bart{number}@example.net" for number in range(count)]


class TestCoverage:
    """A good token makes its recipient no stranger."""

    def test_with_a_token_for_each_the_mailing_passes(self) -> None:
        """Whose spelling in the envelope is another one, too."""
        post = gate()
        message = mail(
            [signed(one) for one in people(5)], [one.upper() for one in people(5)]
        )
        decision = post.judge(message)
        assert decision.disposition.action.lets_out
        assert decision.answers is not None
        assert decision.answers.stranger_count == 0
        assert decision.plan is not None
        assert decision.plan.evidence.results == {R.VALID: 5}

    def test_without_they_are_strangers(self) -> None:
        """One that is missing is one stranger."""
        post = gate()
        assert post.judge(mail([], people(5))).disposition.action is Action.QUARANTINE
        some = [signed(one) for one in people(4)]
        decision = post.judge(mail(some, people(5)))
        assert decision.answers is not None
        assert decision.answers.stranger_count == 1
        assert decision.disposition.action.lets_out

    def test_a_tag_is_the_list_hosts_business(self) -> None:
        """Signed with it, it covers the mailbox that is counted."""
        post = gate()
        one = "anna+news@example.net"
        assert post.results(mail([signed(one)], [one])) == {R.VALID: 1}
        assert (LIST, ANNA) in post.store.consents

    def test_an_import_is_no_consent(self) -> None:
        """The signature is good, and says that nobody confirmed."""
        post = gate()
        tokens = [signed(one, method=Method.IMPORT) for one in people(3)]
        decision = post.judge(mail(tokens, people(3)))
        assert decision.disposition.action is Action.QUARANTINE
        assert decision.plan is not None
        assert decision.plan.evidence.results == {R.VALID: 3}

    def test_an_internal_recipient_has_a_token_too(self) -> None:
        """It is good, and nobody there is a stranger anyway."""
        post = gate()
        one = "anna@here.example"
        assert post.results(mail([signed(one)], [one])) == {R.VALID: 1}
        assert post.store.consents == {}

    def test_ordinary_mail_asks_nobody(self) -> None:
        """No header, no evidence."""
        post = gate()
        decision = post.judge(a_transaction(LOGIN))
        assert decision.plan is not None
        assert (decision.plan.evidence.results, post.verifier.asked) == ({}, 0)


class TestRegistry:
    """Good tokens feed it, so that later messages need none."""

    def test_the_next_message_needs_no_token(self) -> None:
        """It is in the registry now."""
        post = gate()
        post.judge(mail([signed(one) for one in people(3)], people(3)))
        post.store.contacts.clear()
        decision = post.judge(mail([], people(3)))
        assert decision.answers is not None
        assert decision.answers.stranger_count == 0

    def test_what_is_held_registers_nobody(self) -> None:
        """Two strangers too many: the one with a token waits like they do."""
        post = gate()
        decision = post.judge(mail([signed(people(1)[0])], people(4)))
        assert decision.disposition.action is Action.QUARANTINE
        assert post.store.consents == {}

    def test_in_monitor_mode_it_leaves_and_registers(self) -> None:
        """A gate that watches for a month knows who asked."""
        post = gate(mode=Mode.MONITOR)
        decision = post.judge(mail([signed(people(1)[0])], people(4)))
        assert decision.disposition.action.lets_out
        assert set(post.store.consents) == {(LIST, people(1)[0])}

    @pytest.mark.parametrize("source", [Source.ACCEPT, Source.DEFER])
    def test_without_a_store_nobody_is_registered(self, source: Source) -> None:
        """The next token says it again."""
        post = gate()
        post.store.source = source
        post.judge(mail([signed(ANNA)]))
        assert post.store.consents == {}


def withdrawal(time_us: int) -> Record:
    return Record(
        state=State.WITHDRAWN, time_us=time_us, zone=ZoneSource.SOURCE_UTC, source="web"
    )


class TestWithdrawn:
    """Whoever withdrew, or was erased, after what a token says has none."""

    CONFIRMED_US = a_token().confirmed_us

    @pytest.mark.parametrize(
        "mark",
        [withdrawal(CONFIRMED_US), erasure(CONFIRMED_US, None)],
        ids=["withdrawn", "erased"],
    )
    def test_a_later_mark_counts(self, mark: Record) -> None:
        """At that very microsecond, too; the recipient is a stranger again."""
        post = gate()
        post.store.consents[LIST, ANNA] = mark
        decision = post.judge(mail([signed(ANNA)]))
        assert decision.plan is not None
        assert decision.answers is not None
        assert decision.plan.evidence.results == {R.WITHDRAWN: 1}
        assert decision.plan.evidence.tokens == {}
        assert decision.answers.permissions == [mark.permission]
        assert decision.answers.stranger_count == 1
        assert post.store.consents == {(LIST, ANNA): mark}

    @pytest.mark.parametrize(
        "mark",
        [withdrawal(CONFIRMED_US - 1), erasure(CONFIRMED_US - 1, None)],
        ids=["withdrawn", "erased"],
    )
    def test_a_newer_confirmation_ends_it(self, mark: Record) -> None:
        """In this message, and in the registry."""
        post = gate()
        post.store.consents[LIST, ANNA] = mark
        token = signed(ANNA)
        decision = post.judge(mail([token]))
        assert decision.plan is not None
        assert decision.answers is not None
        assert decision.plan.evidence.results == {R.VALID: 1}
        assert decision.answers.stranger_count == 0
        assert post.store.consents == {(LIST, ANNA): token.record}

    def test_an_import_ends_none(self) -> None:
        """An address in a file takes nothing back, whoever signed it."""
        post = gate()
        post.store.consents[LIST, ANNA] = withdrawal(1)
        message = mail([signed(ANNA, method=Method.IMPORT)])
        assert post.results(message) == {R.WITHDRAWN: 1}

    def test_others_keep_theirs(self) -> None:
        """One withdrew, two did not."""
        post = gate()
        post.store.consents[LIST, ANNA] = withdrawal(self.CONFIRMED_US)
        readers = [ANNA, *people(2)]
        decision = post.judge(mail(map(signed, readers), readers))
        assert decision.plan is not None
        assert decision.answers is not None
        assert decision.plan.evidence.results == {R.VALID: 2, R.WITHDRAWN: 1}
        assert decision.answers.stranger_count == 1

    def test_a_consent_that_counts_more_spoils_no_token(self) -> None:
        """What was loaded with a later time stays, and the token is good."""
        post = gate()
        known = replace(a_token().record, time_us=self.CONFIRMED_US + 1)
        post.store.consents[LIST, ANNA] = known
        assert post.results(mail([signed(ANNA)])) == {R.VALID: 1}
        assert post.store.consents == {(LIST, ANNA): known}

    def test_of_two_spellings_the_later_token_counts(self) -> None:
        """One mailbox, two addresses, in any order."""
        later_time = "2026-03-14T09:26:54+01:00"
        for turn in (1, -1):
            post = gate()
            tokens = [
                signed("anna+a@example.net", time=later_time),
                signed("anna+b@example.net"),
            ][::turn]
            recipients = ["anna+a@example.net", "anna+b@example.net"]
            assert post.results(mail(tokens, recipients)) == {R.VALID: 2}
            assert post.store.consents == {
                (LIST, ANNA): a_token(time=later_time).record
            }

    @fast
    @given(
        st.lists(
            st.none() | st.just(b"") | st.binary(max_size=70) | records().map(pack),
            max_size=5,
        )
    )
    def test_permission_and_writing_are_one_order(
        self, kept: list[bytes | None]
    ) -> None:
        """Who is let pass by a token is who would be written, whatever is kept."""
        people_ = tuple(people(len(kept)))
        token = a_token()
        plan = replace(
            a_plan(people=people_, subscribed=LIST),
            evidence=Evidence({R.VALID: len(kept)}, dict.fromkeys(people_, token)),
        )
        weighed = weigh(plan, kept)
        written = {one.mailbox for one in weighed.registrations}
        for mailbox, packed, said in zip(
            people_, kept, weighed.permissions, strict=True
        ):
            known = read_record(packed)
            counts = later(token.record, known)
            assert counts is not None
            assert said is counts.permission
            assert (mailbox in written) == (packed is not None and counts != known)
            assert (mailbox in weighed.overruled) == (counts.state is not State.CONSENT)


class TestClaims:
    """What a good token claims is compared with the challenges that left."""

    ASKED_US = a_token().confirmed_us - DAY_US

    @staticmethod
    def post(challenges: str = "through-us") -> Lists:
        post = gate()
        of = ListSettings(id=LIST, customer="choir", challenges=challenges)
        settings = attrs.evolve(post.policy.settings, lists=(of,))
        post.reload(Policy.build(settings))
        post.clock.now_us = a_token().confirmed_us + DAY_US
        return post

    def asked(self, post: Lists, mailbox: str, *, left: bool = True) -> None:
        now_s = self.ASKED_US // SECOND_US
        post.store.entries[LIST, mailbox] = Entry().noted(now_s, left=left)

    def covered(self, post: Lists) -> None:
        coverage = Coverage().noted(self.ASKED_US // SECOND_US, 30 * 86_400)
        post.store.coverage[LIST] = coverage

    def test_a_challenge_before_makes_it_worth_more(self) -> None:
        """The registry's grade says so; the token itself comes again and changes nothing."""
        post = self.post()
        self.covered(post)
        self.asked(post, ANNA)
        for said in ({Witness.CORROBORATED: 1}, {}):
            decision = post.judge(mail([signed(ANNA)]))
            assert decision.answers is not None
            assert decision.answers.permissions == [Permission.CORROBORATED]
            assert decision.answers.witnesses == said
            assert post.store.consents[LIST, ANNA].grade is Grade.CORROBORATED
        assert post.store.contradictions == {}

    def test_none_before_is_noted_and_takes_no_mail(self) -> None:
        """It is asserted, and a consent, as before."""
        post = self.post()
        self.covered(post)
        self.asked(post, "bart@example.net")
        decision = post.judge(mail([signed(ANNA)]))
        assert decision.disposition.action.lets_out
        assert decision.answers is not None
        assert decision.answers.permissions == [Permission.ASSERTED]
        assert post.store.consents[LIST, ANNA].grade is Grade.ASSERTED
        claimed_us = a_token().confirmed_us
        assert post.store.contradictions == {(LIST, ANNA): claimed_us}

    @pytest.mark.parametrize("why", ["elsewhere", "held", "unseen"])
    def test_nobody_is_contradicted_where_nobody_knows(self, why: str) -> None:
        """Challenges by another way, one that was held, a list of which none was seen."""
        post = self.post("elsewhere" if why == "elsewhere" else "through-us")
        if why != "unseen":
            self.covered(post)
        if why == "held":
            self.asked(post, ANNA, left=False)
        decision = post.judge(mail([signed(ANNA)]))
        assert decision.answers is not None
        assert decision.answers.witnesses == {Witness.UNWITNESSED: 1}
        assert post.store.contradictions == {}

    def test_what_stays_here_is_noted_nowhere(self) -> None:
        """Its claims are not registered either."""
        post = self.post()
        self.covered(post)
        message = mail([signed(ANNA)], [ANNA, *people(2)])
        assert post.judge(message).disposition.action is Action.QUARANTINE
        assert (post.store.consents, post.store.contradictions) == ({}, {})

    @pytest.mark.parametrize(
        "changed", [{"method": Method.PAPER}, {"method": Method.COI, "commitment": ""}]
    )
    def test_only_claimed_confirmations_are_compared(
        self, changed: dict[str, Any]
    ) -> None:
        """A form on paper needs no challenge, and an import says of no confirmation."""
        post = self.post()
        self.covered(post)
        decision = post.judge(mail([signed(ANNA, **changed)]))
        assert decision.plan is not None
        assert decision.plan.claims is None

    def test_forged_and_absent_ones_ask_nothing(self) -> None:
        """Whatever they claim."""
        post = self.post()
        forged = replace(signed(ANNA), signature=bytes(64))
        for tokens in ([], [forged]):
            decision = post.judge(mail(tokens))
            assert decision.plan is not None
            assert decision.plan.claims is None


class TestForgeries:
    """What is not good in everything counts as absent; the message is not refused for it."""

    def against(
        self,
        token: Token | bytes,
        *,
        post: Lists | None = None,
        result: TokenResult,
        **message: Any,
    ) -> None:
        post = post or gate()
        decision = post.judge(mail([token], **message))
        assert decision.plan is not None
        assert decision.plan.evidence.results == {result: 1}
        assert decision.plan.evidence.tokens == {}
        assert post.store.consents == {}
        # One stranger has room here.
        assert decision.disposition.action.lets_out

    def test_another_recipient(self) -> None:
        """Copied from Bob's mail."""
        self.against(signed("bob@example.net"), result=R.NO_MATCH)

    def test_a_changed_token(self) -> None:
        """Any tag is signed."""
        for changed in (
            {"time": "2026-03-14T09:26:53+02:00"},
            {"method": Method.COI_WEB},
            {"expires": ""},
            {"evidence_id": "other"},
            {"commitment": ""},
            {"routing_hint": routing_hint("01JPA7Q3X8", ANNA.encode())},
        ):
            self.against(replace(signed(ANNA), **changed), result=R.NO_MATCH)

    def test_another_key(self) -> None:
        """Under the name of the right one."""
        forger = SigningKey.make(Algorithm.ED25519, SIGNER.issuer, SIGNER.selector)
        self.against(forger.sign(a_token(), ANNA.encode()), result=R.NO_MATCH)

    def test_a_downgrade(self) -> None:
        """The public key as a secret: the algorithm is the record's, not the token's."""
        forger = SigningKey(
            Algorithm.HMAC_SHA256, SIGNER.issuer, SIGNER.selector, SIGNER.public
        )
        token = forger.sign(a_token(algorithm=Algorithm.HMAC_SHA256), ANNA.encode())
        self.against(token, result=R.WRONG_ALGORITHM)

    def test_another_list(self) -> None:
        """Its token, in mail of the news; and one whose list the key is not for."""
        self.against(signed(ANNA, list_id="gone.example.org"), result=R.OTHER_LIST)
        post = gate()
        post.keys(replace(KEY, lists=frozenset({"gone.example.org"})))
        self.against(signed(ANNA), post=post, result=R.OTHER_LIST)

    def test_a_list_that_is_not_registered(self) -> None:
        """A token alone makes no list."""
        for list_id in ("gone.example.org", "band.example.org"):
            self.against(
                signed(ANNA, list_id=list_id),
                list_id=list_id,
                result=R.UNREGISTERED_LIST,
            )

    def test_another_customer(self) -> None:
        """The band replays what the choir signed, and with a key of the choir's."""
        self.against(
            signed(ANNA), login="post@band.example", result=R.UNREGISTERED_LIST
        )
        self.against(
            signed(ANNA, list_id="band.example.org"),
            login="post@band.example",
            list_id="band.example.org",
            result=R.OTHER_CUSTOMER,
        )

    def test_a_key_that_nobody_registered(self) -> None:
        """Or that cannot be read."""
        self.against(signed(ANNA, selector="2026b"), result=R.UNKNOWN_KEY)
        post = gate()
        post.keys(replace(KEY, problems=("no list=",)))
        self.against(signed(ANNA), post=post, result=R.UNKNOWN_KEY)

    @pytest.mark.parametrize(
        ("changed", "result"),
        [
            ({"revoked_us": NOW_US}, R.KEY_REVOKED),
            ({"revoked_us": NOW_US + 1}, None),
            ({"not_after_us": NOW_US}, R.KEY_EXPIRED),
            ({"not_after_us": NOW_US + 1}, None),
            ({"not_before_us": a_token().confirmed_us + 1}, R.KEY_TOO_NEW),
            ({"not_before_us": a_token().confirmed_us}, None),
        ],
    )
    def test_a_key_that_does_not_count(
        self, changed: dict[str, int], result: TokenResult | None
    ) -> None:
        """Revoked, over, or too new to have seen that confirmation; to the microsecond."""
        post = gate()
        post.keys(replace(KEY, **changed))  # type: ignore[arg-type]
        if result is not None:
            self.against(signed(ANNA), post=post, result=result)
        else:
            assert post.results(mail([signed(ANNA)])) == {R.VALID: 1}

    def test_a_key_that_follows_another(self) -> None:
        """Both count while both are there."""
        post = gate()
        second = SigningKey.make(Algorithm.ED25519, SIGNER.issuer, "2027a")
        post.keys(KEY, replace(KEY, name=second.name, public=second.public))
        new = second.sign(a_token(selector="2027a"), b"bob@example.net")
        message = mail([signed(ANNA), new], [ANNA, "bob@example.net"])
        assert post.results(message) == {R.VALID: 2}

    def test_an_expired_token(self) -> None:
        """At that very second; the consent itself does not end."""
        expires = format_moment(NOW_US)
        self.against(signed(ANNA, expires=expires), result=R.EXPIRED)
        later = format_moment(NOW_US + SECOND_US)
        assert gate().results(mail([signed(ANNA, expires=later)])) == {R.VALID: 1}

    def test_a_confirmation_in_the_future(self) -> None:
        """A clock may be ten minutes ahead."""
        ahead = format_moment(NOW_US + MAX_AHEAD_US)
        assert gate().results(mail([signed(ANNA, time=ahead)])) == {R.VALID: 1}
        beyond = format_moment(NOW_US + MAX_AHEAD_US + SECOND_US)
        self.against(signed(ANNA, time=beyond), result=R.IN_FUTURE)

    def test_trouble_of_ours(self) -> None:
        """Counts as absent: the message is judged as if it had none."""
        post = gate()
        post.verifier.broken = True
        self.against(signed(ANNA), post=post, result=R.ERROR)

    @pytest.mark.parametrize(
        ("value", "result"),
        [(b"", R.MALFORMED), (b"v=1", R.MALFORMED), (b"v" * 1_000_000, R.TOO_LARGE)],
    )
    def test_what_is_no_token(self, value: bytes, result: TokenResult) -> None:
        """However large it is."""
        self.against(value, result=result)

    @fast
    @given(st.lists(st.binary(max_size=60), max_size=4))
    def test_any_bytes_are_judged(self, values: list[bytes]) -> None:
        """As many results as headers."""
        assert sum(gate().results(mail(values)).values()) == len(values)


class TestBounds:
    """What a sender who means ill can make it do."""

    def test_five_hundred_tokens(self) -> None:
        """Some are read; each verification is one."""
        post = gate("1000/1d")
        tokens = [hinted(one) for one in people(500)]
        results = post.results(mail(tokens, people(MAX_RECIPIENTS)))
        assert results == {
            R.VALID: MAX_RECIPIENTS,
            R.TOO_MANY: 500 - MAX_TOKENS,
        }
        assert post.verifier.asked <= MAX_VERIFICATIONS

    def test_a_full_message_with_hints_is_covered(self) -> None:
        """Fifty tokens for fifty recipients, in any order."""
        post = gate()
        tokens = [hinted(one) for one in reversed(people(MAX_RECIPIENTS))]
        assert post.results(mail(tokens, people(MAX_RECIPIENTS))) == {
            R.VALID: MAX_RECIPIENTS
        }

    def test_without_hints_only_a_few(self) -> None:
        """Each would be tried with everybody."""
        post = gate("1000/1d")
        few, many = people(MAX_UNROUTED), people(MAX_UNROUTED + 1)
        assert post.results(mail([signed(one) for one in many], many)) == {
            R.TOO_MANY: MAX_UNROUTED + 1
        }
        assert post.verifier.asked == 0
        assert post.results(mail([signed(one) for one in few], few)) == {
            R.VALID: MAX_UNROUTED
        }

    def test_those_with_hints_count_beside_too_many_without(self) -> None:
        """One host's fault is not another's."""
        post = gate("1000/1d")
        bare = [signed(one) for one in people(MAX_UNROUTED + 1)]
        message = mail([*bare, hinted(ANNA)], [*people(MAX_UNROUTED + 1), ANNA])
        assert post.results(message) == {R.TOO_MANY: MAX_UNROUTED + 1, R.VALID: 1}

    def test_a_crowd_has_no_tokens(self) -> None:
        """Nobody is looked for among so many."""
        post = gate("1000/1d")
        message = mail([signed(people(1)[0])], people(MAX_RECIPIENTS + 1))
        assert post.results(message) == {R.TOO_MANY: 1}
        assert post.verifier.asked == 0

    def test_verifications_are_bounded(self) -> None:
        """Forged hints that fit everybody: recipients are chosen for them."""
        post = gate("1000/1d")
        hint = routing_hint("e", b"bart0@example.net")
        crowd = [
            one for one in people(20_000) if routing_hint("e", one.encode()) == hint
        ][:MAX_RECIPIENTS]
        assert len(crowd) == MAX_RECIPIENTS
        tokens = [
            signed("nobody@example.net", evidence_id="e", routing_hint=hint)
            for _ in range(MAX_TOKENS)
        ]
        results = post.results(mail(tokens, crowd))
        assert post.verifier.asked == MAX_VERIFICATIONS
        assert results == {
            R.NO_MATCH: MAX_VERIFICATIONS // MAX_RECIPIENTS,
            R.TOO_MANY: MAX_TOKENS - MAX_VERIFICATIONS // MAX_RECIPIENTS,
        }

    def test_a_token_twice_is_one(self) -> None:
        """The second finds nobody left."""
        assert gate().results(mail([signed(ANNA)] * 2)) == {R.VALID: 1, R.NO_MATCH: 1}


def test_whoever_has_no_verifier_counts_none() -> None:
    """Rather than all."""
    post = gate()
    post.gate = Gate(post.policy, post.store, post.host, post.clock)
    decision = post.gate.judge(mail([signed(ANNA)]))
    assert decision.plan is not None
    assert decision.plan.evidence.results == {R.NO_MATCH: 1}
