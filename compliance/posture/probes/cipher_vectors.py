"""Known answers: every cipher, hash and signature the vault uses gives what its publication says, and nothing else."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from anonymization.tokens.ff1 import FF1
from compliance.posture.outcome import Outcome, judged
from vaultsite.kernel.crypto.aead import Context, open_sealed
from vaultsite.kernel.crypto.envelope import generate_key, unwrap_with_kms, wrap_with_kms
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.errors import IntegrityFailure
from vaultsite.kernel.providers import load_provider

#: One of the frozen vectors of docs/reference/sealing-format.md.
_SEALED: Final = bytes.fromhex(
    "4c4456310101edde512673fc7267ba51e861485848469ad36905bea893b356f7fd70fd5628bc8b83bb137e24bceae5341277e16aaeeefe70"
    "db7bd5b42d3ac978c1120a913048c8efbf8f8224388c2c7b9f5689df3da169b32653e2566e44ec0edfb9ce097ea8700fb037bf63026a"
)
_SEALED_KEY: Final = bytes.fromhex("3525f84d36751f6144b261e4f985d392ba33d3d19414a7e40b713fcf5f1b35f5")
_SEALED_CONTEXT: Final = Context(
    UUID("7b9e9ae8-c3a6-77cb-b17d-0ba10295671b"),
    UUID("50731316-62c4-71fc-8727-8cc453d05690"),
    "chunk",
    bytes.fromhex("284ee4a5e7284890b31185fd1775e6083f977ab30b2dddcfe4ce5baa198f17f8"),
)


def _gcm() -> bool:
    """NIST GCM specification, test case 13."""
    return AESGCM(bytes(32)).encrypt(bytes(12), b"", None).hex() == "530f8afbc74536b9a963b4f1c4cb738b"


def _sealing() -> bool:
    opened = open_sealed(SecretKey(_SEALED_KEY), context=_SEALED_CONTEXT, sealed=_SEALED)
    return opened == b'{"text":"hello"}' and not _opens(_SEALED[:-1] + bytes([_SEALED[-1] ^ 1]))


def _opens(sealed: bytes) -> bool:
    try:
        return bool(open_sealed(SecretKey(_SEALED_KEY), context=_SEALED_CONTEXT, sealed=sealed))
    except IntegrityFailure:
        return False


def _hmac() -> bool:
    """RFC 4231, test case 2; and HKDF-Expand (RFC 5869), whose first block is an HMAC of the label and 0x01."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    key = SecretKey(_SEALED_KEY)
    derived = key.derive(b"label") == SecretKey(key.mac(b"label\x01"))
    return derived and hmac.digest(b"Jefe", b"what do ya want for nothing?", "sha256").hex() == expected


def _sha256() -> bool:
    """FIPS 180-4, the example of one block."""
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    return hashlib.sha256(b"abc").hexdigest() == expected


def _ed25519() -> bool:
    """RFC 8032, test 1; and a signature of something else is refused."""
    key = Ed25519PrivateKey.from_private_bytes(
        bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    )
    expected = (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe2"
        "4655141438e7a100b"
    )
    signature = key.sign(b"")
    try:
        key.public_key().verify(signature, b"something else")
    except InvalidSignature:
        return signature.hex() == expected
    return False


def _ff1() -> bool:
    """NIST SP 800-38G, sample 8."""
    cipher = FF1(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94"), 10)
    plain, tweak = list(range(10)), bytes.fromhex("39383736353433323130")
    return "".join(map(str, cipher.encrypt(plain, tweak))) == "1001623463" and (
        cipher.decrypt([int(one) for one in "1001623463"], tweak) == plain
    )


def _kms() -> bool:
    """A key comes back from the key management system for its own place, and for no other."""
    kms, key, key_id = load_provider("KMS"), generate_key(), uuid4()
    place = Context(uuid4(), uuid4(), "probe", b"one")
    wrapped = wrap_with_kms(kms, key_id=key_id, context=place, key=key)
    if unwrap_with_kms(kms, key_id=key_id, context=place, wrapped=wrapped) != key:
        return False
    elsewhere = Context(place.tenant_id, place.scope_id, "probe", b"two")
    try:
        unwrap_with_kms(kms, key_id=key_id, context=elsewhere, wrapped=wrapped)
    except IntegrityFailure:
        return True
    return False


_KNOWN: Final[Mapping[str, Callable[[], bool]]] = MappingProxyType(
    {
        "AES-256-GCM": _gcm,
        "the sealing format": _sealing,
        "HMAC-SHA-256 and HKDF": _hmac,
        "SHA-256": _sha256,
        "Ed25519": _ed25519,
        "FF1": _ff1,
        "the key management system": _kms,
    }
)


def probe(_tenant_id: UUID) -> Outcome:
    breaches = [f"{name} does not give its known answer" for name, holds in _KNOWN.items() if not holds()]
    return judged(breaches, primitives=sorted(_KNOWN))
