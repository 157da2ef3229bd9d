"""An identity provider of its own making: pysaml2's server, with a hand on every message before it is signed."""

import base64
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, class_name, saml, samlp
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.s_utils import decode_base64_and_inflate, deflate_and_base64_encode
from saml2.sigver import RSACrypto, pre_encryption_part, pre_signature_part, verify_redirect_signature
from saml2.xmldsig import DIGEST_SHA1, DIGEST_SHA256, SIG_RSA_SHA1, SIG_RSA_SHA256

with warnings.catch_warnings():  # it names ciphers that cryptography has moved
    warnings.simplefilter("ignore")
    from saml2.server import Server

PASSWORD_CONTEXT = saml.AUTHN_PASSWORD_PROTECTED
PERSISTENT = saml.NAMEID_FORMAT_PERSISTENT
AES_256_GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"

Change = Callable[[Any], object]


def nothing(_: Any) -> None:
    """Leaves a message as it is."""


@dataclass(frozen=True)
class KeyPair:
    """A key and a certificate for it, as files: xmlsec1 wants them so."""

    key_file: Path
    certificate_file: Path

    @property
    def certificate(self) -> str:
        """DER in base64."""
        return "".join(self.certificate_file.read_text().splitlines()[1:-1])


def make_key_pair(folder: Path, *, bits: int = 2048) -> KeyPair:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "identity provider")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(
        datetime(2050, 1, 1, tzinfo=UTC)
    )
    certificate = builder.serial_number(x509.random_serial_number()).sign(key, hashes.SHA256())
    stem = uuid4().hex
    pair = KeyPair(folder / f"{stem}.key", folder / f"{stem}.pem")
    pair.key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    pair.certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return pair


class IdentityPeer:
    """One identity provider. ``meet`` makes it know a service provider by the metadata that this one serves."""

    def __init__(self, keys: KeyPair, *, entity_id: str = "https://idp.example.org/saml") -> None:
        self.keys = keys
        self.entity_id = entity_id
        self.server = self._server("")

    def meet(self, service_metadata: str) -> None:
        self.server = self._server(service_metadata)

    @property
    def metadata(self) -> str:
        return str(entity_descriptor(self.server.config))

    def signed_metadata(self) -> str:
        described = entity_descriptor(self.server.config)
        described.id = "_metadata"
        described.signature = pre_signature_part(described.id, sign_alg=SIG_RSA_SHA256, digest_alg=DIGEST_SHA256)
        name, key = class_name(described), str(self.keys.key_file)
        return str(self.server.sec.sign_statement(str(described), name, key_file=key, node_id=described.id))

    def read_request(self, location: str) -> Any:
        """The request in the address a browser was sent to; its signature is checked by the peer."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        return self.server.parse_authn_request(
            query["SAMLRequest"],
            BINDING_HTTP_REDIRECT,
            relay_state=query.get("RelayState"),
            sigalg=query["SigAlg"],
            signature=query["Signature"],
        ).message

    def respond(
        self,
        *,
        request_id: str | None,
        address: str,
        audience: str,
        subject: str = "u-1001",
        attributes: Mapping[str, Any] | None = None,
        change: Change = nothing,
        **how: Any,
    ) -> str:
        """The response as XML. ``change`` sees it before it is signed; ``how`` as in :meth:`sign`."""
        response = self.server.create_authn_response(
            dict(attributes or {}),
            in_response_to=request_id,
            destination=address,
            sp_entity_id=audience,
            name_id=saml.NameID(format=PERSISTENT, text=subject),
            authn={"class_ref": PASSWORD_CONTEXT, "authn_auth": self.entity_id},
            sign_response=False,
            sign_assertion=False,
        )
        response = samlp.response_from_string(str(response))
        response.assertion[0].authn_statement[0].session_index = "session-1"
        change(response)
        return self.sign(response, **how)

    def sign(
        self,
        response: Any,
        *,
        response_signed: bool = True,
        assertion_signed: bool = True,
        keys: KeyPair | None = None,
        embedded: str | None = None,
        method: str = SIG_RSA_SHA256,
        digest: str = DIGEST_SHA256,
        encrypt_to: Path | None = None,
        cipher: str = AES_256_GCM,
    ) -> str:
        """``response`` signed with ``keys`` (its own unless given), ``embedded`` in KeyInfo, encrypted."""
        signer = str((keys or self.keys).key_file)
        assertion = response.assertion[0]
        if assertion_signed:
            assertion.signature = pre_signature_part(assertion.id, embedded, sign_alg=method, digest_alg=digest)
        if response_signed:
            response.signature = pre_signature_part(response.id, embedded, sign_alg=method, digest_alg=digest)
        if encrypt_to is not None:
            response.assertion = []
            response.encrypted_assertion = [saml.EncryptedAssertion()]
            response.encrypted_assertion[0].add_extension_element(assertion)
        text, context = str(response), self.server.sec
        if assertion_signed:
            text = context.sign_statement(text, class_name(assertion), key_file=signer, node_id=assertion.id)
        if encrypt_to is not None:
            text = self._encrypt(text, encrypt_to, cipher)
        if response_signed:
            text = context.sign_statement(text, class_name(response), key_file=signer, node_id=response.id)
        return text

    def sign_out_request(self, address: str, *, subject: str, session_index: str) -> Any:
        """A LogoutRequest, not signed."""
        _, request = self.server.create_logout_request(
            address,
            self.entity_id,
            name_id=saml.NameID(format=PERSISTENT, text=subject),
            session_indexes=[session_index] if session_index else None,
            sign=False,
        )
        return samlp.logout_request_from_string(str(request))

    def redirect(
        self,
        name: str,
        message: Any,
        address: str,
        *,
        relay_state: str = "",
        keys: KeyPair | None = None,
        sha1: bool = False,
    ) -> str:
        """The address that carries ``message``, signed."""
        method = SIG_RSA_SHA1 if sha1 else SIG_RSA_SHA256
        query = {name: deflate_and_base64_encode(str(message)).decode()}
        query |= ({"RelayState": relay_state} if relay_state else {}) | {"SigAlg": method}
        signed = urlencode(query)
        key = load_pem_private_key((keys or self.keys).key_file.read_bytes(), None)
        signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA1() if sha1 else hashes.SHA256())
        return f"{address}?{signed}&{urlencode({'Signature': base64.b64encode(signature).decode()})}"

    def posted(self, message: Any, *, keys: KeyPair | None = None, sha1: bool = False) -> str:
        """``message`` with its signature inside, as XML."""
        method, digest = (SIG_RSA_SHA1, DIGEST_SHA1) if sha1 else (SIG_RSA_SHA256, DIGEST_SHA256)
        message.signature = pre_signature_part(message.id, sign_alg=method, digest_alg=digest)
        signer = str((keys or self.keys).key_file)
        text = self.server.sec.sign_statement(str(message), class_name(message), key_file=signer, node_id=message.id)
        message.signature = None
        return text

    def read_sign_out_request(self, location: str) -> Any:
        query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        return self.server.parse_logout_request(
            query["SAMLRequest"], BINDING_HTTP_REDIRECT, sigalg=query["SigAlg"], signature=query["Signature"]
        ).message

    def read_sign_out_answer(self, location: str, certificate: str) -> Any:
        query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert verify_redirect_signature(query, RSACrypto(None), certificate)
        return samlp.logout_response_from_string(decode_base64_and_inflate(query["SAMLResponse"]).decode())

    def answer_sign_out(self, request: Any, address: str) -> str:
        """The address by which the browser takes the answer to ``request`` back."""
        answer = self.server.create_logout_response(request, [BINDING_HTTP_REDIRECT], sign=False)
        return self.redirect("SAMLResponse", answer, address)

    def _encrypt(self, text: str, certificate: Path, cipher: str) -> str:
        steps = ("Response", "EncryptedAssertion", "Assertion")
        bits = cipher.rpartition("#")[2][3:6]
        return self.server.sec.crypto.encrypt_assertion(
            text,
            str(certificate),
            pre_encryption_part(msg_enc=cipher),
            key_type=f"aes-{bits}",
            node_xpath="".join(f'/*[local-name()="{step}"]' for step in steps),
        )

    def _server(self, service_metadata: str) -> Any:
        endpoints = {
            "single_sign_on_service": [("https://idp.example.org/sign-on", BINDING_HTTP_REDIRECT)],
            "single_logout_service": [
                ("https://idp.example.org/sign-out", BINDING_HTTP_REDIRECT),
                ("https://idp.example.org/sign-out", BINDING_HTTP_POST),
            ],
        }
        policy = {
            "default": {"lifetime": {"minutes": 5}, "attribute_restrictions": None, "name_form": saml.NAME_FORMAT_URI}
        }
        config = {
            "entityid": self.entity_id,
            "service": {"idp": {"endpoints": endpoints, "policy": policy, "want_authn_requests_signed": True}},
            "key_file": str(self.keys.key_file),
            "cert_file": str(self.keys.certificate_file),
            "xmlsec_binary": "/usr/bin/xmlsec1",
            "signing_algorithm": SIG_RSA_SHA256,
            "digest_algorithm": DIGEST_SHA256,
        }
        if service_metadata:
            config["metadata"] = {"inline": [service_metadata]}
        return Server(config=IdPConfig().load(config))
