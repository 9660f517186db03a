"""What the store remembers of lists, on a real server."""

from outgate.policy.grace import Deadline
from outgate.policy.operator import format_moment
from outgate.store.keys import Keys
from outgate.store.lists import Lists, Told
from outgate.store.trouble import Client

NEWS, CHAT = ("choir", "news.choir.example"), ("a b", "chat.choir.example")
UNTIL_US = 1_800_000_000_000_000


def test_what_was_noted_first_stays(client: Client, keys: Keys) -> None:
    """However often, and by whichever host; the beginning of enforcing, too."""
    lists = Lists(client, keys)
    before = lists.note([NEWS], enforced=False)
    assert (list(before.first_us), before.enforced_us) == ([NEWS], 0)
    began = lists.note([NEWS, CHAT], enforced=True)
    assert began.first_us[NEWS] == before.first_us[NEWS] <= began.enforced_us
    again = Lists(client, keys).note([CHAT], enforced=True)
    assert (again.first_us, again.enforced_us) == (began.first_us, began.enforced_us)
    # Enforcing less, and again, begins no second grace.
    assert lists.note([], enforced=False).enforced_us == began.enforced_us


def test_a_deadline_is_ordered_and_taken_back(client: Client, keys: Keys) -> None:
    """Both are audited."""
    lists = Lists(client, keys)
    lists.order(NEWS, UNTIL_US, "anne")
    assert lists.read().ordered == {NEWS: Deadline(UNTIL_US, "anne")}
    lists.forget(NEWS, "bart")
    assert lists.read().ordered == {}
    audit = [fields for _, fields in client.xrange(keys.audit)]
    assert [(one[b"event"], one[b"actor"], one[b"name"]) for one in audit] == [
        (b"list-grace-set", b"anne", NEWS[1].encode()),
        (b"list-grace-removed", b"bart", NEWS[1].encode()),
    ]
    assert audit[0][b"until"] == format_moment(UNTIL_US).encode()


def test_what_a_person_typed_is_read_or_passed_over(client: Client, keys: Keys) -> None:
    """Without a name it is by redis-cli."""
    lists = Lists(client, keys)
    member = keys.list_member(*NEWS)
    client.hset(keys.list_grace, member, "2027-02-01T00:00:00Z")
    assert lists.read().ordered[NEWS].by == "redis-cli"
    for value in (b"", b"tomorrow", b"\xff", b"2027-02-01"):
        client.hset(keys.list_grace, member, value)
        client.hset(keys.list_seen, member, value)
        history = lists.read()
        assert (history.ordered, history.first_us) == ({}, {})


def test_the_last_two_reports_are_kept(client: Client, keys: Keys) -> None:
    """Newest first; what is no report is none."""
    lists = Lists(client, keys)
    assert lists.told(NEWS) == []
    for number in (40, 30, 20):
        lists.tell(NEWS, Told(number, 50, number))
    assert lists.told(NEWS) == [Told(20, 50, 20), Told(30, 50, 30)]
    client.hset(keys.list_report, keys.list_member(*NEWS), b"1/2 x/y/z \xff 1/2/3")
    assert lists.told(NEWS) == [Told(1, 2, 3)]
