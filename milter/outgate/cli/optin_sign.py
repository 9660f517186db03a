"""`outgate optin sign`: the header that a list host puts on one recipient's mail."""

import sys
from pathlib import Path

import click

from outgate.model.optin import Method

# A token, not a consent: a list host signs anew what it sends later.
_KEEP_DAYS = 400
_DAY_US = 86_400_000_000


@click.command()
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path),
    required=True,
    help="The key, a file of `outgate optin key new`.",
)
@click.option("--list", "list_id", required=True, help="List-Id, no brackets.")
@click.option("--recipient", required=True, help="Address that the mail goes to.")
@click.option(
    "--method",
    type=click.Choice([method.value for method in Method]),
    required=True,
    help="How it was confirmed: by answering a mail, or by a link on the web.",
)
@click.option(
    "--time",
    "confirmed",
    required=True,
    help="When, with its zone, such as 2026-03-14T09:26:53+01:00.",
)
@click.option("--expires", default="", help="When the token ends. Default: 400 days.")
@click.option("--evidence-id", default="", help="Default: a random one.")
@click.option("--hint", is_flag=True, help="For mail to several recipients: tag `r`.")
@click.option("--ip", default="", help="Address that confirmed; only in the evidence.")
@click.option(
    "--note",
    "notes",
    multiple=True,
    metavar="NAME=TEXT",
    help="More of the evidence, such as url=…; repeatable.",
)
@click.option(
    "--evidence-file",
    "evidence_file",
    type=click.Path(path_type=Path),
    default=None,
    help="File that the evidence is appended to: keep it.",
)
@click.option(
    "--filter",
    "as_filter",
    is_flag=True,
    help="Copy a message from standard input with the header on top.",
)
def sign(
    *,
    key_file: Path,
    list_id: str,
    recipient: str,
    method: str,
    confirmed: str,
    expires: str,
    evidence_id: str,
    hint: bool,
    ip: str,
    notes: tuple[str, ...],
    evidence_file: Path | None,
    as_filter: bool,
) -> None:
    """Sign that a recipient asked for a list.

    Prints the header `Opt-In-Evidence`, for one message to this recipient. With
    --evidence-file the evidence (address, time, --ip, --note) is kept, and the token is
    bound to it; without, it is worth no more than an import, but for paper. Runs on
    the list host, and needs neither configuration nor store.
    """
    import secrets

    from outgate.message.optin_evidence import (
        EVIDENCE_HEADER,
        Algorithm,
        Token,
        normal_recipient,
        routing_hint,
        to_base64url,
    )
    from outgate.model.optin import commitment_of
    from outgate.signing.evidence_record import append_evidence
    from outgate.signing.tokens import SigningKey

    if evidence_file is None and (ip or notes):
        raise click.UsageError(
            "--ip and --note are evidence: say by --evidence-file where it is kept"
        )
    path = _recipient(recipient)
    key = SigningKey.read(key_file)
    name = evidence_id or to_base64url(secrets.token_bytes(16))
    evidence = b""
    if evidence_file is not None:
        evidence = _evidence(
            {
                "e": name,
                "l": list_id.lower(),
                "m": method,
                "rcpt": normal_recipient(path).decode("utf-8", "replace"),
                "t": confirmed,
                **({"ip": _ip(ip)} if ip else {}),
            },
            notes,
        )
    try:
        token = Token(
            algorithm=Algorithm(key.algorithm),
            issuer=key.issuer,
            selector=key.selector,
            list_id=list_id.lower(),
            method=Method(method),
            time=confirmed,
            expires=expires or _in_days(_KEEP_DAYS),
            evidence_id=name,
            routing_hint=routing_hint(name, normal_recipient(path)) if hint else "",
            commitment=to_base64url(commitment_of(evidence)) if evidence else "",
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    header = f"{EVIDENCE_HEADER}: {key.sign(token, path).folded()}\n"
    message = b""
    if as_filter:
        message = sys.stdin.buffer.read()
        if b"\r\n" in message[: message.find(b"\n") + 1]:
            header = header.replace("\n", "\r\n")
    if evidence_file is not None:
        append_evidence(evidence, evidence_file)
    click.echo(header.encode() + message, nl=False)


def _recipient(text: str) -> bytes:
    local, _, domain = text.rpartition("@")
    if not local or not domain or len(text.split()) != 1 or not text.isprintable():
        raise click.BadParameter("expected an address", param_hint="--recipient")
    return text.encode()


def _ip(text: str) -> str:
    from ipaddress import ip_address

    try:
        return str(ip_address(text))
    except ValueError:
        raise click.BadParameter("expected an IP address", param_hint="--ip") from None


def _evidence(fixed: dict[str, str], notes: tuple[str, ...]) -> bytes:
    from outgate.signing.evidence_record import salted_evidence

    fields = dict(fixed)
    for note in notes:
        name, equals, text = note.partition("=")
        if not equals or not name or name in fields:
            raise click.BadParameter(
                f"{note!r}: expected NAME=TEXT, each name once", param_hint="--note"
            )
        fields[name] = text
    try:
        return salted_evidence(fields)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _in_days(days: int) -> str:
    import time

    from outgate.policy.operator import format_moment

    return format_moment(time.time_ns() // 1_000 + days * _DAY_US)
