"""The mail that the bench sends: a newsletter, as the load generator takes it.

Twenty-one headers, among them everything that Outgate reads a fact from: a bare note
would be cheaper to judge, and flatter the figure.
"""

from pathlib import Path

_KIB = 1024
_LINE = "Concerts, rehearsals and a new alto: what the choir does in the next weeks.\n"

# What @@…@@ stands for is written by the load generator, anew for each message.
_HEADERS = """\
Received: from web.example.org (web.example.org [192.0.2.17])
	by mail.example.org (Postfix) with ESMTPSA id 4XyZ2q1Bcd
	for <@@RCPT@@>; Tue, 24 Nov 2026 10:00:00 +0000 (UTC)
Date: Tue, 24 Nov 2026 10:00:00 +0000
From: "The choir's news" <@@SENDER@@>
Sender: The choir <post@choir.example.org>
Reply-To: The choir <post@choir.example.org>
To: <@@RCPT@@>
Message-ID: <news-@@N@@.4711@lists.example.org>
Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= and the programme of the winter
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"; format=flowed
Content-Transfer-Encoding: 8bit
Content-Language: en
User-Agent: Listkeeper/3.2 (GNU/Linux)
Organization: The choir
Precedence: bulk
List-Id: News of the choir <news.lists.example.org>
List-Unsubscribe: <https://lists.example.org/leave?t=Zm9vYmFy@@N@@>,
	<mailto:leave@lists.example.org?subject=leave>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
List-Help: <https://lists.example.org/help>
Feedback-ID: 4711:news:lists.example.org:listkeeper
X-Priority: 3
"""


def write_message(path: Path, size_kib: int) -> None:
    """Write a message of about this size, headers included."""
    lines = max(1, (size_kib * _KIB - len(_HEADERS)) // len(_LINE))
    path.write_text(f"{_HEADERS}\n{_LINE * lines}", encoding="utf-8")
