"""Settings of DKIM: what goes together, and what cannot be."""

import pytest

from outgate.config.reader import parse
from outgate.model.errors import ConfigError

TABLES = 'key-table = "/k"\nsigning-table = "refile:/s"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[dkim]\nkey-table = "/k"\n', "dkim.signing-table: is required"),
        ('[dkim]\nsigning-table = "/k"\n', "dkim.key-table: is required"),
        (f"[dkim]\n{TABLES}".replace("/k", "k"), "dkim.key-table: got 'k'"),
        (f"[dkim]\n{TABLES}".replace("refile:", "ldap:"), "dkim.signing-table: got"),
        (f"[dkim]\n{TABLES}".replace('"/k', '"refile:/k'), "dkim.key-table: got"),
        (f'[dkim]\n{TABLES}also = ["Received"]\n', "dkim.also: got 'Received'"),
        (f'[dkim]\n{TABLES}also = ["X Y"]\n', "dkim.also: got 'X Y'"),
        (f'[dkim]\n{TABLES}expire = "1h"\n', "dkim.expire: got 1h"),
        ('[[signature]]\ndomain = "@x"\n', "signature[0].domain: got '@x'"),
        ('[[signature]]\ndomain = "a.b"\n' * 2, "signature: domain 'a.b' stands 2"),
        (
            '[[signature]]\ndomain = "*"\nsenders = ["a@"]\n',
            "signature[0].senders: got 'a@'",
        ),
        (
            '[[signature]]\ndomain = "*"\ncustomers = [""]\n',
            "signature[0].customers: one is empty",
        ),
    ],
)
def test_what_cannot_be_is_told_by_its_key(text: str, told: str) -> None:
    """Before any file is opened."""
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert told in str(caught.value)


def test_what_can_be_is_read() -> None:
    """All keys."""
    settings = parse(
        f'[dkim]\n{TABLES}multiple-signatures = true\nalso = ["Autocrypt"]\n'
        'expire = "14d"\n[[signature]]\ndomain = "*.example.org"\nsign = false\n'
        'customers = ["*", "choir"]\nsenders = ["a@example.org", "example.org"]\n'
        "oversign-lists = false\n"
    )

    assert settings.dkim.multiple_signatures
    assert settings.signature[0].domain == "*.example.org"
