"""For a purpose that rests on consent, records of people who have not agreed do not exist, and are counted."""

from datetime import timedelta

import orjson
import pytest
from django.urls import reverse
from django.utils import timezone

from access.services.policies_in_force import policies_in_force
from anonymization.guarantees.guarantee import Guarantee
from audit.models import AuditEvent
from compliance.consents.people import Identifier
from datasets.errors import RecordNotFound, UnmetObligation
from datasets.errors.exports import ExportOutdated
from datasets.models import ConsentLink
from datasets.services import consent as consent_module
from datasets.services.consent_links import Declared, declare_consent_link
from datasets.services.diff import count_changes, open_comparison, shown_changes
from datasets.services.exports.download import make_address, open_passport
from datasets.services.families import family_of
from datasets.services.merges.conflicts import open_conflicts
from datasets.services.read import read_record, read_records, stream_data
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.consents import agree, mail, rest_on_consent, withdraw
from tests.factories.datasets import jsonl, make_dataset, someone, upload
from tests.factories.drafts import make_draft, put, read_draft
from tests.factories.exports import contents, export, reload_export
from tests.factories.guaranteed import declare_rules, guaranteed, people, table
from tests.factories.leases import open_as
from tests.factories.merges import merged, parted
from tests.factories.pages import browser_of
from vaultsite.kernel.tenancy.principal import RequestFacts
from vaultsite.kernel.tenancy.scope import tenant_scope

ROWS = [{"id": f"r{n:03d}", "n": n, "mail": f"a{n}@example.com"} for n in range(20)]
NOBODY = {"id": "s000", "n": 100, "text": "names nobody"}
#: Those who agree.
AGREED = [row for row in ROWS if row["n"] % 4 == 0]
IDS = [row["id"] for row in AGREED]


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl([*ROWS, NOBODY]))
    rest_on_consent(tenant)
    for row in AGREED:
        agree(tenant, mail(row["mail"]))
    return made


def ids_of(tenant, dataset, role="data_steward"):
    return [one.id for one in read_records(open_as(tenant, dataset, someone(tenant, role)))]


@pytest.mark.parametrize("role", ["data_steward", "data_scientist", "analyst", "privacy_officer"])
def test_pages_streams_and_single_records_have_none_of_the_others(tenant, dataset, role):
    reader = someone(tenant, role)
    release = open_as(tenant, dataset, reader)
    assert [record.id for record in read_records(release)] == IDS
    assert release.take_withheld() == {"records_withheld": {"consent": len(ROWS) + 1 - len(IDS)}}
    lines = [orjson.loads(line) for line in stream_data(open_as(tenant, dataset, reader), reader, RequestFacts())]
    assert [line["n"] for line in lines] == [row["n"] for row in AGREED]
    assert read_record(release, "r004").id == "r004"
    for hidden in ("r001", "s000"):
        with pytest.raises(RecordNotFound):
            read_record(release, hidden)


def test_other_purposes_show_every_record(tenant, dataset):
    answer = send(
        caller(tenant, "data_steward", purpose="analytics"), "GET", f"/datasets/{dataset.pk}/versions/main/records"
    )
    assert len(answer.json()["data"]) == len(ROWS) + 1
    assert "records_withheld" not in answer.json()


def test_pages_of_the_api_say_how_many_were_left_out_and_together_all_of_them(tenant, dataset):
    client = caller(tenant, "data_scientist")
    path, seen, withheld = f"/datasets/{dataset.pk}/versions/main/records?limit=2", [], 0
    cursor = ""
    while True:
        answer = send(client, "GET", path + cursor).json()
        seen += [one["id"] for one in answer["data"]]
        withheld += answer["records_withheld"]["consent"]
        if answer["pagination"]["next_cursor"] is None:
            break
        cursor = f"&cursor={answer['pagination']['next_cursor']}"
    assert (seen, withheld) == (IDS, len(ROWS) + 1 - len(IDS))
    with acting(tenant):
        told = AuditEvent.objects.filter(type="data.access.completed").values_list("body", flat=True)
        counts = [orjson.loads(bytes(body))["metadata"]["records_withheld"]["consent"] for body in told]
    assert sum(counts) == withheld


def test_a_single_record_without_consent_is_answered_as_one_that_never_was(tenant, dataset):
    client = caller(tenant, "data_steward")
    hidden, never = (
        send(client, "GET", f"/datasets/{dataset.pk}/versions/main/records/{one}") for one in ("r001", "zzz")
    )
    assert hidden.status_code == never.status_code == 404
    assert hidden.json()["code"] == never.json()["code"]


def test_a_stream_says_that_it_withholds_and_the_audit_how_many(tenant, dataset):
    answer = send(caller(tenant, "data_steward"), "GET", f"/datasets/{dataset.pk}/data")
    assert answer["X-Vault-Withholds"] == "consent"
    assert len(b"".join(answer.streaming_content).splitlines()) == len(IDS)
    with acting(tenant):
        (body,) = AuditEvent.objects.filter(type="data.access.completed").values_list("body", flat=True)
    assert orjson.loads(bytes(body))["metadata"]["records_withheld"] == {"consent": len(ROWS) + 1 - len(IDS)}


def test_a_filter_learns_nothing_of_those_left_out(tenant, dataset):
    client = caller(tenant, "data_steward")
    counts = [
        send(client, "POST", f"/datasets/{dataset.pk}/query", {"filter": asked}).json()["records_withheld"]
        for asked in ("n = 1", "n = 1000")
    ]
    assert counts[0] == counts[1] == {"consent": len(ROWS) + 1 - len(IDS)}
    total = send(client, "POST", f"/datasets/{dataset.pk}/query", {"aggregate": "count"}).json()
    assert total["data"][0]["values"]["count"] == len(IDS)
    assert total["scanned"]["records"] == len(IDS)
    assert total["scanned"]["pruned_chunks"] == 0


def test_a_withdrawal_counts_at_once_in_an_open_release_too(tenant, dataset, monkeypatch):
    release = open_as(tenant, dataset, someone(tenant, "data_steward"))
    shown = read_records(release)
    assert next(shown).id == "r000"
    withdraw(tenant, mail("a4@example.com"))
    monkeypatch.setattr(consent_module, "FRESH_SECONDS", 0.0)
    assert [record.id for record in shown] == IDS[2:]
    assert ids_of(tenant, dataset) == [one for one in IDS if one != "r004"]


def test_a_consent_ends_by_the_clock_of_the_database(tenant, dataset):
    agree(
        tenant,
        mail("a1@example.com"),
        given_at=timezone.now() - timedelta(days=2),
        expires_at=timezone.now() - timedelta(days=1),
    )
    agree(tenant, mail("a2@example.com"), expires_at=timezone.now() + timedelta(hours=1))
    assert ids_of(tenant, dataset)[:3] == ["r000", "r002", "r004"]


def test_everybody_a_record_names_must_have_agreed(tenant):
    dataset = make_dataset(tenant)
    both = {"id": "both", "text": "from ada@example.com to bob@example.com"}
    upload(tenant, dataset, jsonl([both, {"id": "one", "text": "from ada@example.com"}]))
    rest_on_consent(tenant)
    agree(tenant, mail("Ada@Example.com"))
    assert ids_of(tenant, dataset) == ["one"]
    agree(tenant, mail("bob@example.com"))
    assert ids_of(tenant, dataset) == ["both", "one"]


def test_what_another_version_of_a_record_names_does_not_count(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a", "text": "ada@example.com"}]))
    upload(tenant, dataset, jsonl([{"id": "a", "text": "bob@example.com"}]))
    rest_on_consent(tenant)
    agree(tenant, mail("bob@example.com"))
    assert ids_of(tenant, dataset) == ["a"]
    reader = someone(tenant, "data_steward")
    with acting(tenant, reader):
        compared = open_comparison(reader, dataset_id=dataset.pk, before="v1.0.0", after="v1.1.0")
    assert [(change.id, change.kind) for change in shown_changes(compared)] == [("a", "added")]
    assert count_changes(compared) == {"added": 1, "removed": 0, "modified": 0, "erased": 0}


def test_a_declared_field_says_whom_a_record_is_about(tenant):
    dataset = make_dataset(tenant)
    rows = [{"id": f"c{n}", "customer": f"K-{n}", "text": "mentions ada@example.com"} for n in range(4)]
    upload(tenant, dataset, jsonl([*rows, {"id": "c9", "text": "about nobody"}]))
    rest_on_consent(tenant)
    with acting(tenant):
        link = ConsentLink.objects.create(
            dataset=dataset, subject="/data/customer", subject_type="CUSTOMER", declared_by=dataset.pk
        )
    agree(tenant, Identifier("CUSTOMER", "k 2"))
    assert ids_of(tenant, dataset) == ["c2"]
    with acting(tenant):
        ConsentLink.objects.filter(pk=link.pk).update(releases_unlinked=True)
    assert ids_of(tenant, dataset) == ["c2", "c9"]


def test_a_declared_field_that_does_not_hold_one_identifier_is_not_taken_for_nobody(tenant):
    dataset = make_dataset(tenant)
    named = {
        "all": ["K-1", 2],
        "some": ["K-1", "K-9"],
        "object": {"id": "K-1"},
        "truth": True,
        "nested": [["K-1"]],
        "none": [],
        "null": None,
        "blank": "",
    }
    upload(tenant, dataset, jsonl([{"id": name, "customer": value} for name, value in named.items()]))
    rest_on_consent(tenant)
    for value in ("K-1", "2"):
        agree(tenant, Identifier("CUSTOMER", value))
    with acting(tenant):
        declared = {"subject": "/data/customer", "subject_type": "CUSTOMER", "releases_unlinked": True}
        ConsentLink.objects.create(dataset=dataset, declared_by=dataset.pk, **declared)
    assert ids_of(tenant, dataset) == ["all", "blank", "none", "null"]


def test_a_draft_shows_staged_records_by_the_same_rule(tenant, dataset):
    draft = make_draft(tenant, dataset)
    staged = [
        {"id": "r000", "data": {"mail": "a1@example.com"}},
        {"id": "r001", "data": {"mail": "a0@example.com"}},
        {"id": "t1", "data": {"text": "nobody"}},
    ]
    put(tenant, draft, staged)
    assert [record.id for record in read_draft(tenant, draft)] == ["r001", *IDS[1:]]


def test_who_may_not_see_every_record_chooses_between_none(tenant):
    base = [{"id": "a", "mail": "ada@example.com", "n": 0}]
    merge = merged(tenant, parted(tenant, base, [base[0] | {"n": 1}], [base[0] | {"n": 2}]))
    rest_on_consent(tenant)
    steward = someone(tenant, "data_steward")
    with pytest.raises(UnmetObligation), tenant_scope(tenant.pk, steward):
        open_conflicts(steward, merge_id=merge.pk)


@pytest.mark.parametrize("role", ["data_steward", "data_scientist"])
def test_an_export_has_those_who_agreed_its_passport_counts_the_others_and_a_withdrawal_keeps_it_in(
    tenant, dataset, role
):
    asker = someone(tenant, role)
    done = export(tenant, dataset, principal=asker)
    rows = [orjson.loads(line) for line in contents(tenant, done)["export.jsonl"].splitlines()]
    assert sorted(row["n"] for row in rows) == [row["n"] for row in AGREED]
    assert reload_export(tenant, done).progress["records_withheld"] == {"consent": len(ROWS) + 1 - len(IDS)}
    with acting(tenant, asker):
        _, said = open_passport(asker, done.pk)
        assert said["decision"]["records_withheld"] == {"consent": len(ROWS) + 1 - len(IDS)}
        assert make_address(asker, done.pk).name
    withdraw(tenant, mail("a0@example.com"))
    with acting(tenant, asker), pytest.raises(ExportOutdated):
        make_address(asker, done.pk)


def test_a_table_under_a_guarantee_is_made_of_those_who_agreed(tenant):
    dataset = make_dataset(tenant)
    rows = people(120)
    upload(tenant, dataset, jsonl(rows))
    declare_rules(tenant, dataset)
    rest_on_consent(tenant)
    for number in range(60):
        agree(tenant, mail(f"ada{number}@example.com"))
    done = guaranteed(tenant, dataset, guarantee=Guarantee(2, suppression=0.5))
    assert 0 < len(table(tenant, done)) <= 60


def test_statistics_are_about_those_who_agreed_and_answered_anew_after_a_withdrawal(tenant, dataset):
    declare_rules(tenant, dataset, subject="mail", sensitive=())
    with acting(tenant):
        family = family_of(dataset.pk)
    loss = {"epsilon": "1000", "delta": "0.0001"}
    budget = {"total": loss, "recipient": loss, "reason": "a study"}
    assert send(caller(tenant, "privacy_officer"), "PUT", f"/privacy/budgets/{family}", budget).status_code == 200
    client = caller(tenant, "data_steward")
    body = {"subject": "mail", "queries": [{"type": "count", "epsilon": "50"}]}
    answers = [send(client, "POST", f"/datasets/{dataset.pk}/statistics", body).json() for _ in range(2)]
    assert answers[0]["results"] == answers[1]["results"]
    assert round(answers[0]["results"][0]["value"]) == len(IDS)
    assert answers[0]["privacy"]["left_out"] == "records without consent"
    withdraw(tenant, mail("a0@example.com"))
    after = send(client, "POST", f"/datasets/{dataset.pk}/statistics", body).json()
    assert round(after["results"][0]["value"]) == len(IDS) - 1


def test_statistics_are_answered_anew_once_records_are_said_to_name_people_otherwise(tenant, dataset):
    declare_rules(tenant, dataset, subject="mail", sensitive=())
    with acting(tenant):
        family = family_of(dataset.pk)
    loss = {"epsilon": "1000", "delta": "0.0001"}
    budget = {"total": loss, "recipient": loss, "reason": "a study"}
    assert send(caller(tenant, "privacy_officer"), "PUT", f"/privacy/budgets/{family}", budget).status_code == 200
    client = caller(tenant, "data_steward")
    body = {"subject": "mail", "queries": [{"type": "count", "epsilon": "50"}]}
    before = send(client, "POST", f"/datasets/{dataset.pk}/statistics", body).json()
    assert round(before["results"][0]["value"]) == len(IDS)
    declare_link(tenant, dataset)
    after = send(client, "POST", f"/datasets/{dataset.pk}/statistics", body).json()
    assert round(after["results"][0]["value"]) == 0


def test_an_export_made_before_records_were_said_to_name_people_otherwise_is_kept_in(tenant, dataset):
    asker = someone(tenant, "data_steward")
    done = export(tenant, dataset, principal=asker)
    declare_link(tenant, dataset)
    with acting(tenant, asker), pytest.raises(ExportOutdated):
        make_address(asker, done.pk)
    later = export(tenant, dataset, principal=asker)
    with acting(tenant, asker):
        assert make_address(asker, later.pk).name


def declare_link(tenant, dataset):
    """By a field of which nobody has agreed."""
    declared = Declared("/data/n", "CUSTOMER")
    officer = someone(tenant, "privacy_officer")
    with acting(tenant, officer):
        declare_consent_link(officer, dataset_id=dataset.pk, declared=declared)


def test_a_page_of_records_asks_once_for_all_of_them(tenant, dataset, monkeypatch):
    monkeypatch.setattr(consent_module, "FRESH_SECONDS", 3600.0)
    release = open_as(tenant, dataset, someone(tenant, "data_steward"))
    asked = []
    look = consent_module.ConsentGate._look

    def counted(self, *args):
        asked.append(1)
        return look(self, *args)

    monkeypatch.setattr(consent_module.ConsentGate, "_look", counted)
    list(read_records(release))
    assert len(asked) == 1


def test_the_page_of_the_browser_says_how_many_are_left_out(tenant, dataset, plain_static):
    text = (
        browser_of(tenant, "data_steward", purpose="evaluation")
        .get(reverse("admin:datasets_records", args=[dataset.pk]) + "?purpose=evaluation")
        .content.decode()
    )
    assert "are left out" in text


def test_a_purpose_whose_basis_is_consent_is_known_to_decisions_at_once(tenant):
    with acting(tenant):
        assert policies_in_force().consent_purposes == frozenset()
    rest_on_consent(tenant)
    with acting(tenant):
        assert policies_in_force().consent_purposes == {"evaluation"}
