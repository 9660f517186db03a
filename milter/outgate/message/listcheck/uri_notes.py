"""What can be odd about one link of a list header."""

from outgate.message.listcheck.note import Level, Note


class UriNote(Note):
    """Notes on one link."""

    SPACE_IN_URI = (
        "space-in-uri",
        Level.FIX,
        "There is white space or a line break within a link.",
        "Keep each link whole, and break lines only after the comma between two links.",
        "RFC 2369 §2",
    )
    NON_ASCII = (
        "non-ascii",
        Level.BAD,
        "A web link holds characters that are not ASCII; programs differ in what they do.",
        "Percent-encode them in the path, and write the host in its xn-- form.",
        "RFC 3986 §2",
    )
    NON_ASCII_ADDRESS = (
        "non-ascii-address",
        Level.FIX,
        "A mailto: link holds characters that are not ASCII, which old programs refuse.",
        "Percent-encode them, or name an address in ASCII.",
        "RFC 6068 §2",
    )
    URI_CHARACTERS = (
        "uri-characters",
        Level.FIX,
        "A link holds characters that must be percent-encoded, such as | or a bare %.",
        "Percent-encode them.",
        "RFC 3986 §2",
    )
    CONTROL_IN_URI = (
        "control-in-uri",
        Level.BAD,
        "A link holds control characters, so that programs cut or refuse it.",
        "Look for what the template puts into the link; no working link has them.",
        "RFC 3986 §2",
    )
    URI_TOO_LONG = (
        "uri-too-long",
        Level.BAD,
        "A link is longer than web servers must accept.",
        "Shorten the link: a token that your own server looks up is enough.",
        "RFC 9110 §4.1",
    )
    TEMPLATE_NOT_EXPANDED = (
        "template-not-expanded",
        Level.BAD,
        (
            "A link holds a placeholder, such as {{unsubscribe}}, that the list software"
            " should have replaced."
        ),
        "Mend the template: the name of the variable, or the place where it stands.",
        "RFC 8058 §3.1",
    )
    SCHEME_MISSING = (
        "scheme-missing",
        Level.BAD,
        "A link begins neither with mailto: nor with https:, so nobody can follow it.",
        "Write the whole link, with https:// or mailto: before it.",
        "RFC 3986 §3.1",
    )
    SCHEME_UNUSABLE = (
        "scheme-unusable",
        Level.WEAK,
        "A link is of a kind that mail programs do not follow.",
        "Use https: or mailto:.",
        "RFC 2369 §2",
    )
    ADDRESS_UNUSABLE = (
        "address-unusable",
        Level.BAD,
        "A mailto: link holds no complete address.",
        "Write <mailto:name@your-domain.org>.",
        "RFC 6068 §2",
    )
    MAILTO_FIELDS = (
        "mailto-fields",
        Level.FIX,
        (
            "The subject or another field of a mailto: link holds a =, / or ? that must be"
            " percent-encoded."
        ),
        "Write %3D for =, %2F for / and %3F for ?, or give the field a plain token.",
        "RFC 6068 §2",
    )
    HOST_UNUSABLE = (
        "host-unusable",
        Level.BAD,
        "A link holds no valid host name.",
        "Name a host that has an address on the internet.",
        "RFC 3986 §3.2.2",
    )
    HOST_PRIVATE = (
        "host-private",
        Level.BAD,
        "A link leads to a host that exists only in your own network, or nowhere.",
        "Name the host by which the internet knows it.",
        "RFC 6761 §6",
    )
    PORT_UNUSUAL = (
        "port-unusual",
        Level.BAD,
        "A link leads to a port other than 80 and 443; many networks block those.",
        "Serve it on port 443, and leave the port out.",
        "RFC 9110 §4.2",
    )
    USER_IN_LINK = (
        "user-in-link",
        Level.BAD,
        "A link holds a user name before its host (user@host), as phishing does.",
        "Put what identifies the recipient into the path or behind a ?.",
        "RFC 9110 §4.2.4",
    )
