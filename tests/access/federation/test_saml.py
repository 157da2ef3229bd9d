"""Whole flows of SAML against pysaml2's own identity provider."""

from access.models import ExternalIdentity, RoleBinding, User
from tests.access.federation.flows import Flow
from tests.factories.access import acting


def test_somebody_new_signs_in_and_holds_what_their_groups_give(flow: Flow) -> None:
    answer = flow.post(flow.respond())
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert flow.is_signed_in()
    with acting(flow.tenant):
        identity = ExternalIdentity.objects.get(provider=flow.provider)
        assert (identity.issuer, identity.subject) == (flow.peer.entity_id, "u-1001")
        assert identity.user.email == "ada@example.org"
        assert identity.user.live_roles().keys() == {"viewer"}
