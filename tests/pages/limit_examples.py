"""`[[limit]]` for the common wishes; a test reads each as the daemon would."""

EXAMPLES: tuple[tuple[str, str], ...] = (
    (
        """
**Per login:** another number for a limit that is shipped. Its name is enough,
what is not given stays as it is.
""",
        """
[[limit]]
name = "strangers-per-login-daily"
rate = "100/1d"
""",
    ),
    (
        """
**Per address:** many senders behind one login, such as a shop's program. The
sender chooses the address: such a limit narrows what the login may, and never
stands alone.
""",
        """
[[limit]]
name = "recipients-per-address-hourly"
per = "address"
count = "recipients"
rate = "200/1h"
action = "defer"
""",
    ),
    (
        """
**Per domain** of the envelope sender, within the customer; different
recipients in a window that slides.
""",
        """
[[limit]]
name = "different-recipients-per-domain-daily"
per = "domain"
count = "distinct-recipients"
rate = "2000/1d"
""",
    ),
    (
        """
**Per network:** hosts of one customer that do not log in, each /24 (IPv6: /48)
together. Without the `[[customer]]` each address is a customer of its own, and
nothing is added up. It only reports until its `mode` goes.
""",
        """
[[customer]]
name = "printers"
match = ["192.0.2.0/24"]

[[limit]]
name = "messages-per-network-hourly"
per = "network"
count = "messages"
rate = "2000/1h"
action = "defer"
mode = "monitor"
""",
    ),
    (
        """
**Per list:** each registered list of a customer.
""",
        """
[[limit]]
name = "messages-per-list-daily"
per = "list"
count = "messages"
rate = "50000/1d"

[[list]]
id = "members.choir.example"
customer = "choir"

[[customer]]
name = "choir"
match = ["@choir.example"]
""",
    ),
    (
        """
**Per script:** many web sites behind one system user. The shipped limit of the user is
wider then, and one hacked script does not stop the mail of the others. PHP must name
scripts (`mail.add_x_header = On`).
""",
        """
[[limit]]
name = "strangers-per-local-user-daily"
rate = "200/1d"

[[limit]]
name = "strangers-per-script-daily"
per = "script"
count = "strangers"
rate = "50/1d"
""",
    ),
    (
        """
**A customer whose texts are nobody's business:** they are not compared, so a mailing is
only seen by how many strangers its sender reaches.
""",
        """
[[customer]]
name = "lawyers"
match = ["@law.example"]
fingerprints = false
""",
    ),
    (
        """
**Other rates for some customers**, and a shipped limit that is taken away. Profiles for new
and for well-known customers are shipped: [profiles](profiles.md).
""",
        """
[[profile]]
name = "event-office"
limits = { strangers = "1000/1d", strangers-per-campaign = "300/7d" }

[[customer]]
name = "wedding-planner"
match = ["@events.example"]
profile = "event-office"

[[limit]]
name = "networks-per-login-daily"
rate = "off"
""",
    ),
    (
        """
**Mail of a program to who waits for it:** receipts look alike and go to
strangers. As a stream they have a limit of their own, and no other on
strangers.
""",
        """
[[stream]]
name = "shop-receipts"
customer = "shop"
sender = ["orders@shop.example"]
rate = "5000/1d"

[[customer]]
name = "shop"
match = ["shop@example.org"]
""",
    ),
    (
        """
**A ticket desk**, whose acknowledgements look alike and go to whoever wrote: no incoming
mail is looked at, so they are strangers. Only messages to one recipient, with this header
From, belong to a stream.
""",
        """
[[stream]]
name = "ticket-desk"
customer = "desk"
sender = ["support@coop.example"]
rate = "500/1d"

[[customer]]
name = "desk"
match = ["192.0.2.60"]
""",
    ),
)
