"""What can go wrong with anonymization policies."""

from vaultsite.kernel.errors import VaultError


class PolicyNotFound(VaultError):
    code, slug, status = "VAULT_ANON_6010", "policy-not-found", 404
    title = "No such anonymization policy"


class InvalidPolicy(VaultError):
    """The document breaks the schema of policies; ``errors`` says where, never with what."""

    code, slug, status = "VAULT_ANON_6011", "invalid-policy", 400
    title = "The policy is not valid"


class PolicyNameTaken(VaultError):
    code, slug, status = "VAULT_ANON_6012", "policy-name-taken", 409
    title = "A policy with this name exists"


class PresetImmutable(VaultError):
    """A preset says what a standard asks for; who wants another makes a policy of their own from a copy."""

    code, slug, status = "VAULT_ANON_6013", "preset-immutable", 409
    title = "A preset is not changed"


class PolicyInUse(VaultError):
    code, slug, status = "VAULT_ANON_6014", "policy-in-use", 409
    title = "The policy is attached to something"


class PolicyVersionNotFound(VaultError):
    code, slug, status = "VAULT_ANON_6015", "policy-version-not-found", 404
    title = "The policy has no such version"


class AttachmentNotFound(VaultError):
    code, slug, status = "VAULT_ANON_6016", "attachment-not-found", 404
    title = "No such attachment"


class InvalidAttachment(VaultError):
    """The dataset, role or purpose is not known, or the policy is attached to it already."""

    code, slug, status = "VAULT_ANON_6017", "invalid-attachment", 400
    title = "The policy cannot be attached to this"
