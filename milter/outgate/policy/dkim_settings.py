"""Settings of DKIM: `[dkim]` and `[[signature]]`."""

from datetime import timedelta

import attrs

from outgate.policy.declared import setting


@attrs.frozen(kw_only=True)
class DkimSettings:
    """Where the keys are. Without tables nothing is signed."""

    key_table: str = setting(
        "OpenDKIM's KeyTable: `/path` or `file:/path`. Read at start and reload, by the "
        "daemon's account. Empty: nothing is signed.",
        "",
        example='"/etc/outgate/dkim/KeyTable"',
    )
    signing_table: str = setting(
        "OpenDKIM's SigningTable: `refile:/path` for patterns with `*`, `/path` or "
        "`file:/path` for addresses and domains.",
        "",
        example='"refile:/etc/outgate/dkim/SigningTable"',
    )
    multiple_signatures: bool = setting(
        "Sign with the keys of all patterns that match, as OpenDKIM's "
        "`MultipleSignatures` does. Without it the first pattern decides, and all keys "
        "that stand beside it sign.",
        False,
        example="false",
    )
    also: tuple[str, ...] = setting(
        "More headers to sign where they are there, beside those of the manual.",
        (),
        example='["Autocrypt"]',
    )
    expire: timedelta = setting(
        "For how long a signature is good (`x=`), so that a stolen copy cannot be sent "
        "for ever; 0s or 1d to 366d. Longer than your queue keeps mail. Who judges a "
        "complaint later must then leave `x=` aside. Default: no `x=`.",
        timedelta(),
        example='"14d"',
    )


@attrs.frozen(kw_only=True)
class SignatureSettings:
    """Who may have mail signed as a domain, and what differs for it."""

    domain: str = setting(
        "The domain that signs (`d=`), all below one (`*.example.org`), or `*`. The most "
        "specific table counts.",
        example='"example.org"',
    )
    sign: bool = setting("`false`: nothing is signed as it.", True, example="true")
    customers: tuple[str, ...] = setting(
        "Whose mail: names of customers; `*` for all that leaves. Default: the customer "
        "with `@domain` in its `match`; where there is none, logins of that very domain "
        "that the MTA gives with it.",
        (),
        example='["choir"]',
    )
    senders: tuple[str, ...] = setting(
        "Only with these in header From: addresses or domains. Empty: with all that the "
        "SigningTable has.",
        (),
        example='["news@example.org"]',
    )
    oversign_lists: bool = setting(
        "Whether list mail of the customer's own is signed so that nobody can add "
        "headers of lists. Mail that is no such list's never is.",
        True,
        example="true",
    )
