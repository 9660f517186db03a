"""Bytes in, facts out: what a message says about itself.

May import: `outgate.model` and the standard library; no clock, no randomness, no I/O.
Failure: none. Whatever bytes a sender chose, every function here gives facts: what
could not be read is absent, or is a note. Time and memory are linear in the bytes of
the wanted headers, of which the session keeps at most `MAX_HEADER_BYTES`, and in those
of the body's first chunk.

How to read this room:

    wanted          which headers the session has to keep
    facts           `read_facts`: everything that policy asks, of one transaction
    classify        which kind of mail it is; whether it declares itself bulk
    automation      bounces, auto-replies, calendar mail
    confirmation    requests to confirm a subscription
    listcheck       List-Id, List-Unsubscribe, one-click: a verdict for each variant, in
                    sentences for the maintainer of the list
    optin_evidence  one signed token that says who asked for a list
    retry           what makes a second attempt the same message
    fingerprint     what a message says, so that near-duplicates are found
    mime_text         … the texts that a reader would see of a body
    words             … and their words, whatever disguise they wear
    own_text          … without quotes, signatures, legal notices
    markup            … of HTML
    local_user      who called Sendmail on this host
    script          which script of which web site did, by PHP
    dkim            what a DKIM signature covers, hashed as it comes, and its tags
    headers         header From; text that is fit to show
    split           a message in a file into headers and body
    address_list, encoded_words, charsets, cfws
                    the grammar below them

All of it is what the sender *says*. It selects among the things that belong to the
accountable customer; who that is never comes from here, except from `local_user`,
and from that only where the connection itself is trusted.

Headers are a dictionary of lower-case names to values in the order they came, as a
milter gets them: the first space may be missing, folds are LF or CRLF before a space.
"""
