"""Scenario (a) again, dressed up as each other class of mail, or as a picture."""

from base64 import encodebytes
from collections.abc import Mapping
from random import Random

from scenarios.bad import hijack
from scenarios.mail import Content, Heading, Writer, compose
from scenarios.mailings import advert, token
from scenarios.people import first_name
from scenarios.scenario import Make, Scenario

_LIST_ID = "offers.example.com"


def dressed(headers: Mapping[str, str], subject: str = "") -> Writer:
    """The advert with other headers.

    Args:
        headers: added, or instead of its own.
        subject: instead of its own, if any.
    """

    def write(rng: Random, heading: Heading) -> Content:
        plain = advert(rng, heading)
        own = {name: value.decode() for name, value in plain.headers}
        own |= headers
        if subject:
            own["Subject"] = subject
        return Content(
            tuple((name, value.encode()) for name, value in own.items()), plain.body
        )

    return write


def _report(rng: Random, heading: Heading) -> Content:
    """The advert as the human-readable part of a bounce."""
    mark = token(rng)
    told = advert(rng, heading).body.decode().replace("\r\n", "\n")
    body = f"--{mark}\nContent-Type: text/plain\n\n{told}\n"
    body += f"--{mark}\nContent-Type: message/delivery-status\n\n"
    body += "Reporting-MTA: dns; mx.flower.example\n\nFinal-Recipient: rfc822; "
    body += f"{heading.readers[0]}\nAction: failed\nStatus: 5.1.1\n--{mark}--\n"
    kind = f'multipart/report; report-type=delivery-status; boundary="{mark}"'
    return compose(
        heading,
        "Undelivered Mail Returned to Sender",
        body,
        kind=kind,
        extra=(("From", "<MAILER-DAEMON@flower.example>"),),
    )


def _invitation(rng: Random, heading: Heading) -> Content:
    """The advert as the description of a meeting."""
    told = advert(rng, heading).body.decode().replace("\r\n", "\\n")
    body = "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\n"
    body += f"UID:{token(rng)}\nATTENDEE:mailto:{heading.readers[0]}\n"
    body += f"DESCRIPTION:{told}\nEND:VEVENT\nEND:VCALENDAR\n"
    kind = 'text/calendar; method=REQUEST; charset="utf-8"'
    return compose(heading, "Invitation: lose ten kilograms", body, kind=kind)


def _picture(rng: Random, heading: Heading) -> Content:
    """All of it in a picture: another file, and another link, in each copy."""
    mark, place = token(rng), token(rng)
    link = f"https://{token(rng)}.example/order?c={token(rng)}"
    body = f'--{mark}\nContent-Type: text/html; charset="utf-8"\n\n'
    body += f'<html><body><a href="{link}"><img src="cid:{place}"></a></body></html>\n'
    body += f"--{mark}\nContent-Type: image/png\nContent-ID: <{place}>\n"
    body += "Content-Transfer-Encoding: base64\n\n"
    body += encodebytes(rng.randbytes(12_000)).decode()
    body += f"--{mark}--\n"
    subject = f"{first_name(heading.readers[0])}, lose ten kilograms"
    return compose(heading, subject, body, kind=f'multipart/related; boundary="{mark}"')


def _disguise(key: str, story: str, make: Make) -> Scenario:
    return Scenario(key=f"a-{key}", story=f"(a) as {story}", make=make, target=60)


DISGUISES = (
    _disguise("null", "mail of the null sender", hijack(advert, sender="")),
    _disguise("picture", "a picture and nothing to read", hijack(_picture)),
    _disguise("bounce", "bounces", hijack(_report, sender="")),
    _disguise(
        "reply",
        "auto-replies",
        hijack(dressed({"Auto-Submitted": "auto-replied"}, "Re: out of office")),
    ),
    _disguise("calendar", "invitations", hijack(_invitation)),
    _disguise(
        "confirm",
        "confirmation requests",
        hijack(
            dressed(
                {"Auto-Submitted": "auto-generated", "Precedence": "bulk"},
                "Please confirm your subscription",
            )
        ),
    ),
    _disguise(
        "srs",
        "forwarded mail, SRS",
        hijack(
            dressed({"X-Forwarded-To": "anne@flower.example"}),
            sender="SRS0=abcd=4D={}=flower.example@flower.example",
        ),
    ),
    _disguise(
        "arc",
        "forwarded mail, ARC",
        hijack(
            dressed(
                {
                    "ARC-Seal": "i=1; a=rsa-sha256; cv=none; d=bigmail.example",
                    "Resent-From": "<anne@flower.example>",
                }
            )
        ),
    ),
    _disguise(
        "list",
        "list mail",
        hijack(
            dressed(
                {
                    "List-Id": f"<{_LIST_ID}>",
                    "List-Unsubscribe": f"<https://{_LIST_ID}/leave?t=Zm9v>",
                    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                    "List-Post": "NO",
                }
            )
        ),
    ),
    _disguise(
        "bulk",
        "declared bulk",
        hijack(dressed({"Precedence": "bulk", "Feedback-ID": "1:herb:flower:mailer"})),
    ),
    _disguise(
        "receipt",
        "transactional mail",
        hijack(
            dressed(
                {"Auto-Submitted": "auto-generated"}, "Your order 4711 is on its way"
            )
        ),
    ),
)
