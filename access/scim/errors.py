"""Errors that only SCIM knows; ``scim_type`` is the keyword of RFC 7644 section 3.12."""

from typing import ClassVar

from vaultsite.kernel.errors import VaultError


class ScimError(VaultError):
    """A request that the protocol, not a service, refuses."""

    scim_type: ClassVar[str] = ""
    status = 400


class InvalidFilter(ScimError):
    """Also a filter on an attribute, or with an operator, that is not served."""

    code, slug, scim_type = "VAULT_AUTH_1300", "scim-invalid-filter", "invalidFilter"
    title = "The filter is not valid, or asks for what cannot be filtered by"


class InvalidSyntax(ScimError):
    code, slug, scim_type = "VAULT_AUTH_1301", "scim-invalid-syntax", "invalidSyntax"
    title = "The body is not what this request takes"


class InvalidPath(ScimError):
    code, slug, scim_type = "VAULT_AUTH_1302", "scim-invalid-path", "invalidPath"
    title = "There is no attribute at this path"


class NoTarget(ScimError):
    code, slug, scim_type = "VAULT_AUTH_1303", "scim-no-target", "noTarget"
    title = "The path names no value that is there"


class InvalidValue(ScimError):
    code, slug, scim_type = "VAULT_AUTH_1304", "scim-invalid-value", "invalidValue"
    title = "A value is missing or does not fit its attribute"


class Immutable(ScimError):
    """Also what an administrator decided here, and a directory may not undo."""

    code, slug, scim_type = "VAULT_AUTH_1305", "scim-mutability", "mutability"
    title = "The attribute cannot be changed so, or not in the state it is in"


class TooMany(ScimError):
    code, slug, scim_type = "VAULT_AUTH_1306", "scim-too-many", "tooMany"
    title = "The request asks for more than one answer holds"


class VersionMismatch(ScimError):
    code, slug, status = "VAULT_AUTH_1307", "scim-version-mismatch", 412
    title = "The resource has changed since this version"


class NotServed(ScimError):
    code, slug, status = "VAULT_AUTH_1308", "scim-not-served", 501
    title = "This part of SCIM is not served"


class ResourceNotFound(ScimError):
    """Of another organization, not the directory's, or none at all: not told apart."""

    code, slug, status = "VAULT_AUTH_1309", "scim-resource-not-found", 404
    title = "There is no such resource"
