"""What takes two people is not done by one with two credentials: the program somebody made is their hand."""

from dataclasses import replace

import pytest

from access.errors import SamePerson
from access.models import ApiKey, KeyPurpose
from access.selectors import api_key_principal, user_principal
from access.services.api_keys import create_api_key
from access.services.key_rotation import confirm_destruction, request_destruction, rotate_key
from access.services.keyring import current_key
from access.services.policies import activate_version, draft_policy
from access.services.service_accounts import create_service_account
from tests.factories.access import acting, make_user
from vaultsite.kernel.tenancy.principal import Principal

PERMIT = 'permit(principal in Role::"viewer", action == Action::"audit.read", resource);'


def hands(tenant, by: str) -> tuple[Principal, Principal]:
    """A tenant administrator, and a program of theirs: a key with roles, or a key for a service account."""
    user = make_user(tenant, "tenant_admin")
    with acting(tenant):
        person = user_principal(user, mfa=True, authenticated_at=user.created_at)
    with acting(tenant, person):
        account = None
        if by == "account":
            account = create_service_account(person, name="bot", roles=["tenant_admin"]).pk
        roles = [] if account else ["tenant_admin"]
        made, _ = create_api_key(person, name="mine", roles=roles, service_account_id=account)
        program = api_key_principal(ApiKey.objects.select_related("service_account").get(pk=made.pk))
    return person, replace(program, datasets=frozenset())


@pytest.mark.parametrize("by", ["key", "account"])
@pytest.mark.parametrize("first", ["person", "program"])
def test_a_key_is_not_destroyed_by_one_person_and_their_program(tenant, by, first):
    one, other = hands(tenant, by) if first == "person" else reversed(hands(tenant, by))
    with acting(tenant):
        key = current_key(KeyPurpose.ACCESS_TOKEN).id
        rotate_key(KeyPurpose.ACCESS_TOKEN, tenant.pk)
    with acting(tenant, one):
        request_destruction(one, key_id=key, reason="old")
    with acting(tenant, other), pytest.raises(SamePerson):
        confirm_destruction(other, key_id=key, count_uses=lambda _: 0, accepts_loss=True)


@pytest.mark.parametrize("by", ["key", "account"])
@pytest.mark.parametrize("first", ["person", "program"])
def test_a_permit_is_not_put_in_force_by_one_person_and_their_program(tenant, by, first):
    one, other = hands(tenant, by) if first == "person" else reversed(hands(tenant, by))
    with acting(tenant, one):
        version = draft_policy(one, name="audit-for-viewers", text=PERMIT)
    with acting(tenant, other), pytest.raises(SamePerson):
        activate_version(other, policy_id=version.policy_id, number=1)
