"""One rule a module: `REASON`, a one-line `SUMMARY`, and `judge(case)`.

A rule looks and says what it found, or `None`. It decides nothing: which finding wins
is `policy.decide`'s, what mode makes of it `policy.enforce`'s, the order of the rules
`policy.order`'s.
"""
