"""A security key in software: what a browser and its key answer, right or wrong in one respect."""

import hashlib
import html
import json
import re
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

ORIGIN = "http://localhost"
RP_ID = "localhost"


@dataclass
class SoftwareKey:
    """ES256; counts its uses from ``count`` on."""

    origin: str = ORIGIN
    rp_id: str = RP_ID
    count: int = 0
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    private: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, challenge: bytes, **wrong: Any) -> str:
        """The answer to navigator.credentials.create(), as JSON."""
        numbers = self.private.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor2.dumps(cose)
        data = self._authenticator_data(**{"flags": 0x45, **wrong}) + attested
        response = {
            "clientDataJSON": bytes_to_base64url(self._client_data("webauthn.create", challenge, **wrong)),
            "attestationObject": bytes_to_base64url(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
            "transports": ["usb", "something-new"],
        }
        return self._answer(response)

    def show(self, challenge: bytes, **wrong: Any) -> str:
        """The answer to navigator.credentials.get(), as JSON; ``wrong``: origin, rp_id, type, count, flags or key."""
        self.count += 1
        client_data = self._client_data("webauthn.get", challenge, **wrong)
        data = self._authenticator_data(**{"flags": 0x05, **wrong})
        signer = wrong.get("private", self.private)
        signature = signer.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": bytes_to_base64url(client_data),
            "authenticatorData": bytes_to_base64url(data),
            "signature": bytes_to_base64url(signature),
        }
        return self._answer(response)

    def _client_data(self, kind: str, challenge: bytes, **wrong: Any) -> bytes:
        facts = {
            "type": wrong.get("type", kind),
            "challenge": bytes_to_base64url(challenge),
            "origin": wrong.get("origin", self.origin),
            "crossOrigin": False,
        }
        return json.dumps(facts).encode()

    def _authenticator_data(self, flags: int, **wrong: Any) -> bytes:
        count = wrong.get("count", self.count)
        return (
            hashlib.sha256(wrong.get("rp_id", self.rp_id).encode()).digest() + bytes([flags]) + count.to_bytes(4, "big")
        )

    def _answer(self, response: dict[str, Any]) -> str:
        name = bytes_to_base64url(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})


def challenge_in(page: str) -> bytes:
    """The challenge that a page gives to the browser."""
    options = json.loads(html.unescape(re.search(r'data-options="([^"]+)"', page)[1]))
    return base64url_to_bytes(options["challenge"])
