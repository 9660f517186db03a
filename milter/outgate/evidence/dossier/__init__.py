"""What is known of one address, as one document for whoever complains or asks.

    facts        what was found, gathered by a command; and as JSON
    words        what grades, methods, zones and checks mean, in sentences
    page         facts -> headings, paragraphs, tables
    markdown     these -> Markdown
    hypertext    these -> HTML that needs nothing else
    pdf          that HTML -> PDF, where WeasyPrint is installed

Pure, but `pdf`: no files, no clock, no store. Texts of other people are in it, escaped
where they are written.
"""
