"""Encrypted assertions (XML Encryption 1.1): opened in memory, so that no private key is ever written to a file.

The response's signature covers the ciphertext and is checked before: nobody but the identity provider can have an
altered one tried, which is what attacks on CBC and on RSA need.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final
from xml.etree.ElementTree import Element
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from access.federation.saml.documents import (
    ASSERTION,
    ENCRYPTED_ASSERTION,
    Document,
    check_signatures,
    read_document,
)
from access.federation.saml.errors import SamlMessageMalformed, SamlNotDecrypted
from access.federation.saml.names import ENCRYPTION_11_NS, ENCRYPTION_NS, SIGNATURE_NS, tag

_GCM: Final = {f"{ENCRYPTION_11_NS}aes{bits}-gcm": bits // 8 for bits in (128, 192, 256)}
_CBC: Final = {f"{ENCRYPTION_NS}aes{bits}-cbc": bits // 8 for bits in (128, 192, 256)}
_OAEP: Final = f"{ENCRYPTION_NS}rsa-oaep-mgf1p"
_OAEP_11: Final = f"{ENCRYPTION_11_NS}rsa-oaep"
#: Digests inside OAEP. SHA-1 is its default, and sound there (RFC 8017, B.1).
_OAEP_DIGESTS: Final[dict[str, hashes.HashAlgorithm]] = {
    f"{SIGNATURE_NS}sha1": hashes.SHA1(),  # noqa: S303 - see above
    f"{ENCRYPTION_NS}sha256": hashes.SHA256(),
    f"{ENCRYPTION_NS}sha512": hashes.SHA512(),
}
_MASKS: Final[dict[str, hashes.HashAlgorithm]] = {
    f"{ENCRYPTION_11_NS}mgf1sha1": hashes.SHA1(),  # noqa: S303 - see above
    f"{ENCRYPTION_11_NS}mgf1sha256": hashes.SHA256(),
    f"{ENCRYPTION_11_NS}mgf1sha512": hashes.SHA512(),
}
_MOST_KEYS: Final = 4
_BLOCK: Final = 16
_GCM_NONCE, _GCM_TAG = 12, 16
_DECLARATION: Final = re.compile(rb"^\s*<\?xml[^>]*\?>")


def decrypt_assertion(response: Document, encrypted: Element, keys: Sequence[rsa.RSAPrivateKey]) -> Document:
    """The assertion in ``encrypted``, as the only child of an element with the namespaces that held around it.

    Its signature is in its place and not yet verified. Raises SamlNotDecrypted, SamlMessageMalformed,
    SamlSignatureRefused.
    """
    data = encrypted.findall(tag(ENCRYPTION_NS, "EncryptedData"))
    wrapped = list(encrypted.iter(tag(ENCRYPTION_NS, "EncryptedKey")))
    if len(data) != 1 or not 0 < len(wrapped) <= _MOST_KEYS:
        raise SamlNotDecrypted
    method, ciphertext = _method(data[0]), _value(data[0])
    for key in keys:
        for each in wrapped:
            content_key = _unwrap(each, key)
            plain = _decrypt(method, content_key, ciphertext) if content_key is not None else None
            if plain is not None:
                return _in_context(plain, _namespaces(response.text))
    raise SamlNotDecrypted


def _in_context(plain: bytes, namespaces: dict[str, str]) -> Document:
    declared = "".join(f" {name}={quoteattr(value)}" for name, value in namespaces.items())
    inner = _DECLARATION.sub(b"", plain)
    try:
        document = read_document(b"<context%s>%s</context>" % (declared.encode(), inner))
    except SamlMessageMalformed:
        raise SamlNotDecrypted from None
    inside = [each for each in document.root.iter() if each.tag in {ASSERTION, ENCRYPTED_ASSERTION}]
    if len(document.root) != 1 or inside != [document.root[0]] or inside[0].tag != ASSERTION:
        raise SamlMessageMalformed("It has not one assertion, in the place of one")
    check_signatures(document.root, signed=(inside[0],))
    return document


def _namespaces(text: str) -> dict[str, str]:
    """The namespaces in which an encrypted assertion's content stands: those of the response and of its own element."""
    found: dict[str, str] = {}
    parser = expat.ParserCreate()

    def enter(name: str, attributes: dict[str, str]) -> None:
        if not found or name.rpartition(":")[2] == "EncryptedAssertion":
            found.update({key: uri for key, uri in attributes.items() if key == "xmlns" or key.startswith("xmlns:")})

    parser.StartElementHandler = enter
    parser.Parse(text.encode(), True)
    return found


def _unwrap(wrapped: Element, key: rsa.RSAPrivateKey) -> bytes | None:
    method = wrapped.find(tag(ENCRYPTION_NS, "EncryptionMethod"))
    algorithm = _method(wrapped)
    if method is None or algorithm not in {_OAEP, _OAEP_11}:
        return None
    given = method.find(tag(SIGNATURE_NS, "DigestMethod"))
    mask = method.find(tag(ENCRYPTION_11_NS, "MGF"))
    digest = _OAEP_DIGESTS.get(given.get("Algorithm", "") if given is not None else f"{SIGNATURE_NS}sha1")
    generator = _MASKS.get(mask.get("Algorithm", "") if mask is not None else f"{ENCRYPTION_11_NS}mgf1sha1")
    if digest is None or generator is None or method.find(tag(ENCRYPTION_NS, "OAEPparams")) is not None:
        return None
    try:
        return key.decrypt(_value(wrapped), padding.OAEP(padding.MGF1(generator), digest, None))
    except ValueError:
        return None


def _decrypt(method: str, key: bytes, ciphertext: bytes) -> bytes | None:
    try:
        if _GCM.get(method) == len(key) and len(ciphertext) >= _GCM_NONCE + _GCM_TAG:
            return AESGCM(key).decrypt(ciphertext[:_GCM_NONCE], ciphertext[_GCM_NONCE:], None)
        if _CBC.get(method) == len(key) and len(ciphertext) >= 2 * _BLOCK:
            decryptor = Cipher(algorithms.AES(key), modes.CBC(ciphertext[:_BLOCK])).decryptor()
            padded = decryptor.update(ciphertext[_BLOCK:]) + decryptor.finalize()
            return padded[: -padded[-1]] if 1 <= padded[-1] <= _BLOCK else None
    except (InvalidTag, ValueError):
        return None
    return None


def _method(element: Element) -> str:
    method = element.find(tag(ENCRYPTION_NS, "EncryptionMethod"))
    return method.get("Algorithm", "") if method is not None else ""


def _value(element: Element) -> bytes:
    path = f"{tag(ENCRYPTION_NS, 'CipherData')}/{tag(ENCRYPTION_NS, 'CipherValue')}"
    try:
        return base64.b64decode("".join((element.findtext(path) or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise SamlNotDecrypted from None
