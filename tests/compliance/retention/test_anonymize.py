"""Anonymize as an action of retention: begun, done by its own job, reported; refused where it must be."""

import re

import pytest
from django.utils import timezone

from compliance.models import NoticeState, RetentionNotice, RetentionStep
from compliance.retention.preview import preview
from datasets.models import Dataset, Erasure, FindingsBlob, Masking, Version
from datasets.services.erasure.work import run_erasure
from datasets.services.masking.work import run_masking
from tests.compliance.retention.test_precedence import acts, judge, keeps
from tests.compliance.retention.test_runs import events, outcomes
from tests.datasets.services.test_masking import ADA, texts
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.pages import browser_of
from tests.factories.retention import made_ago, make_policy, officer, run_now
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
ROW = {"id": "r0", "text": f"Write to {ADA}"}


@pytest.fixture
def dataset(tenant) -> Dataset:
    made = make_dataset(tenant)
    upload(tenant, made, jsonl([ROW, {"id": "r1", "text": "Nobody"}]))
    return made_ago(made, 400)


def work(tenant) -> None:
    """What workers do with what was begun."""
    for _ in range(2):
        with acting(tenant):
            maskings = list(Masking.objects.values_list("pk", flat=True))
            erasures = list(Erasure.objects.values_list("pk", flat=True))
        for masking in maskings:
            run_masking(tenant.pk, masking)
        for erasure in erasures:
            run_erasure(tenant.pk, erasure)
        for masking in maskings:
            run_masking(tenant.pk, masking)


def test_it_is_announced_begun_and_reported_with_counts(tenant, dataset) -> None:
    make_policy(tenant, action="anonymize")
    assert outcomes(tenant, run_now(tenant)) == {dataset.pk: ("announced", "")}
    assert outcomes(tenant, run_now(tenant)) == {dataset.pk: ("started", "")}
    assert outcomes(tenant, run_now(tenant)) == {dataset.pk: ("started", "")}
    with acting(tenant):
        assert Masking.objects.count() == 1
    work(tenant)
    done = run_now(tenant)
    assert (outcomes(tenant, done), done.counts) == ({dataset.pk: ("applied", "")}, {"applied:anonymize": 1})
    assert ADA not in repr(texts(tenant, dataset))
    (applied,) = events(tenant, "data.retention.applied")
    told = {name: applied["metadata"][name] for name in ("action", "masked", "erased", "versions")}
    assert told == {"action": "anonymize", "masked": 1, "erased": 1, "versions": 1}
    with acting(tenant):
        assert RetentionNotice.objects.get().state == NoticeState.APPLIED
    shown = send(caller(tenant, "auditor"), "GET", f"/retention/runs/{done.pk}/steps").json()["data"]
    counts = ("status", "masked_count", "version_count", "erased_count")
    assert [shown[0]["anonymized"][one] for one in counts] == ["succeeded", 1, 1, 1]
    page = browser_of(tenant, "privacy_officer").get(f"/admin/compliance/retention/runs/{done.pk}/").text
    assert "1 record masked in 1 new version, earlier content of 1 erased" in page


def test_a_dataset_is_asked_for_it_again_only_when_something_was_found_since(tenant, dataset) -> None:
    make_policy(tenant, action="anonymize")
    for _ in range(2):
        run_now(tenant)
    work(tenant)
    run_now(tenant)
    assert outcomes(tenant, run_now(tenant)) == {}
    upload(tenant, dataset, jsonl([{"id": "r2", "text": "Nobody either"}]))
    made_ago(dataset, 400)
    assert outcomes(tenant, run_now(tenant)) == {}
    with acting(tenant):
        assert Masking.objects.order_by("-id").first().reason == "nothing was found since"
    upload(tenant, dataset, jsonl([ROW]))
    made_ago(dataset, 400)
    assert outcomes(tenant, run_now(tenant)) == {dataset.pk: ("announced", "")}


def test_what_may_not_go_is_refused_with_the_reason_and_tried_again(tenant, dataset) -> None:
    make_policy(tenant, action="anonymize")
    run_now(tenant)
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=True)
    assert outcomes(tenant, run_now(tenant)) == {dataset.pk: ("refused", "VAULT_DATA_4006")}
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=False)
    assert outcomes(tenant, run_now(tenant)) == {dataset.pk: ("started", "")}


def test_what_nobody_has_looked_for_is_a_refused_line(tenant, dataset) -> None:
    make_policy(tenant, action="anonymize")
    run_now(tenant)
    FindingsBlob.objects.using("owner").filter(dataset_id=dataset.pk).delete()
    assert outcomes(tenant, run_now(tenant)) == {dataset.pk: ("refused", "VAULT_DATA_4010")}
    with acting(tenant):
        assert not Masking.objects.exists()


def test_what_failed_once_it_was_begun_is_told_by_the_next_run_which_begins_again(tenant, dataset) -> None:
    make_policy(tenant, action="anonymize")
    run_now(tenant)
    run_now(tenant)
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=True)
    work(tenant)
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=False)
    assert outcomes(tenant, run_now(tenant)) == {dataset.pk: ("refused", "VAULT_DATA_4006")}
    work(tenant)
    assert outcomes(tenant, run_now(tenant)) == {dataset.pk: ("applied", "")}


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ((acts(20, "anonymize"), keeps(100)), ("anonymize", 100)),
        ((acts(20, "anonymize"), acts(20, "archive")), ("anonymize", 20)),
        ((acts(20, "anonymize"), acts(20)), ("delete", 20)),
        ((acts(20, "anonymize"), acts(20, "crypto_shred")), ("crypto_shred", 20)),
        ((acts(20, "anonymize"), acts(30)), ("anonymize", 20)),
        ((acts(20, "anonymize"), acts(10, "archive")), ("archive", 10)),
    ],
)
def test_of_what_is_due_at_once_the_one_that_destroys_more_acts(tenant, policies, expected) -> None:
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([ROW]))
    assert judge(tenant, dataset, *policies) == expected


def test_what_is_to_be_deleted_by_now_is_not_anonymized_first(tenant, dataset) -> None:
    assert judge(tenant, dataset, acts(20, "anonymize"), acts(30))[0] == "delete"
    assert judge(tenant, dataset, acts(20, "anonymize"), acts(500))[0] == "anonymize"


def test_a_dataset_without_versions_has_nothing_to_anonymize(tenant) -> None:
    assert judge(tenant, make_dataset(tenant), acts(20, "anonymize")) == ("", None)


def test_a_version_that_anonymizes_is_no_ingest_that_periods_count_from(tenant, dataset) -> None:
    before = judge(tenant, dataset, acts(500, starts="ingest"))
    with acting(tenant):
        version = Version.objects.get(dataset=dataset)
        version.pk, version.kind, version.created_at = None, "mask", timezone.now()
        version.sequence, version.label, version.digest = 2, "v1.1.0", bytes(32)
        version.save(force_insert=True)
    assert judge(tenant, dataset, acts(500, starts="ingest")) == before


def test_the_preview_counts_findings(tenant, dataset) -> None:
    policy = make_policy(tenant, action="anonymize")
    with acting(tenant, officer(tenant)) as scope:
        (judgement,) = preview(scope.principal).judgements
    assert (judgement.action, judgement.findings) == ("anonymize", 1)
    asked = send(caller(tenant, "privacy_officer"), "POST", "/retention/preview", {"days": 0}).json()
    assert [(one["action"], one["findings"]) for one in asked["datasets"]] == [("anonymize", 1)]
    assert asked["acts"] == {"anonymize": 1}
    browser = browser_of(tenant, "privacy_officer")
    assert "Anonymize" in browser.get("/admin/compliance/retention/").text
    page = f"/admin/compliance/retention/policies/{policy.pk}/"
    assert "anonymize in place" in browser.get(page).text
    terms = {"name": policy.name, "legal_basis": policy.legal_basis, "starts": "created", "duration_days": "365"}
    tried = browser.post(page, {"do": "preview", **terms, "action": "anonymize", "grace_days": "0", "days": "0"}).text
    assert "is due to\n" in tried
    assert re.search(r"be anonymized in place.*Findings to replace.*v-number\">\s*1\s*<", tried, re.DOTALL)


def test_steps_of_runs_before_have_no_counts(tenant, dataset) -> None:
    make_policy(tenant)
    run = run_now(tenant)
    with acting(tenant):
        assert RetentionStep.objects.get(run=run).masking is None
    shown = send(caller(tenant, "auditor"), "GET", f"/retention/runs/{run.pk}/steps").json()["data"]
    assert [one["anonymized"] for one in shown] == [None]
