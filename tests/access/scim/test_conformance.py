"""What an independent checker of RFC 7643 and 7644 says of the server, from what the server publishes of itself."""

from django.core.wsgi import get_wsgi_application
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server

from tests.access.scim.conftest import Directory

#: Somebody is active or not: taking the attribute away leaves what it was, where the checker expects none.
_KNOWN = "User check_remove_attribute ERROR: PATCH modify() did not remove attribute 'active'"
_GOOD = {Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE}


def test_the_checker_finds_nothing_but_what_is_meant(directory: Directory) -> None:
    client = WSGISCIMClient(
        get_wsgi_application(),
        base_url="http://testserver/scim/v2",
        headers={"Authorization": f"Bearer {directory.token}"},
    )
    results = check_server(client)
    wrong = [
        f"{one.resource_type} {one.title} {one.status.name}: {one.reason}" for one in results if one.status not in _GOOD
    ]
    assert wrong == [_KNOWN]
    assert len(results) > 40
