"""The admin as a matrix: every page of the site, for those who are not or not yet signed in, and for forged forms."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from access.factors.errors import SecurityKeysUnavailable
from tests.factories.access import PASSWORD, make_user, sign_in
from tests.factories.factors import enrol_app
from tests.factories.pages import browser_of
from tests.vaultsite.test_sign_in_pages import ADD, CONFIRM, LOGIN, SHOW, password_shown

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")

LOGOUT = "/admin/logout/"
#: Pages on the way to being signed in, and out again.
WAY_IN = {LOGIN, LOGOUT, SHOW, ADD, CONFIRM}
_PLACE = re.compile(r"<(\w+):\w+>")
_VALUES = {"uuid": str(uuid4()), "path": str(uuid4()), "int": "1", "str": "a", "slug": "a"}


def pages() -> list[str]:
    """An address for every page below /admin/."""
    found = set(_leaves(get_resolver().url_patterns, ""))
    return sorted(f"/{page}" for page in found if page.startswith("admin/") and "(" not in page)


def _leaves(patterns: list[Any], prefix: str) -> Iterator[str]:
    for entry in patterns:
        path = prefix + _PLACE.sub(lambda place: _VALUES[place[1]], str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from _leaves(entry.url_patterns, path)
        elif isinstance(entry, URLPattern):
            yield path


def test_the_pages_are_found() -> None:
    assert {"/admin/", "/admin/access/user/", "/admin/access-control/policies/"} | WAY_IN <= set(pages())
    assert len(pages()) > 60


def test_every_page_sends_a_stranger_to_sign_in() -> None:
    """T03: of no page is anything shown, not even whether there is one."""
    client = Client(SERVER_NAME="localhost")
    opened = [page for page in pages() if page not in WAY_IN and LOGIN not in client.get(page).get("Location", "")]
    assert opened == []


def test_every_page_sends_who_is_half_signed_in_to_the_second_factor(tenant) -> None:
    """T33: a password alone opens nothing, of pages, the API and SCIM alike."""
    user = make_user(tenant, "tenant_admin")
    enrol_app(tenant, user)
    client, _ = password_shown(tenant, user)
    asked = [page for page in pages() if page not in WAY_IN]
    # Each from an address of its own: many refusals of one are answered with 429.
    answers = {page: client.get(page, REMOTE_ADDR=f"198.18.0.{number % 250}") for number, page in enumerate(asked)}
    assert [page for page, answer in answers.items() if answer.get("Location") != SHOW] == []
    for path in ("/api/v1/me", "/api/v1/datasets", "/scim/v2/Users"):
        assert client.get(path, REMOTE_ADDR="198.51.100.9").status_code in {401, 403}, path
    asked = {"path": "/api/v1/auth/token", "data": {"grant_type": "session"}, "content_type": "application/json"}
    assert client.post(**asked, REMOTE_ADDR="198.51.100.9").status_code == 403


def test_every_form_needs_its_token(tenant) -> None:
    """T34: whatever page a foreign one sends a form to."""
    honest = browser_of(tenant, "tenant_admin")
    client = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    client.cookies = honest.cookies
    taken = [page for page in pages() if client.post(page, {"do": "anything"}).status_code != 403]
    assert taken == []
    assert client.get("/admin/").status_code == 200, "still signed in: not even signed out"


def test_a_password_known_to_others_opens_no_page_but_its_own(tenant) -> None:
    """Pages that open scopes of their own are none of the exceptions."""
    client = Client(SERVER_NAME="localhost")
    user = make_user(tenant, "tenant_admin", must_change_password=True)
    client.cookies[settings.SESSION_COOKIE_NAME] = sign_in(tenant, user)
    own = {*WAY_IN, "/admin/password_change/"}
    opened = [page for page in pages() if page not in own and client.get(page).status_code not in {302, 405}]
    assert opened == []


def test_who_can_see_what_is_asked_of_what_there_is(tenant, rival) -> None:
    """A stranger's id and one of a rival's are answered alike."""
    client = browser_of(tenant, "tenant_admin")
    for person in (uuid4(), make_user(rival, "viewer").pk):
        page = client.get("/admin/access-control/who/", {"person": str(person)})
        assert (page.status_code, "VAULT_AUTHZ_2208" in page.text) == (404, True)


def test_security_keys_are_not_bound_to_an_address(tenant) -> None:
    """WebAuthn knows names of sites alone (Web Authentication, relying party identifier)."""
    user = make_user(tenant, "analyst")
    enrol_app(tenant, user)
    client = Client(SERVER_NAME="127.0.0.1")
    client.post(LOGIN, {"organization": tenant.slug, "username": user.username, "password": PASSWORD})
    page = client.post(SHOW, {"act": "key", "by": "key", "response": "{}"})
    assert page.status_code == SecurityKeysUnavailable.status
    assert SecurityKeysUnavailable.title in page.text
