"""The tables of access, one noun a file."""

from access.models.access_policy import AccessPolicy, AccessPolicyVersion, PolicyState
from access.models.access_request import AccessRequest, RequestState, RequestVerdict
from access.models.access_review import AccessReview, GrantKind, ReviewItem, Verdict
from access.models.api_key import ApiKey
from access.models.break_glass import BreakGlass
from access.models.bulk_evaluation import BulkEvaluation, BulkQuestion
from access.models.client_certificate import CertificateName, ClientCertificate
from access.models.delegation import Delegation
from access.models.directory_group import DirectoryGroup
from access.models.directory_user import DirectoryEmail, DirectoryUser
from access.models.encryption_key import EncryptionKey, KeyPurpose, KeyState
from access.models.external_identity import ExternalIdentity, FederatedSession, SpentToken
from access.models.group import Group, GroupMembership
from access.models.group_mapping import GroupMapping
from access.models.idempotent_request import IdempotentRequest
from access.models.identity_provider import IdentityProvider
from access.models.key_destruction import KeyDestruction
from access.models.lease import HolderKind, Lease, LeaseKind, Shown
from access.models.login_throttle import LoginThrottle
from access.models.policy_epoch import NO_STAMP, PolicyEpoch
from access.models.policy_replay import PolicyReplay, ReplayDifference
from access.models.purpose import NEEDS_CONSENT, LawfulBasis, Purpose, SpecialCondition
from access.models.role import Role
from access.models.role_binding import RoleBinding
from access.models.role_inheritance import RoleInheritance
from access.models.saml import SamlKey, SamlMetadata
from access.models.second_factor import RecoveryCode, SecurityKey, TotpDevice
from access.models.service_account import AccountKind, ServiceAccount
from access.models.session import VaultSession
from access.models.sign_in_policy import SignInPolicy
from access.models.tenant import Tenant
from access.models.token_family import RefreshToken, TokenFamily
from access.models.user import User

__all__ = [
    "NEEDS_CONSENT",
    "NO_STAMP",
    "AccessPolicy",
    "AccessPolicyVersion",
    "AccessRequest",
    "AccessReview",
    "AccountKind",
    "ApiKey",
    "BreakGlass",
    "BulkEvaluation",
    "BulkQuestion",
    "CertificateName",
    "ClientCertificate",
    "Delegation",
    "DirectoryEmail",
    "DirectoryGroup",
    "DirectoryUser",
    "EncryptionKey",
    "ExternalIdentity",
    "FederatedSession",
    "GrantKind",
    "Group",
    "GroupMapping",
    "GroupMembership",
    "HolderKind",
    "IdempotentRequest",
    "IdentityProvider",
    "KeyDestruction",
    "KeyPurpose",
    "KeyState",
    "LawfulBasis",
    "Lease",
    "LeaseKind",
    "LoginThrottle",
    "PolicyEpoch",
    "PolicyReplay",
    "PolicyState",
    "Purpose",
    "RecoveryCode",
    "RefreshToken",
    "ReplayDifference",
    "RequestState",
    "RequestVerdict",
    "ReviewItem",
    "Role",
    "RoleBinding",
    "RoleInheritance",
    "SamlKey",
    "SamlMetadata",
    "SecurityKey",
    "ServiceAccount",
    "Shown",
    "SignInPolicy",
    "SpecialCondition",
    "SpentToken",
    "Tenant",
    "TokenFamily",
    "TotpDevice",
    "User",
    "VaultSession",
    "Verdict",
]
