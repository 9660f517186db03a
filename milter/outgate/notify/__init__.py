"""What people get to read.

    digest   of held mail, to owner and postmaster
    notice   of limits that are nearly used up, to the customer
    letter   what both have in common, and how it leaves

May import: `model`, `message`, `policy`. Knows SMTP. A notice that cannot be sent is
tried again in the next round; it never stops mail.
"""
