"""Every note there is, table by table, in the order of the manual."""

from outgate.message.listcheck.campaign import CampaignNote
from outgate.message.listcheck.companions import CompanionNote
from outgate.message.listcheck.links import LinksNote
from outgate.message.listcheck.list_id import ListIdNote
from outgate.message.listcheck.note import Note
from outgate.message.listcheck.one_click import PostNote, UnsubscribeNote
from outgate.message.listcheck.shape import ShapeNote
from outgate.message.listcheck.signature import SignatureNote
from outgate.message.listcheck.uri_notes import UriNote

TABLES: dict[str, type[Note]] = {
    "List-Id": ListIdNote,
    "List-Unsubscribe": UnsubscribeNote,
    "List-Unsubscribe-Post": PostNote,
    "Signature": SignatureNote,
    "Several messages": CampaignNote,
    "Any header with links": LinksNote,
    "Any link": UriNote,
    "Any list header": ShapeNote,
    "Headers beside": CompanionNote,
}
NOTES: tuple[Note, ...] = tuple(note for table in TABLES.values() for note in table)
