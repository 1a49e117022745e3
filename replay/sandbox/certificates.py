"""Certificates of one run: an authority that lives in memory and a leaf per host, made on demand.

The browser is told to trust this authority's key and no other, so an unmodified worker sees
https as in production, and a page that is not ours still fails.
"""

from __future__ import annotations

import base64
import hashlib
import ssl

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class Certificates:
    """A run-local certificate authority."""

    def __init__(self) -> None:
        self._authority = trustme.CA(organization_name="shadow sandbox")
        self._contexts: dict[str, ssl.SSLContext] = {}

    @property
    def spki(self) -> str:
        """Base64 SHA-256 of the authority's public key, as Chromium's switch wants it."""
        certificate = x509.load_pem_x509_certificate(self._authority.cert_pem.bytes())
        key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(hashlib.sha256(key).digest()).decode()

    @property
    def authority_pem(self) -> bytes:
        """The authority's certificate."""
        return self._authority.cert_pem.bytes()

    def server_context(self) -> ssl.SSLContext:
        """A context for a TLS server that shows each client a certificate for the host it names."""
        context = self._context_for("localhost")

        def choose(socket: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            if name:
                socket.context = self._context_for(name)

        context.sni_callback = choose
        return context

    def _context_for(self, host: str) -> ssl.SSLContext:
        if host not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            leaf = self._authority.issue_cert(host)
            # Chromium compares the keys of the chain that it is sent, so the authority goes along.
            chain = [leaf.private_key_pem, *leaf.cert_chain_pems, self._authority.cert_pem]
            pem = trustme.Blob(b"".join(blob.bytes() for blob in chain))
            with pem.tempfile() as path:
                context.load_cert_chain(path)
            self._contexts[host] = context
        return self._contexts[host]
