"""Complaints: whose mail they are about, and what follows.

May import: rooms below it. Only `mailboxes` and `unread` touch files.

How to read this room:

    intake          one report from bytes to a kept complaint
      reporter      who reports, and whether that is believed
      marks         what the embedded message carries of ours
      attribution   from clues to whose mail it was: the table
      adjudicate    from that to what follows
    unread          the folder of what a person has to read
    mailboxes       Maildir and mbox
    ports           what it asks others for
"""
