"""Certificates of one run: an authority that lives in memory and a leaf per host, made on demand.

The browser is told to trust this authority's key and no other, so an unmodified worker sees
https as in production, and a page that is not ours still fails.
"""

from __future__ import annotations

import base64
import hashlib
import ssl
from functools import lru_cache

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_KEPT = 512
"""Hosts whose certificate is kept for their next visit; each takes some 26 KB."""


class Certificates:
    """A run-local certificate authority."""

    def __init__(self) -> None:
        self._authority = trustme.CA(organization_name="shadow sandbox")
        self._context_for = lru_cache(_KEPT)(self._make_context)

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

    def _make_context(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf = self._authority.issue_cert(host)
        # Chromium compares the keys of the chain that it is sent, so the authority goes along.
        chain = [leaf.private_key_pem, *leaf.cert_chain_pems, self._authority.cert_pem]
        pem = trustme.Blob(b"".join(blob.bytes() for blob in chain))
        with pem.tempfile() as path:
            context.load_cert_chain(path)
        return context
