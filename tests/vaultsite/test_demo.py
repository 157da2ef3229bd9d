"""The demo data and the report of one run."""

import json
from datetime import timedelta
from pathlib import Path
from stat import S_IMODE

import pytest
from django.core.management import CommandError, call_command

from access.models import (
    AccessPolicyVersion,
    AccessRequest,
    AccessReview,
    BreakGlass,
    Lease,
    PolicyReplay,
    Tenant,
    User,
)
from access.policy.builtin import ROLES
from access.selectors import find_tenant
from audit.models import Alert, AuditEvent
from compliance.models import (
    Consent,
    ConsentTask,
    ConsentWithdrawal,
    Incident,
    LegalHold,
    Party,
    ProbeRun,
    Report,
    RetentionNotice,
    SubjectMatch,
    SubjectRequest,
    SubjectSearch,
)
from datasets.models import Dataset, Ingest, ReleaseRules, Version
from datasets.services.datasets import create_dataset
from tests.factories.access import acting
from vaultsite.demo.credentials import Login, read_logins
from vaultsite.demo.people import ensure_tenant, ensure_users, principal_named
from vaultsite.demo.render import render
from vaultsite.demo.report import RunFailed, run_report
from vaultsite.demo.seed import DATASETS, TENANTS, Sample, seed_dataset
from vaultsite.demo.uploads import send_file
from vaultsite.kernel.tenancy.scope import tenant_scope

LINES = (
    {"id": "a", "text": "Write to ada.canary@example.com or ring (312) 555-0147 tomorrow."},
    {"id": "b", "text": "Nothing of interest here."},
    {"id": "c", "text": "Her address is grace.canary@example.com, as before."},
)
#: What a second start makes no more of.
TOLD = (
    *(AccessRequest, AccessReview, BreakGlass, PolicyReplay),
    *(Consent, Incident, LegalHold, Party, ProbeRun, Report, RetentionNotice, SubjectRequest, SubjectSearch),
)
PEOPLE = tuple(Login.generate("", role) for role in ("data_steward", "data_scientist"))


@pytest.fixture
def home(settings: object, tmp_path: Path) -> Path:
    """A VAULT_HOME that holds no credentials yet."""
    settings.VAULT_HOME = tmp_path
    return tmp_path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES), encoding="utf-8")
    return path


@pytest.fixture
def sample(tenant: Tenant, file: Path) -> Sample:
    ensure_users(tenant, PEOPLE, new=())
    return Sample(tenant.slug, "a sample", "Lines of text", "pii", str(file), ("sample",))


def stored(slug: str) -> tuple[object, ...]:
    """Everything a second start must leave as it is."""
    tenant = find_tenant(slug)
    with acting(tenant):
        return (
            tenant.pk,
            sorted(User.objects.values_list("pk", "username", "password")),
            sorted(Dataset.objects.values_list("pk", "name")),
            sorted(Version.objects.values_list("pk", "label", "record_count")),
            Ingest.objects.count(),
            sorted(AccessPolicyVersion.objects.values_list("pk", "state")),
            sorted(Lease.objects.values_list("pk", "rows_used")),
            *(kind.objects.count() for kind in TOLD),
        )


def silent(_: object, *__: object) -> None:
    """Nobody listens to the progress of a test."""


def test_seeding_makes_a_user_for_every_role_and_seeding_again_changes_nothing(home: Path) -> None:
    call_command("seed_demo")
    logins = read_logins(home / "credentials")
    before = [stored(slug) for slug, _ in TENANTS]
    call_command("seed_demo")

    assert {(login.organization, login.role) for login in logins} == {
        (slug, role) for slug, _ in TENANTS for role in ROLES
    }
    assert read_logins(home / "credentials") == logins
    assert S_IMODE((home / "credentials").stat().st_mode) == 0o600
    assert [stored(slug) for slug, _ in TENANTS] == before
    for slug, _ in TENANTS:
        with acting(find_tenant(slug)):
            names = set(Dataset.objects.filter(versions__isnull=False).values_list("name", flat=True))
            assert ReleaseRules.objects.filter(subject="/id").count() == len(names)
        assert names == {sample.name for sample in DATASETS if sample.tenant == slug}


def test_the_access_of_the_demo_has_a_story(home: Path) -> None:
    call_command("seed_demo")
    tenant = find_tenant("demo")
    with acting(tenant):
        versions = AccessPolicyVersion.objects.order_by("policy__name", "number")
        states = list(versions.values_list("policy__name", "state"))
        lease = Lease.objects.live().get()
        replay = PolicyReplay.objects.get()
        assert sorted(AccessRequest.objects.values_list("state", flat=True)) == ["approved", "pending", "refused"]
        assert [call.state for call in BreakGlass.objects.select_related("lease")] == ["over"]
        assert AccessReview.objects.get().items.filter(verdict="open").exists()
    assert states == [
        ("analysts-train-no-models", "active"),
        ("no-debugging-on-personal-data", "retired"),
        ("no-debugging-on-personal-data", "draft"),
        ("viewers-see-samples", "retired"),
        ("viewers-see-samples", "active"),
    ]
    assert (lease.rows_used, lease.row_quota) == (120, 200)
    assert (replay.status, replay.differing > 0) == ("succeeded", True)


def test_the_evidence_of_the_demo_is_of_things_that_happened(home: Path) -> None:
    """A policy was tried, a canary was read, and no event is older than the demo."""
    call_command("seed_demo")
    tenant = find_tenant("demo")
    with acting(tenant):
        assert Alert.objects.filter(kind="canary.released").count() == 1
        assert AuditEvent.objects.filter(type="data.policy.violation").count() >= 3
        first = AuditEvent.objects.order_by("time").values_list("time", flat=True)[0]
    assert first > tenant.created_at - timedelta(minutes=1)


def test_the_compliance_of_the_demo_has_a_story(home: Path) -> None:
    """Clocks run, two people agreed on a hold, something is announced, and evidence was made."""
    call_command("seed_demo")
    tenant = find_tenant("demo")
    with acting(tenant):
        requests = dict(SubjectRequest.objects.values_list("type", "state"))
        search = SubjectSearch.objects.get()
        matches = SubjectMatch.objects.filter(search=search).count()
        holds = sorted(hold.state for hold in LegalHold.objects.all())
        announced = RetentionNotice.objects.get()
        withdrawn = ConsentWithdrawal.objects.count()
        is_asked = ConsentTask.objects.filter(withdrawal__consent__purpose__code="product-research").exists()
        roles = set(Party.objects.values_list("role", flat=True))
        incident = Incident.objects.get(state="confirmed")
        reached = incident.scopes.get().result
        probes = ProbeRun.objects.get()
        reports = sorted(Report.objects.values_list("kind", "status"))
    assert requests == {"access": "review", "erasure": "received", "objection": "refused"}
    assert (search.status, matches >= 3) == ("succeeded", True)
    assert holds == ["confirmed", "placed"]
    assert (announced.state, announced.action) == ("announced", "archive")
    assert (withdrawn, is_asked) == (1, True)
    assert roles == {"controller", "dpo", "processor"}
    assert timedelta(hours=71) < incident.next_due_at - incident.aware_at <= timedelta(hours=72)
    assert incident.alert_id is not None
    assert reached["people"]["identifiers"] > 0
    assert (probes.status, probes.counts["passed"] > probes.counts["failed"] > 0) == ("succeeded", True)
    assert reports == [("data_inventory", "succeeded"), ("soc2_access", "succeeded")]


def test_every_login_of_the_file_opens(home: Path) -> None:
    call_command("seed_demo")
    login = read_logins(home / "credentials")[-1]
    with acting(find_tenant(login.organization)):
        user = User.objects.get(username=login.username)
        assert user.check_password(login.password)
        assert not user.must_change_password
        assert set(user.live_roles()) == {login.role}


def test_a_lost_credentials_file_gives_new_passwords(tenant: Tenant) -> None:
    ensure_users(tenant, PEOPLE, new=PEOPLE)
    again = [Login.generate("", login.role) for login in PEOPLE]
    assert ensure_users(tenant, again, new=again) == 0
    with acting(tenant):
        user = User.objects.get(username="data-steward")
        assert user.check_password(again[0].password)
        assert not user.check_password(PEOPLE[0].password)


def test_a_tenant_whose_making_was_cut_short_is_made_again(tenant: Tenant) -> None:
    slug = f"half-{tenant.pk.hex[-12:]}"
    half = Tenant.objects.using("owner").create(slug=slug, name="half made")
    whole = ensure_tenant(slug, "half made")
    assert whole.pk != half.pk
    assert ensure_users(whole, PEOPLE, new=PEOPLE) == len(PEOPLE)
    assert ensure_tenant(slug, "half made") == whole


@pytest.mark.parametrize("cut", ["before the upload", "before the worker"])
def test_seeding_continues_where_it_was_cut_short(tenant: Tenant, sample: Sample, cut: str) -> None:
    steward = principal_named(tenant, "data-steward")
    with tenant_scope(tenant.pk, steward):
        dataset = create_dataset(steward, facts=sample.facts())
    if cut == "before the worker":
        send_file(steward, dataset.pk, sample.blocks(), sample.options())

    seed_dataset(tenant, sample, silent)

    with acting(tenant):
        assert list(Version.objects.values_list("dataset", "record_count")) == [(dataset.pk, len(LINES))]
        assert Ingest.objects.get().status == "succeeded"


@pytest.mark.parametrize("command", ["seed_demo", "demo"])
def test_demo_data_is_refused_in_production(settings: object, home: Path, command: str) -> None:
    settings.VAULT = settings.VAULT | {"IS_PRODUCTION": True}
    with pytest.raises(CommandError, match="production"):
        call_command(command)
    assert list(home.iterdir()) == []


def test_the_report_shows_one_record_as_each_reader_may_see_it(file: Path) -> None:
    report = run_report(file, silent)
    text = render(report)
    steward, scientist, stranger = report.readings

    assert (report.version.record_count, report.input_bytes) == (len(LINES), file.stat().st_size)
    assert report.by_type["EMAIL_ADDRESS"] == 2
    assert "ada.canary@example.com" in steward.texts["/data/text"]
    assert "canary" not in scientist.texts["/data/text"]
    assert scientist.obligations == ("anonymize:mask",)
    assert (stranger.texts, stranger.error) == ({}, "404 VAULT_DATA_4001: No such dataset")
    assert bytes(report.version.digest).hex() in text
    assert "grace" not in text


def test_the_report_tells_the_audit_trail_of_its_run_alone(file: Path) -> None:
    run_report(file, silent)
    report = run_report(file, silent)
    told = [(line.actor, line.type, line.status) for line in report.audit]

    assert told.count(("data-steward", "data.created", "success")) == 1
    assert told.count(("system", "data.versioned", "success")) == 1
    assert told.count(("data-scientist", "data.access.read", "success")) == 2
    assert told[-1] == ("data-steward", "data.access.denied", "denied")


def test_a_file_without_personal_data_is_reported_too(tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    path.write_text("id,text\n1,nothing here\n", encoding="utf-8")
    report = run_report(path, silent)
    assert report.by_type.total() == 0
    assert f"Record {report.record_id} as each reader sees it" in render(report)


def test_a_bad_file_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"id": "a"}\n{"id": \n', encoding="utf-8")
    with pytest.raises(RunFailed, match=r"Line 2.*VAULT_DATA_\d{4}"):
        run_report(path, silent)
