"""Access policies ask for consent: of the people in the records, or of how a dataset's records name them."""

import pytest

from access.errors import AccessDenied
from access.services.explain import explain
from access.services.inquiries import Asked
from compliance.consents.purposes import Terms, change_purpose
from datasets.errors.exports import ExportOutdated
from datasets.models import Dataset
from datasets.services.consent_links import Declared, declare_consent_link
from datasets.services.exports.download import open_passport
from datasets.services.read import read_records
from tests.access.policy.stored import put_in_force
from tests.access.policy.test_replays import differences, replayed
from tests.factories.access import acting, make_user, principal_with
from tests.factories.api import caller, send
from tests.factories.consents import agree, mail, rest_on_consent, withdraw
from tests.factories.datasets import PURPOSE, jsonl, make_dataset, someone, upload
from tests.factories.exports import contents, export
from tests.factories.leases import open_as
from tests.factories.pages import browser_of

#: Another purpose than the one that is stated.
OTHER = "model-training"
ASKS = (
    f'@consent("{OTHER}") permit(principal in Role::"data_steward", action in'
    ' [Action::"record.read", Action::"analytics.export"], resource is Dataset);'
)
ROWS = [{"id": name, "mail": f"{name}@example.com"} for name in ("ada", "bob", "eve")]


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(ROWS))
    return made


def read_as(tenant, dataset, role="data_steward"):
    release = open_as(tenant, dataset, someone(tenant, role))
    return [one.id for one in read_records(release)], release.take_withheld()


def declare(tenant, dataset, **said):
    officer = principal_with(tenant, "privacy_officer")
    with acting(tenant, officer):
        declare_consent_link(officer, dataset_id=dataset.pk, declared=Declared(**said))


def test_a_policy_asks_for_consent_to_a_purpose_beside_the_stated_one(tenant, dataset) -> None:
    agree(tenant, mail("ada@example.com"), purpose=OTHER)
    assert read_as(tenant, dataset) == (["ada", "bob", "eve"], {})
    put_in_force(tenant, ASKS)
    assert read_as(tenant, dataset) == (["ada"], {"records_withheld": {"consent": 2}})
    assert read_as(tenant, dataset, "data_scientist")[0] == ["ada", "bob", "eve"], "it is about stewards"
    withdraw(tenant, mail("ada@example.com"), purpose=OTHER)
    assert read_as(tenant, dataset) == ([], {"records_withheld": {"consent": 3}})


def test_where_the_stated_purpose_rests_on_consent_people_must_have_agreed_to_both(tenant, dataset) -> None:
    put_in_force(tenant, ASKS)
    rest_on_consent(tenant)
    for name, purpose in (("ada", OTHER), ("ada", PURPOSE), ("bob", PURPOSE), ("eve", OTHER)):
        agree(tenant, mail(f"{name}@example.com"), purpose=purpose)
    assert read_as(tenant, dataset) == (["ada"], {"records_withheld": {"consent": 2}})


def test_a_purpose_that_falls_out_of_use_closes_what_asks_for_consent_to_it(tenant, dataset) -> None:
    agree(tenant, mail("ada@example.com"), purpose=OTHER)
    put_in_force(tenant, ASKS)
    officer = principal_with(tenant, "privacy_officer")
    with acting(tenant, officer):
        change_purpose(officer, code=OTHER, terms=Terms(is_active=False))
    with pytest.raises(AccessDenied):
        read_as(tenant, dataset)


def test_an_export_under_such_a_policy_is_recalled_once_somebody_withdraws(tenant, dataset) -> None:
    put_in_force(tenant, ASKS)
    agree(tenant, mail("ada@example.com"), purpose=OTHER)
    steward = someone(tenant, "data_steward")
    made = export(tenant, dataset, principal=steward)
    written = contents(tenant, made)["export.jsonl"]
    assert (b"ada" in written, b"bob" in written) == (True, False)
    withdraw(tenant, mail("ada@example.com"), purpose=OTHER)
    with acting(tenant, steward), pytest.raises(ExportOutdated):
        open_passport(steward, made.pk)
    officer = caller(tenant, "privacy_officer", purpose="")
    (recall,) = send(officer, "GET", "/consents/exports-to-recall").json()["data"]
    assert (recall["id"], recall["purpose"]) == (str(made.pk), PURPOSE)


def test_evaluation_and_explanation_name_the_consent_that_is_asked_for(tenant, dataset) -> None:
    put_in_force(tenant, ASKS, "ask-people")
    officer = caller(tenant, "security_officer", purpose="")
    body = {
        "principal": {"id": "somebody", "roles": ["data_steward"]},
        "resource": {"dataset_id": str(dataset.pk)},
        "action": "record.read",
        "context": {"purpose": PURPOSE},
    }
    told = send(officer, "POST", "/policy/evaluate", body).json()
    assert told["decision"] == "ALLOW_WITH_CONDITIONS"
    assert {"type": "consent", "value": OTHER} in told["obligations"]
    asker, steward = principal_with(tenant, "security_officer"), make_user(tenant, "data_steward")
    asked = Asked(subject_id=str(steward.pk), action="record.read", resource_id=str(dataset.pk), purpose=PURPOSE)
    with acting(tenant, asker):
        why = explain(asker, asked=asked)
    assert "policy:ask-people@1" in why.policies
    assert ("resource.consent", "indexed") in why.attributes


def test_a_draft_is_replayed_by_how_datasets_name_people(tenant, dataset) -> None:
    declared = make_dataset(tenant)
    upload(tenant, declared, jsonl(ROWS))
    declare(tenant, declared, subject="/data/mail", subject_type="EMAIL_ADDRESS")
    for one in (dataset, declared):
        read_as(tenant, one)
    text = 'forbid(principal, action == Action::"record.read", resource) unless { resource.consent == "declared" };'
    lost = differences(tenant, replayed(tenant, text))["loses"]
    assert {resource for _, resource, _ in lost} == {str(dataset.pk)}


def test_a_policy_asks_how_records_name_people_and_lists_agree(tenant, dataset) -> None:
    put_in_force(
        tenant,
        'forbid(principal in Role::"data_steward", action in [Action::"dataset.read", Action::"record.read"], resource)'
        ' unless { resource.consent == "declared" };',
    )
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        assert not Dataset.objects.visible_to(steward).exists()
    declare(tenant, dataset, subject="/data/mail", subject_type="EMAIL_ADDRESS")
    with acting(tenant, steward):
        assert [one.pk for one in Dataset.objects.visible_to(steward)] == [dataset.pk]
    assert read_as(tenant, dataset)[0] == ["ada", "bob", "eve"]
    declare(tenant, dataset, subject="/data/mail", subject_type="EMAIL_ADDRESS", releases_unlinked=True)
    with acting(tenant, steward):
        assert not Dataset.objects.visible_to(steward).exists()


@pytest.mark.usefixtures("plain_static", "quick_passwords")
def test_the_form_of_policies_writes_what_asks_for_consent(tenant) -> None:
    browser = browser_of(tenant, "tenant_admin")
    page = "/admin/access-control/policies/"
    assert "Only records whose people agreed to" in browser.get(page).text
    form = {"name": "ask-people", "effect": "permit", "actions": ["record.read"], "consent": OTHER}
    shown = browser.post(page, form | {"do": "check", "from_hour": "0", "to_hour": "24"}).text
    assert f"@consent(&quot;{OTHER}&quot;)" in shown
