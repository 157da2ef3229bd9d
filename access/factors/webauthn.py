"""The ceremonies of WebAuthn Level 3: making a credential and proving to hold it.

Origin, relying party, challenge, signature and counter are verified by py-webauthn; this module says what is expected.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import parse_authentication_credential_json, parse_registration_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from access.factors.errors import FactorRefused

NAME: Final = "LLM Data Vault"
#: What is sent by a browser is no longer than this; an attestation with its certificates is some kilobytes.
LONGEST: Final = 64 * 1024
#: What py-webauthn raises on what is no response at all, beside its own errors.
_MALFORMED: Final = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError, IndexError)
_TRANSPORTS: Final = frozenset(str(transport.value) for transport in AuthenticatorTransport)


@dataclass(frozen=True)
class RelyingParty:
    """Who asks: ``id`` is the host name that credentials are bound to, ``origin`` where the page was served from."""

    id: str
    origin: str


@dataclass(frozen=True)
class Credential:
    """What is kept of a security key. ``public_key`` is COSE; ``transports`` are hints for the browser."""

    id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...] = ()


def creation_options(
    party: RelyingParty, *, challenge: bytes, user_id: UUID, username: str, known: Iterable[Credential]
) -> str:
    """PublicKeyCredentialCreationOptions as JSON; ``known`` keys are not made twice, and no attestation is asked."""
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=NAME,
        user_id=user_id.bytes,
        user_name=username,
        challenge=challenge,
        exclude_credentials=_descriptors(known),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED, user_verification=UserVerificationRequirement.PREFERRED
        ),
    )
    return options_to_json(options)


def request_options(party: RelyingParty, *, challenge: bytes, known: Iterable[Credential]) -> str:
    """PublicKeyCredentialRequestOptions as JSON, for the ``known`` keys alone."""
    options = generate_authentication_options(
        rp_id=party.id, challenge=challenge, allow_credentials=_descriptors(known)
    )
    return options_to_json(options)


def read_new_credential(party: RelyingParty, *, challenge: bytes, response: str) -> Credential:
    """The credential that a browser made; raises FactorRefused when anything of it does not hold."""
    if len(response) > LONGEST:
        raise FactorRefused
    try:
        made = verify_registration_response(
            credential=response,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
        )
        transports = _transports_of(response)
    except _MALFORMED:
        raise FactorRefused from None
    return Credential(made.credential_id, made.credential_public_key, made.sign_count, transports)


def named_credential(response: str) -> bytes:
    """The id of the credential a response claims to come from; raises FactorRefused."""
    if len(response) > LONGEST:
        raise FactorRefused
    try:
        return parse_authentication_credential_json(response).raw_id
    except _MALFORMED:
        raise FactorRefused from None


def verify_response(party: RelyingParty, credential: Credential, *, challenge: bytes, response: str) -> int:
    """The new counter of a key that proved to be here; raises FactorRefused, also where the counter did not grow.

    A counter that stands still tells a copied key (WebAuthn Level 3, 6.1.1), unless it is always 0: passkeys that are
    synchronized count nothing.
    """
    try:
        verified = verify_authentication_response(
            credential=response,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=credential.public_key,
            credential_current_sign_count=credential.sign_count,
        )
    except _MALFORMED:
        raise FactorRefused from None
    return verified.new_sign_count


def _descriptors(known: Iterable[Credential]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(id=one.id, transports=[AuthenticatorTransport(name) for name in one.transports])
        for one in known
    ]


def _transports_of(response: str) -> tuple[str, ...]:
    """The hints a browser gave that the standard knows."""
    given = parse_registration_credential_json(response).response.transports or []
    return tuple(sorted({str(one.value) for one in given} & _TRANSPORTS))
