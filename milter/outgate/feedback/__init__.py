"""What the world says of mail that has left: complaints, bounces, delivery lines.

May import: `outgate.message`, `outgate.model` and the standard library; no clock, no
randomness, no I/O. Failure: `UnreadReport`, which says why a person has to read it,
and nothing else, whatever the bytes. Bounds are in `entity`: of a report its first
4 MiB, 96 KiB of headers, 60 parts, 6 deep; of JSON half a MiB; of a log line 16 KiB.

How to read this room:

    complaint       `read_complaint`: bytes to a `ComplaintReport`, whatever the form
      arf             feedback reports (RFC 5965, 6591, 6650, 9991)
      variants        Microsoft's older feed, Apple's wishes, forwarded spam
      xarf            XARF 3 and 4
      ses             notifications of Amazon SES
      embedded        the message complained of, and what was done to it
      feeds           who sends reports, and what they take out
      report          the value, its words, and what makes two reports one
    bounce          `read_bounce`: bytes to who did not get what
      dsn             delivery status notifications (RFC 3464)
      prose           bounces that are written for people only
      causes          from codes and words to a cause
    delivery_log    `read_delivery`: lines of Postfix and Sendmail
      syslog          who wrote a line, and when
    outcome         what became of one message for one recipient
    entity, documents, times
                    the grammar below them

All of it is what strangers say. Who a complaint is about, and whether it is true, is
decided elsewhere, by marks that only we can have made.
"""
