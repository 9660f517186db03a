"""What people get to read.

    digest   of held mail, to owner and postmaster
    notice   of limits that are nearly used up, to the customer
    dsn      of recipients taken out of a message, to its envelope sender
    letter   what they have in common, and how it leaves

May import: `model`, `message`, `policy`. Knows SMTP. A notice that cannot be sent is
tried again in the next round; it never stops mail.
"""
