"""What people get to read: today the digest of held mail.

May import: `model`, `message`, `policy`. Knows SMTP. A notice that cannot be sent is
tried again in the next round; it never stops mail.
"""
