"""What the endpoint of a running daemon says: for who looks from outside."""

import http.client
from http import HTTPStatus

from outgate.metrics.endpoint import SERVER_NAME

_MAX_BYTES = 4_096


def trouble(address: tuple[str, int], timeout_s: float) -> str:
    """Why /readyz says that mail is not served as configured, "" where it is.

    Args:
        address: host and port.
        timeout_s: for each step.

    Raises:
        OSError: nobody answers.
        ValueError: somebody else does.
    """
    asked = http.client.HTTPConnection(*address, timeout=timeout_s)
    try:
        asked.request("GET", "/readyz")
        answer = asked.getresponse()
        server = (answer.getheader("Server") or "").split()
        text = answer.read(_MAX_BYTES).decode("utf-8", "replace").strip()
    except http.client.HTTPException as error:
        raise ValueError("another program answers") from error
    finally:
        asked.close()
    if server != [SERVER_NAME]:
        raise ValueError("another program answers")
    return "" if answer.status == HTTPStatus.OK else text or "not ready"
