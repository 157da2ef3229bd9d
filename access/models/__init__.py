"""The tables of access, one noun a file."""

from access.models.api_key import ApiKey
from access.models.encryption_key import EncryptionKey, KeyPurpose, KeyState
from access.models.idempotent_request import IdempotentRequest
from access.models.key_destruction import KeyDestruction
from access.models.login_throttle import LoginThrottle
from access.models.purpose import Purpose
from access.models.role import Role
from access.models.role_binding import RoleBinding
from access.models.session import VaultSession
from access.models.tenant import Tenant
from access.models.user import User

__all__ = [
    "ApiKey",
    "EncryptionKey",
    "IdempotentRequest",
    "KeyDestruction",
    "KeyPurpose",
    "KeyState",
    "LoginThrottle",
    "Purpose",
    "Role",
    "RoleBinding",
    "Tenant",
    "User",
    "VaultSession",
]
