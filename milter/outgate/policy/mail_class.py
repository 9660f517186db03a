"""The class of a message, once it is known whom it reaches.

    transactional, confirmation    its customer registered the stream
    bulk-by-behaviour              declares nothing, but goes to as many as bulk mail
    all others                     as its headers declare it (`message.classify`)

A class is for those who read logs, metrics and tags. What it depends on counts in rules
and limits by itself; nothing is counted, or spared, because of a class.
"""

from outgate.message.facts import Facts
from outgate.model.verdict import MailClass
from outgate.policy.questions import Answers, Plan

# A letter to fifteen friends is no bulk mail; one to a club or a class may have more.
BULK_PEOPLE = 50


def class_of(facts: Facts, plan: Plan, answers: Answers) -> MailClass:
    """Give the class of an outbound message."""
    if plan.stream is not None:
        return plan.stream
    if facts.mail_class is not MailClass.PERSONAL:
        return facts.mail_class
    spread = answers.spread
    # What was refused is not in the answer's number.
    reached = max(plan.external, spread.reached if spread is not None else 0)
    if reached >= BULK_PEOPLE:
        return MailClass.BULK_BY_BEHAVIOUR
    return MailClass.PERSONAL
