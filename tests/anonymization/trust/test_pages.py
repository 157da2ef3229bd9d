"""Pages of the playground, the rules and the feedback."""

import pytest

from anonymization.models import DetectionCase, FieldEntry, ListEntry, ThresholdEntry
from anonymization.services.trust_rules import NewListEntry, add_list_entry
from tests.factories.access import acting, principal_with
from tests.factories.pages import browser_of, opened
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
RULES, TRIAGE, TRY = "/admin/privacy/detection/", "/admin/privacy/feedback/", "/admin/privacy/playground/"


def test_the_playground_explains_what_it_finds_and_shows_every_operator(tenant):
    browser = browser_of(tenant, "analyst")
    assert "Paste a text" in opened(browser, TRY)[0].content.decode()
    form = {"text": "<b>Mail</b> info@acme.example", "kind": "text", "strict": "1"}
    text = opened(browser, TRY, form, method="post")[0].content.decode()
    assert "<b>Mail</b>" not in text
    assert "&lt;b&gt;Mail&lt;/b&gt;" in text
    assert 'id="finding-1"' in text
    assert "[REDACTED]" in text
    assert "&lt;EMAIL_ADDRESS&gt;" in text
    assert "Under every preset policy" not in text
    stewards = opened(browser_of(tenant, "data_steward"), TRY, form, method="post")[0].content.decode()
    assert "HIPAA Safe Harbor" in stewards
    record = {"text": '{"info@acme.example": {"text": "call"}}', "kind": "record"}
    text = opened(browser, TRY, record, method="post")[0].content.decode()
    assert "(the name itself)" in text
    for wrong in ({"text": " ", "kind": "text"}, {"text": "{", "kind": "record"}, {"text": "[1]", "kind": "record"}):
        assert opened(browser, TRY, wrong, method="post")[0].status_code == 400
    assert opened(browser_of(tenant, "viewer"), TRY)[0].status_code == 403


def test_the_playground_tells_which_values_are_listed_to_nobody_who_may_not_read_the_lists(tenant):
    officer = principal_with(tenant, "privacy_officer")
    with acting(tenant, officer):
        for name, value in (("deny", "blue heron"), ("allow", "info@acme.example")):
            kind = "PERSON" if name == "deny" else "EMAIL_ADDRESS"
            entry = NewListEntry(list_name=name, kind="value", value=value, entity_type=kind, reason="tests")
            add_list_entry(officer, new=entry)
    form = {"text": "The blue heron and info@acme.example", "kind": "text"}
    told = opened(browser_of(tenant, "privacy_officer"), TRY, form, method="post")[0].content.decode()
    assert ("deny-list" in told, "&lt;PERSON&gt;" in told, "that does not count" in " ".join(told.split())) == (
        True,
    ) * 3
    hidden = opened(browser_of(tenant, "analyst"), TRY, form, method="post")[0].content.decode()
    assert "deny" not in hidden
    assert "&lt;PERSON&gt;" not in hidden
    assert "not count" not in hidden
    assert "Lists and rules of the organization are left out" in " ".join(hidden.split())


def test_rules_are_added_and_removed_on_their_page(tenant):
    browser = browser_of(tenant, "privacy_officer")
    assert "Every type counts from score 0.40 on." in opened(browser, RULES)[0].content.decode()
    forms = [
        {
            "do": "entry",
            "list": "allow",
            "kind": "value",
            "content": "Acme",
            "reason": "tests",
            "expires_on": "2199-01-01",
        },
        {"do": "entry", "list": "deny", "kind": "regex", "content": "EMP[0-9]+", "reason": "tests"},
        {"do": "field", "field": "/data/name", "decision": "type", "entity_type": "PERSON", "reason": "tests"},
        {"do": "threshold", "entity_type": "URL", "score": "0.7", "reason": "tests"},
    ]
    for form in forms:
        answer, _ = opened(browser, RULES, form, method="post")
        assert (answer.status_code, answer["Location"]) == (302, RULES), answer.content
    text = opened(browser, RULES)[0].content.decode()
    assert "/data/name" in text
    assert "EMP[0-9]" not in text
    for wrong in (
        forms[1] | {"content": "(?=x)"},
        forms[0] | {"dataset_id": "x"},
        forms[0] | {"expires_on": "soon"},
        forms[3] | {"score": "much"},
        {"do": "remove", "kind": "list", "id": "x"},
        {"do": "remove", "kind": "nothing"},
        {"do": "nothing"},
    ):
        assert opened(browser, RULES, wrong, method="post")[0].status_code == 400
    with acting(tenant):
        rows = [("list", row.pk) for row in ListEntry.objects.all()]
        rows += [("field", FieldEntry.objects.get().pk), ("threshold", ThresholdEntry.objects.get().pk)]
    reader = opened(browser_of(tenant, "auditor"), RULES)[0]
    assert reader.status_code == 200
    assert 'value="remove"' not in reader.content.decode()
    for kind, rule_id in rows:
        form = {"do": "remove", "kind": kind, "id": str(rule_id)}
        assert opened(browser, RULES, form, method="post")[0].status_code == 302
    assert "Nothing is allowed" in opened(browser, RULES)[0].content.decode()


def test_feedback_waits_in_triage_and_test_cases_are_run_there(tenant):
    browser = browser_of(tenant, "data_steward")
    assert "Nothing waits." in opened(browser, TRIAGE)[0].content.decode()
    assert opened(browser_of(tenant, "analyst"), TRIAGE)[0].status_code == 403
    assert opened(browser, f"{TRIAGE}?state=lost")[0].status_code == 400
    assert opened(browser, TRIAGE, {"do": "allow", "id": "x"}, method="post")[0].status_code == 400
    text = opened(browser, TRIAGE, {"do": "run"}, method="post")[0].content.decode()
    assert "all hold" in text
    with acting(tenant):
        assert not DetectionCase.objects.exists()
