"""Who was given one dataset and whose roles open none: lists, menus and pages show that one, and nothing else."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from access.models import Role, Tenant, User
from access.selectors import user_principal
from access.services.visibility import may_list
from datasets.models import Dataset
from datasets.services.overview import summarize
from datasets.services.permissions import grant_permission, revoke_permissions
from tests.access.policy.stored import put_in_force
from tests.factories.access import acting, make_user, sign_in
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload
from tests.factories.leases import person
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
LISTING = "/admin/datasets/dataset/"


@pytest.fixture
def dataset(tenant: Tenant) -> Dataset:
    make_dataset(tenant, name="kept-back")
    made = make_dataset(tenant, name="handed-over")
    upload(tenant, made, jsonl(rows_of(3)))
    return made


@pytest.fixture
def holder(tenant: Tenant, dataset: Dataset) -> User:
    """Somebody whose only role opens no dataset, and who was given the one."""
    with acting(tenant):
        Role.objects.create(code="clerk", name="Clerk", permissions=["access.request"], is_builtin=False)
    user, steward = make_user(tenant, "clerk"), person(tenant, "data_steward")
    with acting(tenant, steward):
        grant_permission(steward, dataset_id=dataset.pk, user_id=user.pk, level="read_masked")
    return user


def take_back(tenant: Tenant, dataset: Dataset, user: User) -> None:
    steward = person(tenant, "data_steward")
    with acting(tenant, steward):
        revoke_permissions(steward, dataset_id=dataset.pk, user_id=user.pk)


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_menu_the_first_page_and_the_list_show_what_was_given(
    tenant: Tenant, dataset: Dataset, holder: User
) -> None:
    browser = Client(SERVER_NAME="localhost", raise_request_exception=False)
    browser.cookies[settings.SESSION_COOKIE_NAME] = sign_in(tenant, holder)
    home = text_of(browser.get("/admin/"))
    assert f'href="{LISTING}"' in home
    listed = text_of(browser.get(LISTING))
    assert ("handed-over" in listed, "kept-back" in listed) == (True, False)
    page = text_of(browser.get(f"{LISTING}{dataset.pk}/"))
    assert f"{LISTING}{dataset.pk}/records/" in page
    take_back(tenant, dataset, holder)
    assert f'href="{LISTING}"' not in text_of(browser.get("/admin/"))
    assert browser.get(LISTING).status_code in {403, 404}


def test_the_first_page_counts_what_was_given(tenant: Tenant, dataset: Dataset, holder: User) -> None:
    with acting(tenant):
        found = summarize(user_principal(holder))
    assert found is not None
    assert (found.datasets, found.records) == (1, 3)
    take_back(tenant, dataset, holder)
    with acting(tenant):
        assert summarize(user_principal(User.objects.get(pk=holder.pk))) is None


def test_a_policy_that_permits_the_list_offers_it(tenant: Tenant) -> None:
    officer = person(tenant, "security_officer", purpose=None)
    with acting(tenant, officer):
        assert not may_list(officer)
    put_in_force(tenant, 'permit(principal in Role::"security_officer", action == Action::"dataset.list", resource);')
    with acting(tenant, officer):
        assert may_list(officer)
