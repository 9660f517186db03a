"""Which registered list a message is of.

Its List-Id says so, and its sender writes that: so another one before it, or a customer's
bounce address without any, changes nothing. What no sign of a list is on is no list's
mail; then the limits on strangers are what counts.
"""

from outgate.message.facts import Facts
from outgate.message.listcheck.headers import LIST_ID, list_id_of
from outgate.model.address import read_bounce_address
from outgate.model.transaction import Transaction
from outgate.policy.compiled import Policy

MAX_LIST_IDS = 8
"""More are not looked at: a mailing has one, one of a list of lists has two."""

_NO_LETTER = 2


def as_registered(
    transaction: Transaction, facts: Facts, customer: str, policy: Policy
) -> Facts:
    """Give the facts with the List-Id of the customer's list that the message is of.

    Without a List-Id, the envelope sender says it, if it is the one that takes a list's
    bounces, and more than one recipient shows that it is no letter of the software to
    one person: a welcome, a reminder, a request to confirm.
    """
    lists = policy.lists
    if not lists or (customer, facts.list_id) in lists:
        return facts
    values = transaction.headers.get(LIST_ID, ())
    for value in values[:MAX_LIST_IDS]:
        list_id = list_id_of({LIST_ID: (value,)})
        if (customer, list_id) in lists:
            return facts._replace(list_id=list_id)
    if policy.bounces and transaction.recipient_count >= _NO_LETTER:
        key = policy.bounces.get(read_bounce_address(transaction.sender).address)
        if key is not None and key[0] == customer:
            return facts._replace(list_id=key[1])
    return facts
