"""What can be odd about list headers, in words for the maintainer of a list.

Each note says what is wrong, what a mailbox provider does about it, and which clause
says so. A note judges nothing: levels belong to the rules that read it.
"""

from enum import StrEnum
from typing import Self


class ListNote(StrEnum):
    """One oddity of the list headers of a message.

    Attributes:
        sentence: what to tell the maintainer of the list.
        clause: where it is written.
    """

    sentence: str
    clause: str

    # The defaults are for look-ups by value, which Enum answers without coming here.
    def __new__(cls, value: str, sentence: str = "", clause: str = "") -> Self:
        """Make a member from its kebab-case value, its sentence and its clause."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        member.clause = clause
        return member

    HEADER_REPEATED = (
        "header-repeated",
        "A list header stands in the message more than once; only the topmost is read.",
        "RFC 2369 §3, RFC 2919 §3",
    )
    LINE_TOO_LONG = (
        "line-too-long",
        (
            "A line of a list header has more than 998 characters and may be cut on its"
            " way."
        ),
        "RFC 5322 §2.1.1",
    )

    LIST_ID_MISSING = (
        "list-id-missing",
        "The message has list headers but no List-Id, so recipients can't filter it.",
        "RFC 2919 §3",
    )
    LIST_ID_NO_BRACKETS = (
        "list-id-no-brackets",
        "The List-Id has no <identifier> in angle brackets.",
        "RFC 2919 §3",
    )
    LIST_ID_NO_DOT = (
        "list-id-no-dot",
        (
            "The List-Id is a bare word; it must end with a domain of its owner, as in"
            " <news.example.org>."
        ),
        "RFC 2919 §2",
    )
    LIST_ID_TOO_LONG = (
        "list-id-too-long",
        "The List-Id has more than 255 characters.",
        "RFC 2919 §2",
    )
    LIST_ID_CHARACTERS = (
        "list-id-characters",
        "The List-Id holds characters that are not allowed, such as an @ or an accent.",
        "RFC 2919 §2",
    )
    LIST_ID_SPACE = (
        "list-id-space",
        "There is white space within the angle brackets of the List-Id.",
        "RFC 2919 §3",
    )
    LIST_ID_EMPTY_LABEL = (
        "list-id-empty-label",
        "The List-Id begins or ends with a dot, or has two in a row.",
        "RFC 2919 §2",
    )
    LIST_ID_STRAY_TEXT = (
        "list-id-stray-text",
        "Something stands behind the angle brackets of the List-Id.",
        "RFC 2919 §3",
    )
    LIST_ID_UNMANAGED = (
        "list-id-unmanaged",
        (
            "The List-Id ends with .localhost, which belongs to nobody; two lists may have"
            " the same one."
        ),
        "RFC 2919 §3",
    )

    UNSUBSCRIBE_MISSING = (
        "unsubscribe-missing",
        "The message has list headers but no List-Unsubscribe.",
        "RFC 2369 §3.2",
    )
    UNSUBSCRIBE_EMPTY = (
        "unsubscribe-empty",
        "The List-Unsubscribe header is empty.",
        "RFC 2369 §2",
    )
    NOT_BRACKETED = (
        "not-bracketed",
        (
            "List-Unsubscribe does not start with a link in <angle brackets>, so mail"
            " programs ignore it."
        ),
        "RFC 2369 §2",
    )
    BRACKET_UNCLOSED = (
        "bracket-unclosed",
        (
            "A link in List-Unsubscribe has no closing bracket; from there on it is"
            " ignored."
        ),
        "RFC 2369 §2",
    )
    STRAY_TEXT = (
        "stray-text",
        (
            "Something other than a link in <angle brackets> stands in List-Unsubscribe;"
            " what follows it is ignored."
        ),
        "RFC 2369 §2",
    )
    COMMA_MISSING = (
        "comma-missing",
        "Two links in List-Unsubscribe have no comma between them.",
        "RFC 2369 §2",
    )
    TOO_MANY_URIS = (
        "too-many-uris",
        (
            "List-Unsubscribe holds more links than anyone would try; the rest is not"
            " read."
        ),
        "RFC 2369 §2",
    )
    ENCODED_WORD = (
        "encoded-word",
        (
            "List-Unsubscribe is written as =?encoded words?=, which is not allowed"
            " there; many mail programs see no link."
        ),
        "RFC 2047 §5",
    )
    LEADING_FOLD = (
        "leading-fold",
        (
            "The value of List-Unsubscribe begins on the next line, which breaks"
            " signatures of old OpenDKIM versions."
        ),
        "RFC 6376 §3.4",
    )

    SPACE_IN_URI = (
        "space-in-uri",
        "There is white space or a line break within a link.",
        "RFC 2369 §2",
    )
    NON_ASCII = (
        "non-ascii",
        "A link holds characters that are not ASCII; they must be percent-encoded.",
        "RFC 3986 §2",
    )
    URI_CHARACTERS = (
        "uri-characters",
        "A link holds characters that must be percent-encoded, such as | or a bare %.",
        "RFC 3986 §2",
    )
    URI_TOO_LONG = (
        "uri-too-long",
        "A link is longer than web servers must accept.",
        "RFC 9110 §4.1",
    )
    TEMPLATE_NOT_EXPANDED = (
        "template-not-expanded",
        (
            "A link holds a placeholder, such as {{unsubscribe}}, that the list software"
            " should have replaced."
        ),
        "RFC 8058 §3.1",
    )
    SCHEME_MISSING = (
        "scheme-missing",
        "A link begins neither with mailto: nor with https:, so nobody can follow it.",
        "RFC 3986 §3.1",
    )
    SCHEME_UNUSABLE = (
        "scheme-unusable",
        "A link is of a kind that mail programs do not follow; use mailto: or https:.",
        "RFC 2369 §2",
    )
    ADDRESS_UNUSABLE = (
        "address-unusable",
        "A mailto: link holds no complete address.",
        "RFC 6068 §2",
    )
    HOST_UNUSABLE = (
        "host-unusable",
        "A link holds no valid host name.",
        "RFC 3986 §3.2.2",
    )
    HOST_PRIVATE = (
        "host-private",
        "A link leads to a host that exists only in your own network, or nowhere.",
        "RFC 6761 §6",
    )
    PORT_UNUSUAL = (
        "port-unusual",
        "A link leads to a port other than 80 and 443; many networks block those.",
        "RFC 9110 §4.2",
    )
    USER_IN_LINK = (
        "user-in-link",
        "A link holds a user name before its host (user@host), as phishing does.",
        "RFC 9110 §4.2.4",
    )
    PLAIN_HTTP = (
        "plain-http",
        "The only web link is http: without encryption, which can't be one-click.",
        "RFC 8058 §3.1",
    )

    POST_MISSING = (
        "post-missing",
        (
            "There is an https: link but no List-Unsubscribe-Post header, so mailbox"
            " providers can't offer one-click unsubscription."
        ),
        "RFC 8058 §3.1",
    )
    POST_OTHER_CASE = (
        "post-other-case",
        (
            "List-Unsubscribe-Post has other upper and lower case than"
            " List-Unsubscribe=One-Click."
        ),
        "RFC 8058 §5",
    )
    POST_MALFORMED = (
        "post-malformed",
        "List-Unsubscribe-Post must be List-Unsubscribe=One-Click and nothing else.",
        "RFC 8058 §5",
    )
    POST_WITHOUT_UNSUBSCRIBE = (
        "post-without-unsubscribe",
        "There is a List-Unsubscribe-Post header but no List-Unsubscribe.",
        "RFC 8058 §3.1",
    )
    POST_WITHOUT_HTTPS = (
        "post-without-https",
        (
            "There is a List-Unsubscribe-Post header, but List-Unsubscribe holds no https:"
            " link."
        ),
        "RFC 8058 §3.1",
    )
    SEVERAL_WEB_URIS = (
        "several-web-uris",
        "One-click unsubscription wants exactly one https: link and no other web link.",
        "RFC 8058 §3.1",
    )
