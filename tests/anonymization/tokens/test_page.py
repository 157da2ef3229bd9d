"""The page of the token vault."""

import pytest

from anonymization.models import TokenGeneration, TokenResealing, TokenSpace
from anonymization.services.tokens import TokenScope, detokenize_values, tokenize_values
from tests.factories.pages import browser_of, opened
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
PATH = "/admin/privacy/tokens/"


def test_an_empty_vault_says_so(tenant):
    answer, _ = opened(browser_of(tenant, "auditor"), PATH)
    assert answer.status_code == 200
    assert "No value was tokenized yet" in answer.content.decode()


def test_counters_are_shown_and_no_value(tenant, as_officer, officer, scope):
    tokens = as_officer(tokenize_values, scope, ["Ada Lovelace", "Grace Hopper"])
    as_officer(tokenize_values, TokenScope(), ["Ada Lovelace"])
    as_officer(detokenize_values, scope, [*tokens, "unknown"])
    answer, _ = opened(browser_of(tenant, "auditor"), PATH)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert str(scope.dataset_id) in text
    assert "The whole organization" in text
    assert str(officer.id) in text
    assert "Rotate the keys" not in text, "an auditor only looks"
    assert [secret for secret in ("Ada Lovelace", "Grace Hopper", *tokens) if secret in text] == []


def test_who_may_not_look_does_not(tenant):
    assert opened(browser_of(tenant, "data_scientist"), PATH)[0].status_code == 403


@pytest.mark.parametrize("act", ["rotate", "expire"])
def test_upkeep_is_confirmed_first(tenant, as_officer, scope, act):
    tokens = as_officer(tokenize_values, scope, ["Ada Lovelace"])
    space_id = as_officer(TokenSpace.objects.get).pk
    browser = browser_of(tenant, "privacy_officer")
    form = {"act": act, "space": str(space_id)}
    refused, _ = opened(browser, PATH, form, method="post")
    assert refused.status_code == 400
    assert "confirm that this cannot be undone" in refused.content.decode()
    assert as_officer(detokenize_values, scope, tokens) == ["Ada Lovelace"]
    answer, _ = opened(browser, PATH, form | {"confirmed": "yes"}, method="post")
    assert (answer.status_code, answer["Location"]) == (302, PATH)
    assert as_officer(TokenGeneration.objects.count) == (2 if act == "rotate" else 1)
    assert as_officer(TokenResealing.objects.count) == (1 if act == "rotate" else 0)
    assert as_officer(detokenize_values, scope, tokens) == (["Ada Lovelace"] if act == "rotate" else [None])
    assert opened(browser, PATH)[0].status_code == 200


def test_a_frequent_value_is_allowed_for_a_reason(tenant, as_officer, scope):
    as_officer(tokenize_values, scope, ["Ada Lovelace"])
    space_id = str(as_officer(TokenSpace.objects.get).pk)
    browser = browser_of(tenant, "data_steward")
    for reason in ("", "because ada.lovelace@example.org said so"):
        refused, _ = opened(browser, PATH, {"act": "allow", "space": space_id, "reason": reason}, method="post")
        assert refused.status_code in (400, 422)
    assert not as_officer(TokenSpace.objects.get).frequent_reason
    form = {"act": "allow", "space": space_id, "reason": "A synthetic set <b>"}
    assert opened(browser, PATH, form, method="post")[0].status_code == 302
    text = opened(browser, PATH)[0].content.decode()
    assert "A synthetic set &lt;b&gt;" in text
    assert opened(browser, PATH, {"act": "refuse", "space": space_id}, method="post")[0].status_code == 302
    assert not as_officer(TokenSpace.objects.get).frequent_reason


def test_what_is_no_action_is_refused(tenant, as_officer, scope):
    as_officer(tokenize_values, scope, ["Ada Lovelace"])
    browser = browser_of(tenant, "privacy_officer")
    for form in ({"act": "reveal"}, {"act": "rotate", "space": "x"}, {}):
        assert opened(browser, PATH, form, method="post")[0].status_code == 400
    steward = browser_of(tenant, "data_steward")
    space_id = str(as_officer(TokenSpace.objects.get).pk)
    form = {"act": "rotate", "space": space_id, "confirmed": "yes"}
    assert opened(steward, PATH, form, method="post")[0].status_code == 403
