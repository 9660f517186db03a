"""A milter that signs what it is told, with dkimpy; run as a program of its own.

    python dkim_milter.py <port> <key.pem> <domain> <selector>

Every header that it saw is signed, by its own name: one that is changed or removed
afterwards, or was there for it alone, breaks the signature.
"""

import sys
from pathlib import Path

import dkim
import Milter


class Signer(Milter.Base):  # type: ignore[misc]
    key = domain = selector = b""

    def __init__(self) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []

    def envfrom(self, sender: str, *parameters: str) -> int:
        self._headers.clear()
        self._body.clear()
        return int(Milter.CONTINUE)

    @Milter.decode("bytes")  # type: ignore[untyped-decorator]
    def header(self, name: str, value: bytes) -> int:
        lines = value.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        self._headers.append((name.encode("ascii"), lines))
        return int(Milter.CONTINUE)

    def body(self, chunk: bytes) -> int:
        self._body.append(chunk)
        return int(Milter.CONTINUE)

    def eom(self) -> int:
        head = b"".join(b"%b: %b\r\n" % one for one in self._headers)
        names = [name.lower() for name, _ in self._headers]
        signed = dkim.sign(
            head + b"\r\n" + b"".join(self._body),
            self.selector,
            self.domain,
            self.key,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[one for one in names if one != b"received"],
        )
        value = signed.partition(b":")[2].strip().replace(b"\r\n", b"\n")
        self.addheader("DKIM-Signature", value.decode("ascii"), 0)
        return int(Milter.CONTINUE)


def main(port: str, key: str, domain: str, selector: str) -> None:
    Signer.key = Path(key).read_bytes()
    Signer.domain, Signer.selector = domain.encode(), selector.encode()
    Milter.factory = Signer
    Milter.set_flags(Milter.ADDHDRS)
    Milter.runmilter("signer", f"inet:{port}@127.0.0.1", 60)


if __name__ == "__main__":
    main(*sys.argv[1:])
