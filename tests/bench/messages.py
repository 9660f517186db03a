"""The mail that the bench sends, as the load generator takes it.

The newsletter has twenty-one headers, among them nearly everything that Outgate reads a
fact from. The note has as many that say nothing: it is cheaper to judge, and alone it
would flatter the figure.
"""

from pathlib import Path

_KIB = 1024
_LINE = "Concerts, rehearsals and a new alto: what the choir does in the next weeks.\n"

# What @@…@@ stands for is written by the load generator, anew for each message.
NEWSLETTER = """\
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
NOTE = """\
Received: from laptop.example.org (laptop.example.org [192.0.2.17])
	by mail.example.org (Postfix) with ESMTPSA id 4XyZ2q1Bcd
	for <@@RCPT@@>; Tue, 24 Nov 2026 10:00:00 +0000 (UTC)
Date: Tue, 24 Nov 2026 10:00:00 +0000
From: "Anne" <@@SENDER@@>
Reply-To: Anne <anne@choir.example.org>
To: <@@RCPT@@>
Cc: Bart <bart@choir.example.org>
Message-ID: <@@N@@.4711@laptop.example.org>
In-Reply-To: <4710@laptop.example.org>
References: <4709@laptop.example.org> <4710@laptop.example.org>
Subject: Re: the rehearsal on Thursday
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"; format=flowed
Content-Transfer-Encoding: 8bit
Content-Language: en
User-Agent: Postbox/3.2 (GNU/Linux)
Organization: The choir
Thread-Topic: the rehearsal
Thread-Index: AdsXyZ4711==
X-Accept-Language: en
X-Priority: 3
Importance: Normal
"""


def write_message(path: Path, headers: str, size_kib: int) -> Path:
    """Write a message of about this size, headers included; gives its path back."""
    lines = max(1, (size_kib * _KIB - len(headers)) // len(_LINE))
    path.write_text(f"{headers}\n{_LINE * lines}", encoding="utf-8")
    return path
