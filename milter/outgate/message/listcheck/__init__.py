"""The validator of list headers: one verdict per variant, and what to write instead.

    note            Level, Note, Remark: what every table below is made of
    headers         `parse_list_headers`: what they say, for every message that has them
      shape           … repeated, long or folded fields
      list_id         … List-Id
      links           … the links of a header, in brackets
      uri, uri_notes  … one link, and whether a recipient can follow it
      one_click       … List-Unsubscribe-Post
    check           `check_list`: the whole verdict, with what its caller knows beside
      kind            … announcements or a discussion
      signature       … whether DKIM covers one-click
      companions      … Auto-Submitted, Precedence, CFBL-Address, Feedback-ID
    campaign        what shows only in several messages
    write           printing headers as they ought to be
    notes           every note there is

Rules judge by `headers` alone, `outgate list check` by `check`, which begins with the
same facts: there is no second opinion.
"""
