"""Providers that are not there, and people whom one vouches for in vain; whatever the kind."""

from uuid import uuid4

import pytest

from access.federation.arrival import arrive
from access.federation.errors import NoAccount, ProviderNotFound
from access.federation.linking import unlink_identity
from access.federation.ports import Arrival
from access.models import User
from access.services.tenants import operator
from tests.factories.access import acting, make_user
from tests.factories.federation import make_openid

ISSUER = "https://idp.example"


def test_a_rivals_provider_is_one_that_never_was(tenant, rival):
    theirs = make_openid(rival, ISSUER).pk
    for provider in (theirs, uuid4()):
        with acting(tenant), pytest.raises(ProviderNotFound):
            unlink_identity(operator(tenant.pk), provider_id=provider, identity_id=uuid4())


def test_a_name_or_address_opens_nobodys_account(tenant):
    """T27: somebody of the provider's who is called as a user of ours is not that user."""
    user = make_user(tenant, "viewer", username="ann", email="ann@example.com")
    stranger = Arrival(ISSUER, "s-1", username="ann", email="ann@example.com", groups=("staff",))
    strict = make_openid(tenant, ISSUER, groups={"staff": "data_steward"}, creates_users=False)
    with pytest.raises(NoAccount), acting(tenant):
        arrive(strict, stranger)
    easy = make_openid(tenant, ISSUER, slug="easy", groups={"staff": "data_steward"})
    with acting(tenant):
        assert arrive(easy, stranger).pk != user.pk
        assert set(User.objects.get(pk=user.pk).live_roles()) == {"viewer"}
