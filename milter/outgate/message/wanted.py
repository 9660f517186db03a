"""Which headers the session keeps: those that a fact of this room is read from.

The MTA shows every header; a message may have thousands, and most are nobody's
business. A test proves that dropping all others changes no fact.
"""

from outgate.message.classify import CLASS_HEADERS
from outgate.message.fingerprint import FINGERPRINT_HEADERS
from outgate.message.headers import FROM_HEADERS
from outgate.message.listcheck.headers import LIST_HEADERS
from outgate.message.local_user import LOCAL_USER_HEADERS
from outgate.message.optin_evidence import EVIDENCE_HEADERS
from outgate.message.retry import RETRY_HEADERS
from outgate.message.script import SCRIPT_HEADERS

WANTED_HEADERS: frozenset[str] = (
    CLASS_HEADERS
    | EVIDENCE_HEADERS
    | FINGERPRINT_HEADERS
    | FROM_HEADERS
    | LIST_HEADERS
    | LOCAL_USER_HEADERS
    | RETRY_HEADERS
    | SCRIPT_HEADERS
)
