"""An OpenID provider that says whatever a test has it say, wrong in one respect."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ALGORITHM = "RS256"
CLIENT_ID = "vault"
LOGOUT = {"http://schemas.openid.net/event/backchannel-logout": {}}


@cache
def first_key() -> rsa.RSAPrivateKey:
    return new_key()


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Rogue:
    """Answers over HTTP. ``id_token`` makes the token for the nonce that was asked; what it raises is a 500."""

    issuer: str = ""
    key: rsa.RSAPrivateKey = field(default_factory=first_key)
    kid: str = "first"
    subject: str = "s-1"
    described: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    nonce: str = ""
    id_token: Callable[[], str] | None = None
    jwks: Callable[[], dict[str, Any]] | None = None
    #: Paths that were asked for, in their order.
    asked: list[str] = field(default_factory=list)

    def reset(self) -> None:
        """Honest again."""
        self.__dict__.update(Rogue(issuer=self.issuer).__dict__)

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Those of a good ID token; a change to None leaves a claim out."""
        now = int(time.time())
        told = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "nonce": self.nonce,
            "groups": ["engineers"],
            "preferred_username": "mallory",
        }
        return {name: value for name, value in (told | changed).items() if value is not None}

    def logout_claims(self, **changed: Any) -> dict[str, Any]:
        plain = {"nonce": None, "groups": None, "preferred_username": None, "jti": uuid4().hex, "events": LOGOUT}
        return self.claims(**(plain | changed))

    def sign(self, claims: dict[str, Any], *, typ: str = "JWT", **header: Any) -> str:
        return jwt.encode(claims, self.key, ALGORITHM, headers={"kid": self.kid, "typ": typ} | header)

    def public_pem(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def key_set(self) -> dict[str, Any]:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [public | {"kid": self.kid, "use": "sig", "alg": ALGORITHM}]}

    def description(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/end",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
        } | self.described

    def answer(self, path: str) -> dict[str, Any]:
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            return self.description()
        if path == "/jwks":
            return (self.jwks or self.key_set)()
        if path == "/userinfo":
            return self.userinfo
        token = self.id_token() if self.id_token else self.sign(self.claims())
        return {"access_token": "opaque", "token_type": "Bearer", "id_token": token}


@contextmanager
def running_rogue() -> Iterator[Rogue]:
    rogue = Rogue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                body = json.dumps(rogue.answer(self.path)).encode()
                status = 200
            except LookupError:
                body, status = b"", 500
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=[0.02], daemon=True)
        thread.start()
        rogue.issuer = f"http://127.0.0.1:{server.server_port}"
        yield rogue
        server.shutdown()
        thread.join()
