"""Challenges, on the hot path: asked beside the limits, noted once they left.

A person who is bombed is asked by lists of many customers, so the count has a key and a
slot of its own; its script checks and counts in one step. The ledger of a list is many
small hashes, like its subscribers, of whom far fewer are ever asked.

Claims of a message's tokens are compared with it by plain reads, before anything is
written: a challenge that is noted meanwhile can only be newer than the claim.
"""

from collections.abc import Sequence

from outgate.model.challenge import (
    COVERAGE_FIELDS,
    Bombing,
    Coverage,
    Entry,
    Witness,
    read_coverage,
    read_entry,
)
from outgate.model.errors import ScriptError
from outgate.model.units import SECOND_US
from outgate.policy.questions import (
    Answers,
    Plan,
    PlannedChallenge,
    PlannedClaims,
    Registration,
)
from outgate.store.consents import place_of
from outgate.store.hashes import Hashes
from outgate.store.keys import Keys
from outgate.store.resp import pack
from outgate.store.scripts import Script
from outgate.store.wire import Reply, raise_for

# A thousand challenges a day, kept for a month, are 29 in each.
BUCKETS = 1024
_RESULTS = 6


def bucket_of(place_bucket: int) -> int:
    """Which of a list's hashes of challenges belongs to one of its subscribers."""
    return place_bucket % BUCKETS


class Challenges:
    """Packs the question about one challenge, and what is noted of it."""

    def __init__(self, keys: Keys, hashes: Hashes) -> None:
        self._keys = keys
        self._hashes = hashes
        self._script = Script.load("challenge")
        self._ledger = Script.load("ledger")
        self._coverage = Script.load("coverage")

    def ask(self, plan: Plan, now: str, *, commit: bool) -> list[bytes]:
        """One command, where the message is a challenge."""
        planned = plan.challenge
        if planned is None:
            return []
        item = self._hashes.item
        sender = item(plan.customer)[:2] + item(planned.sender)[:2]
        # EVAL: such messages are few, and a server that forgot the script needs no
        # second round trip.
        return [self._call(planned, now, "charge" if commit else "look", sender)]

    def read(self, reply: Reply) -> Bombing:
        """What `challenge.lua` answered.

        Raises:
            ScriptError: it answered something else.
        """
        result = raise_for(reply, "challenge")
        if not isinstance(result, list) or len(result) != _RESULTS:
            raise ScriptError(f"challenge: {result!r} instead of {_RESULTS} results")
        fits, same, own, others, retry_after_s, charged = result
        return Bombing(fits == 1, same, own, others, retry_after_s, charged)

    def give_back(self, plan: Plan, answers: Answers, now: str) -> list[bytes]:
        """The command that takes one out that did not leave."""
        planned, found = plan.challenge, answers.bombing
        if planned is None or found is None or not found.charged:
            return []
        return [self._call(planned, now, "return", found.charged)]

    def note(self, plan: Plan, now: str, *, left: bool) -> list[bytes]:
        """The commands that put one into the ledger.

        Args:
            plan: of a message that left, or is held.
            now: microseconds since the epoch; "" for the server's time.
            left: whether it left.
        """
        planned = plan.challenge
        if planned is None or not planned.list_id:
            return []
        keys, retention = self._keys, b"%d" % planned.retention_s
        place = place_of(self._hashes, plan.customer, planned.list_id, planned.mailbox)
        ledger = keys.challenge(planned.list_id, bucket_of(place.bucket))
        commands = [
            pack(
                (
                    *(b"EVAL", self._ledger.text, b"1", ledger.encode()),
                    *(now.encode(), place.field, b"%d" % left, retention),
                )
            )
        ]
        if left:
            coverage = keys.challenges(plan.customer, planned.list_id)
            head = (b"EVAL", self._coverage.text, b"1", coverage.encode())
            commands.append(pack((*head, now.encode(), retention)))
        return commands

    def ask_claims(self, plan: Plan) -> list[bytes]:
        """What the ledger has of a list, and of each who is claimed to have confirmed."""
        if plan.claims is None:
            return []
        list_id, keys = plan.subscribed, self._keys
        coverage = keys.challenges(plan.customer, list_id)
        fields = (field.encode() for field in COVERAGE_FIELDS)
        commands = [pack((b"HMGET", coverage.encode(), *fields))]
        for mailbox in plan.claims.claimed_us:
            place = place_of(self._hashes, plan.customer, list_id, mailbox)
            ledger = keys.challenge(list_id, bucket_of(place.bucket))
            commands.append(pack((b"HGET", ledger.encode(), place.field)))
        return commands

    def read_claims(
        self, claims: PlannedClaims, replies: Sequence[Reply]
    ) -> tuple[Coverage, dict[str, Entry]]:
        """What was answered; a key of another type knows nothing."""
        known, *packed = replies
        usable = isinstance(known, list) and len(known) == len(COVERAGE_FIELDS)
        coverage = read_coverage(known) if usable else Coverage()
        entries = {
            mailbox: read_entry(reply if isinstance(reply, bytes) else None)
            for mailbox, reply in zip(claims.claimed_us, packed, strict=True)
        }
        return coverage, entries

    def note_contradictions(
        self, customer: str, list_id: str, news: Sequence[Registration]
    ) -> list[bytes]:
        """The commands that note which of a list's claims the ledger contradicts."""
        commands: list[bytes] = []
        for one in news:
            if one.witness is not Witness.CONTRADICTED:
                continue
            place = place_of(self._hashes, customer, list_id, one.mailbox)
            key = self._keys.contradiction(list_id, bucket_of(place.bucket))
            claimed_s = (one.record.time_us or 0) // SECOND_US
            commands.append(
                pack((b"HSET", key.encode(), place.field, b"%d" % claimed_s))
            )
        return commands

    def _call(
        self, planned: PlannedChallenge, now: str, mode: str, sender: bytes
    ) -> bytes:
        key = self._keys.challenged(self._hashes.challenged(planned.mailbox))
        return pack(
            (
                *(b"EVAL", self._script.text, b"1", key.encode()),
                *(now.encode(), mode.encode(), sender),
                *(b"%d" % planned.per_list, b"%d" % planned.per_recipient),
                b"%d" % planned.binding,
            )
        )
