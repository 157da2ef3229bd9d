"""Policies put in force in a tenant, as two people do it."""

from uuid import uuid4

from access.models import AccessPolicyVersion, Tenant
from access.services.policies import activate_version, draft_policy
from tests.factories.access import acting, principal_with


def put_in_force(tenant: Tenant, text: str, name: str = "") -> AccessPolicyVersion:
    """The policy in force from the next scope on."""
    author, other = principal_with(tenant, "tenant_admin"), principal_with(tenant, "security_officer")
    with acting(tenant, author):
        drafted = draft_policy(author, name=name or f"p-{uuid4().hex[:8]}", text=text)
    with acting(tenant, other):
        return activate_version(other, policy_id=drafted.policy_id, number=drafted.number)
