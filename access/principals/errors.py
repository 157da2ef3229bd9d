"""Errors of people, groups and roles."""

from vaultsite.kernel.errors import VaultError


class GroupNotFound(VaultError):
    code, slug, status = "VAULT_AUTH_1280", "group-not-found", 404
    title = "There is no such group"


class RoleNotFound(VaultError):
    code, slug, status = "VAULT_AUTH_1281", "role-not-found", 404
    title = "There is no such role"


class BuiltinRoleFixed(VaultError):
    """The roles that come with the vault are those of its release."""

    code, slug, status = "VAULT_AUTH_1282", "builtin-role-fixed", 409
    title = "A role that comes with the vault cannot be changed"


class RoleInUse(VaultError):
    """Somebody holds the role, or another role inherits it."""

    code, slug, status = "VAULT_AUTH_1283", "role-in-use", 409
    title = "The role is still held or inherited"


class RoleCycle(VaultError):
    code, slug, status = "VAULT_AUTH_1284", "role-cycle", 409
    title = "A role cannot inherit from itself, by whatever way"


class HierarchyTooDeep(VaultError):
    code, slug, status = "VAULT_AUTH_1285", "role-hierarchy-too-deep", 409
    title = "Roles inherit through too many steps"


class DelegationNotFound(VaultError):
    code, slug, status = "VAULT_AUTH_1286", "delegation-not-found", 404
    title = "There is no such delegation"


class ExternalSystemTooWide(VaultError):
    """What administers the vault stays with the organization that runs it."""

    code, slug, status, outcome = "VAULT_AUTH_1287", "external-system-too-wide", 403, "denied"
    title = "An external system cannot hold this role"
