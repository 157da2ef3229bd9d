"""Screens of people, groups and roles: what they show, to whom, and what their forms do."""

import re
from uuid import uuid4

import pytest

from access.models import Group, GroupMembership, Role, RoleBinding, User
from access.policy.builtin import PERMISSIONS, ROLES
from tests.access.principals.test_groups import group_with
from tests.factories.access import acting, make_user
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")

HOME = "/admin/access-control"
PEOPLE, GROUPS, ROLES_PAGE = f"{HOME}/people/", f"{HOME}/groups/", f"{HOME}/roles/"
LONG = "somebody-with-a-name-that-is-as-long-as-names-may-be-" * 2


def page_of(user):
    return f"{PEOPLE}{user.pk}/"


def user_named(tenant, name):
    with acting(tenant):
        return User.objects.get(username=name)


def test_people_are_listed_found_and_turned_over(tenant, monkeypatch):
    monkeypatch.setattr("access.pages.persons.PAGE", 2)
    boss = browser_of(tenant, "tenant_admin", username="boss")
    for name in ("ann", "bea", LONG):
        make_user(tenant, "viewer", username=name)
    page = boss.get(PEOPLE).text
    assert "ann" in page
    assert LONG not in page
    assert "after=bea" in page
    assert LONG in boss.get(f"{PEOPLE}?after=boss").text
    assert "Nobody like that" in boss.get(f"{PEOPLE}?search=zzz").text
    assert "Nobody like that" in boss.get(f"{PEOPLE}?state=disabled").text


def test_one_person_is_shown_with_all_they_may_act_by(tenant):
    boss = browser_of(tenant, "tenant_admin", username="boss")
    browser_of(tenant, "viewer", username="ann")
    ann = user_named(tenant, "ann")
    group_with(tenant, "analyst", members=[ann], name="Readers of everything")
    page = boss.get(page_of(ann)).text
    for text in ("Readers of everything", "Analyst", "Viewer", "No live key"):
        assert text in page, text
    assert "End sessions" in page


def test_the_forms_of_a_person_do_what_they_say(tenant):
    boss = browser_of(tenant, "tenant_admin", username="boss")
    ann = make_user(tenant, "viewer", username="ann")
    group = group_with(tenant, name="team")
    with acting(tenant):
        binding = RoleBinding.objects.get(user=ann)
    deeds = (
        {"act": "give", "role": "analyst", "until": "2099-12-31"},
        {"act": "take", "binding": str(binding.pk)},
        {"act": "join", "group": str(group.pk)},
        {"act": "attributes", "department": "research", "clearance": "high"},
    )
    for deed in deeds:
        answer = boss.post(page_of(ann), deed)
        assert answer.status_code == 302, answer.text
    with acting(tenant):
        (held,) = RoleBinding.objects.filter(user=ann).select_related("role")
        assert (held.role.code, held.expires_at.year) == ("analyst", 2099)
        assert GroupMembership.objects.filter(user=ann, group=group).exists()
        assert User.objects.get(pk=ann.pk).clearance == "high"
    assert boss.post(page_of(ann), {"act": "leave", "group": str(group.pk)}).status_code == 302
    assert boss.post(page_of(ann), {"act": "disable"}).status_code == 302
    assert "disabled" in boss.get(page_of(ann)).text
    assert boss.post(page_of(ann), {"act": "enable"}).status_code == 302


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        ({"act": "give", "role": "nobody"}, "There is no such role"),
        ({"act": "give", "role": "viewer", "until": "2020-01-01"}, "A day that is not over"),
        ({"act": "give", "role": "viewer", "until": "2026-02-31"}, "A day, as"),
        ({"act": "join", "group": "x"}, "Choose one"),
        ({"act": "attributes", "department": "two words"}, "letters, digits"),
    ],
)
def test_a_form_that_was_filled_in_wrongly_says_so_and_changes_nothing(tenant, deed, words):
    boss = browser_of(tenant, "tenant_admin", username="boss")
    ann = make_user(tenant, "viewer", username="ann")
    answer = boss.post(page_of(ann), deed)
    assert answer.status_code == 400
    assert words in answer.text
    with acting(tenant):
        assert RoleBinding.objects.filter(user=ann).count() == 1


def test_nobody_changes_their_own(tenant):
    boss = browser_of(tenant, "tenant_admin", username="boss")
    me = user_named(tenant, "boss")
    page = boss.get(page_of(me)).text
    assert "Nobody changes their own" in page
    assert 'value="give"' not in page
    assert boss.post(page_of(me), {"act": "give", "role": "data_steward"}).status_code == 403
    assert boss.post(page_of(me), {"act": "attributes", "clearance": "top"}).status_code == 403


def test_who_may_only_look_sees_no_forms(tenant):
    auditor = browser_of(tenant, "auditor")
    ann, group = make_user(tenant, "viewer"), group_with(tenant, name="team")
    for address in (PEOPLE, page_of(ann), GROUPS, f"{GROUPS}{group.pk}/", ROLES_PAGE):
        page = auditor.get(address)
        assert page.status_code == 200, address
        assert 'name="act"' not in page.text, address
        assert "Make it" not in page.text
    viewer = browser_of(tenant, "viewer")
    for address in (PEOPLE, page_of(ann), GROUPS, f"{GROUPS}{group.pk}/", ROLES_PAGE, f"{ROLES_PAGE}new/"):
        assert viewer.get(address).status_code == 403, address


def test_groups_are_made_filled_and_removed_in_the_browser(tenant):
    boss = browser_of(tenant, "tenant_admin", username="boss")
    make_user(tenant, "viewer", username="ann")
    make_user(tenant, "viewer", username="lead")
    assert "There is no group yet" in boss.get(GROUPS).text
    answer = boss.post(GROUPS, {"display_name": LONG[:100], "description": "<script>alert(1)</script>"})
    assert answer.status_code == 302
    page = answer["Location"]
    assert "<script>alert" not in boss.get(page).text
    for deed in (
        {"act": "give", "role": "analyst"},
        {"act": "add", "username": "ann"},
        {"act": "delegate", "username": "lead"},
        {"act": "change", "display_name": "Readers", "description": ""},
    ):
        assert boss.post(page, deed).status_code == 302, deed
    shown = boss.get(page).text
    for text in ("Readers", "ann", "lead", "Analyst"):
        assert text in shown
    assert boss.post(page, {"act": "add", "username": "nobody"}).status_code == 404
    with acting(tenant):
        group = Group.objects.get()
        held = RoleBinding.objects.get(group=group)
        membership, delegation = group.memberships.get(), group.delegations.get()
    for deed in (
        {"act": "take", "binding": str(held.pk)},
        {"act": "remove", "user": str(membership.user_id)},
        {"act": "end", "delegation": str(delegation.pk)},
        {"act": "delete"},
    ):
        assert boss.post(page, deed).status_code == 302, deed
    assert boss.get(page).status_code == 404


def test_the_matrix_says_of_each_role_what_it_permits(tenant):
    officer = browser_of(tenant, "privacy_officer")
    page = officer.get(ROLES_PAGE).text
    lines = re.findall(r"<tr>\s*<th scope=\"row\".*?</tr>", page, re.DOTALL)
    assert len(lines) == len(PERMISSIONS)
    marks = sum(line.count('class="p-yes"') for line in lines)
    assert marks == sum(len(role.permissions) for role in ROLES.values())


def test_roles_of_its_own_are_made_changed_and_removed_in_the_browser(tenant):
    boss = browser_of(tenant, "tenant_admin", username="boss")
    form = boss.get(f"{ROLES_PAGE}new/").text
    assert 'value="user.manage"' in form
    assert 'value="record.read.raw"' not in form
    given = {"name": "Desk", "code": "desk", "permissions": ["user.read"], "inherits": ["viewer"]}
    made = boss.post(f"{ROLES_PAGE}new/", given)
    assert made.status_code == 302, made.text
    page = made["Location"]
    assert "user.read" in boss.get(page).text
    again = boss.post(f"{ROLES_PAGE}new/", given)
    assert again.status_code == 409
    assert 'value="desk"' in again.text
    change = {"act": "change", "name": "Front desk", "description": "x", "permissions": ["user.read", "role.read"]}
    assert boss.post(page, change).status_code == 302
    with acting(tenant):
        role = Role.objects.get(code="desk")
    assert (role.name, role.permissions, role.inherited) == ("Front desk", ["role.read", "user.read"], [])
    wide = boss.post(page, change | {"permissions": ["record.read.raw"]})
    assert wide.status_code == 403
    assert boss.post(page, {"act": "delete"}).status_code == 302
    assert boss.get(page).status_code == 404


def test_a_role_that_comes_with_the_vault_has_no_form(tenant):
    boss = browser_of(tenant, "tenant_admin", username="boss")
    with acting(tenant):
        viewer = Role.objects.get(code="viewer")
    address = f"{ROLES_PAGE}{viewer.pk}/"
    assert 'name="act"' not in boss.get(address).text
    assert boss.post(address, {"act": "change", "name": "x"}).status_code == 409


def test_what_is_another_tenants_is_not_there(tenant, rival):
    boss = browser_of(tenant, "tenant_admin", username="boss")
    ann, group = make_user(rival, "viewer"), group_with(rival, name="team")
    with acting(rival):
        role = Role.objects.get(code="viewer")
    for address in (page_of(ann), f"{GROUPS}{group.pk}/", f"{ROLES_PAGE}{role.pk}/", f"{PEOPLE}{uuid4()}/"):
        assert boss.get(address).status_code == 404, address
