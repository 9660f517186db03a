"""Challenges as list software words them, in words of our own."""

from base64 import encodebytes
from quopri import encodestring

COOKIE = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c"
UUID = "7f9c24e5-2b1a-4c3d-8e4f-5a6b7c8d9e0f"
OTHER_UUID = "11111111-2222-3333-4444-555555555555"

Message = tuple[str, bytes]
"""Header block and body."""

MAILMAN_3: Message = (
    (
        f"From: news-confirm+{COOKIE}@lists.choir.example\n"
        "Subject: Your confirmation is needed to join the news mailing list.\n"
        "Precedence: bulk"
    ),
    (
        b"We have received a registration request for bart@example.net. Reply to this\n"
        b"message, or visit https://lists.choir.example/confirm to join.\n"
    ),
)
MAILMAN_2: Message = (
    (
        f"From: news-request@lists.choir.example\nSubject: confirm {COOKIE}\n"
        "Precedence: bulk\nX-BeenThere: news@lists.choir.example\n"
        "X-List-Administrivia: yes\nX-Mailman-Version: 2.1.39"
    ),
    b"Mailing list subscription confirmation notice for mailing list News\n",
)
SYMPA_MAIL: Message = (
    (
        "From: SYMPA <sympa@lists.choir.example>\nAuto-Submitted: auto-generated\n"
        "Subject: AUTH 1a2b3c4d SUBSCRIBE news bart@example.net"
    ),
    b"You asked to join the list; reply to this message to do so.\n",
)
SYMPA_WEB: Message = (
    (
        "From: SYMPA <sympa@lists.choir.example>\nAuto-Submitted: auto-generated\n"
        "Subject: Mailing lists service / subscribing to news"
    ),
    (
        b"You asked to join the list 'news'. Hit this link to do so:\n"
        b"  https://lists.choir.example/sympa/auth/1a2b3c4d5e6f/subscribe?email=bart@example.net\n"
        b"Otherwise ignore this message.\n"
    ),
)
LISTMONK: Message = (
    (
        "From: Choir <noreply@choir.example>\nSubject: Confirm subscription\n"
        "Content-Type: text/html; charset=utf-8\n"
        "Content-Transfer-Encoding: quoted-printable\n"
        f"List-Unsubscribe: <https://news.choir.example/subscription/{OTHER_UUID}/{UUID}>"
    ),
    encodestring(
        f"<h2>Hi</h2><p>You were added to these lists:</p><ul><li>News</li></ul>"
        f'<p><a href="https://news.choir.example/subscription/optin/{UUID}'
        f'?l={OTHER_UUID}&amp;l={UUID}" class="button">Confirm</a></p>'
        f'<a href="https://news.choir.example/subscription/{OTHER_UUID}/{UUID}">Leave</a>'
        f'<p>Powered by <a href="https://listmonk.app" target="_blank">listmonk</a></p>'
        '<img src="https://news.choir.example/logo.png">'.encode()
    ),
)
PHPLIST: Message = (
    (
        "From: Choir <noreply@choir.example>\nSubject: Request for confirmation\n"
        "Precedence: bulk\nX-MessageID: systemmessage\nX-ListMember: bart@example.net"
    ),
    (
        b"Somebody put this address on these lists:\n\n* News\n\nIf that was you, follow\n"
        b"http://www.choir.example/lists/?p=confirm&uid=8f565e45220c54f57e040d603a722e6e\n"
        b"--\nhttp://choir.example/lists/?p=preferences\n"
    ),
)
MAILPOET: Message = (
    (
        "From: Choir <noreply@choir.example>\nSubject: Confirm your subscription to Choir\n"
        'MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary="b1"'
    ),
    b"--b1\nContent-Type: text/plain; charset=utf-8\n\nConfirm\n"
    b"--b1\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
    + encodebytes(
        b"<p>Hello, confirm: <a href='https://choir.example/?mailpoet_page=subscriptions"
        b"&#038;mailpoet_router&#038;endpoint=subscription&#038;action=confirm"
        b"&#038;data=eyJ0b2tlbiI6ImFiYyJ9'>I confirm!</a></p>"
        b"<a href='https://www.mailpoet.com/?ref=free'>MailPoet</a>"
    )
    + b"--b1--\n",
)
PATTERN: Message = (
    ("From: Band <hello@band.example>\nSubject: One more step"),
    b"Follow https://band.example/nl/confirm/8a7b/ok?list=3 to join.\n",
)
ALL = {
    "mailman 3": MAILMAN_3,
    "mailman 2": MAILMAN_2,
    "sympa by mail": SYMPA_MAIL,
    "sympa on the web": SYMPA_WEB,
    "listmonk": LISTMONK,
    "phplist": PHPLIST,
    "mailpoet": MAILPOET,
}
