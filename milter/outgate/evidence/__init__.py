"""Evidence that other programs keep of who asked for a list, read and judged.

    reading     a file of any size -> lines of text, in bounded memory
    tables      lines -> records of a CSV file, each with its own text
    documents   lines -> records of JSON, one a line or inside an answer of an API
    texts       lines -> records of log lines, and of blocks of `key value`
    moments     a time as it is written -> a time in UTC, and how its zone is known
    row         what a format found about one subscription
    formats/    one module for each product: a record -> a row
    flag        what makes a row suspect, in a table: sentence, effect, remedy
    judge       row -> grade and flags; pure
    survey      what can only be seen in a whole file: crowds, times without a zone
    importing   survey, then judge and register; resumes, and loses nothing
    report      the numbers for a person and for a program
    dossier/    the other way: what is known of one address, as one document

May import: the core, `store`. Knows files; the clock is an argument. Whatever bytes a
file has, there are rows, rejected rows with a reason, or one `SourceError`.
"""
