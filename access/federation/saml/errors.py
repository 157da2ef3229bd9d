"""Errors of SAML. What an identity provider sent is never part of them."""

from access.errors import AuthenticationError
from vaultsite.kernel.errors import VaultError


class SamlMessageMalformed(AuthenticationError):
    """Too large, not base64, not XML, with a document type, or not of the one shape that such a message has."""

    code, slug, status = "VAULT_AUTH_1330", "saml-message-malformed", 400
    title = "The message of the identity provider cannot be read"


class SamlSignatureRefused(AuthenticationError):
    """Unsigned, signed by a key that the provider's metadata does not name, altered, or by a weak algorithm."""

    code, slug, status = "VAULT_AUTH_1331", "saml-signature-refused", 403
    title = "The message of the identity provider is not properly signed"


class SamlConditionsNotMet(AuthenticationError):
    """From somebody else, for somebody else, or not at this time; ``detail`` says which."""

    code, slug, status = "VAULT_AUTH_1332", "saml-conditions-not-met", 403
    title = "What the identity provider sent does not hold here and now"


class SamlUnsolicited(AuthenticationError):
    """The answer to a request that this browser did not make, or to none."""

    code, slug, status = "VAULT_AUTH_1333", "saml-unsolicited", 403
    title = "This browser did not ask for this sign-in; begin it here"


class SamlReplayed(AuthenticationError):
    code, slug, status = "VAULT_AUTH_1334", "saml-replayed", 403
    title = "This sign-in was used before; begin a new one"


class SamlNotDecrypted(AuthenticationError):
    """Encrypted to another key, altered, or by an algorithm that is not accepted: not told apart."""

    code, slug, status = "VAULT_AUTH_1335", "saml-not-decrypted", 403
    title = "The assertion of the identity provider cannot be decrypted"


class SamlProviderRefused(AuthenticationError):
    """The identity provider itself says no, or not so."""

    code, slug, status = "VAULT_AUTH_1336", "saml-provider-refused", 403
    title = "The identity provider did not sign you in"


class SamlMetadataRefused(VaultError):
    """Unreadable, ended, not signed as it has to be, or without what is needed; ``detail`` says which."""

    code, slug, status = "VAULT_AUTH_1337", "saml-metadata-refused", 422
    title = "The metadata of the identity provider cannot be used"


class SamlUnavailable(VaultError):
    """The extra ``saml`` or the program ``xmlsec1`` is not installed."""

    code, slug, status = "VAULT_AUTH_1338", "saml-unavailable", 501
    title = "This vault is not equipped for SAML"


class SamlKeyRotation(VaultError):
    """A rotation has two steps; ``detail`` says what stands in the way of this one."""

    code, slug, status = "VAULT_AUTH_1339", "saml-key-rotation", 409
    title = "The keys of the provider cannot be rotated so"
