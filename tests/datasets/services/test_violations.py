"""A policy may put a dataset into quarantine when somebody tries what it forbids, who could have done it otherwise."""

import pytest

from access.errors import AccessDenied
from access.policy.errors import InvalidPolicyText
from access.services.inquiries import Asked, reply_to
from access.services.policies import check_policy, draft_policy
from audit.models import AuditEvent
from datasets.errors.quarantine import OwnQuarantine, VersionQuarantined
from datasets.models import VersionQuarantine
from datasets.services.read import open_release
from datasets.services.version_quarantine import release_version
from tests.access.policy.stored import put_in_force
from tests.factories.access import acting, principal_with
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, rows_of, someone, upload

READ = 'action == Action::"record.read"'
FORBID = f'@on_violation("quarantine") forbid(principal, {READ}, resource) when {{ context.purpose == "debugging" }};'


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    for seed in (1, 2):
        upload(tenant, made, jsonl(rows_of(3, seed=seed)), steward=someone(tenant, "ml_engineer"))
    return made


@pytest.fixture
def policy(tenant):
    return put_in_force(tenant, FORBID, name="no-debugging")


def read(tenant, dataset, reader, purpose="evaluation"):
    with acting(tenant, reader):
        return open_release(reader, dataset_id=dataset.pk, version="main", purpose=purpose)


def violate(tenant, dataset, reader):
    with pytest.raises(AccessDenied):
        read(tenant, dataset, reader, purpose="debugging")


def kept_back(tenant, dataset):
    with acting(tenant):
        return list(VersionQuarantine.objects.filter(dataset=dataset, released_at=None).order_by("version__sequence"))


@pytest.mark.usefixtures("policy")
def test_every_version_is_kept_from_everybody_and_it_is_said_who_and_why(tenant, dataset):
    reader = someone(tenant, "data_scientist")
    read(tenant, dataset, reader)
    violate(tenant, dataset, reader)
    placed = kept_back(tenant, dataset)
    assert [(one.cause, one.placed_by, one.reason) for one in placed] == [
        ("violation", reader.id, "access policy:no-debugging@1")
    ] * 2
    with pytest.raises(VersionQuarantined):
        read(tenant, dataset, someone(tenant, "data_steward"))
    with acting(tenant):
        told = list(AuditEvent.objects.filter(dataset_id=dataset.pk).order_by("time").values_list("type", flat=True))
    assert told.count("data.access.denied") == 1
    assert told.count("data.policy.violation") == 1
    assert sum("quarantine" in kind for kind in told) == 2


@pytest.mark.usefixtures("policy")
def test_a_second_violation_changes_nothing(tenant, dataset):
    for _ in range(2):
        violate(tenant, dataset, someone(tenant, "data_scientist"))
    assert len(kept_back(tenant, dataset)) == 2


@pytest.mark.usefixtures("policy")
def test_who_could_not_have_done_it_anyway_takes_a_dataset_from_nobody(tenant, dataset):
    violate(tenant, dataset, someone(tenant, "viewer"))
    assert kept_back(tenant, dataset) == []


@pytest.mark.usefixtures("policy")
def test_who_only_asks_how_it_would_be_decided_violates_nothing(tenant, dataset):
    officer = principal_with(tenant, "security_officer")
    asked = Asked("x", "read", roles=("data_scientist",), resource_id=str(dataset.pk), purpose="debugging")
    with acting(tenant, officer):
        assert not reply_to(asked).is_allowed
    assert kept_back(tenant, dataset) == []


def test_a_forbid_that_does_not_say_so_puts_nothing_into_quarantine(tenant, dataset):
    put_in_force(tenant, FORBID.removeprefix('@on_violation("quarantine") '))
    violate(tenant, dataset, someone(tenant, "data_scientist"))
    assert kept_back(tenant, dataset) == []


@pytest.mark.usefixtures("policy")
def test_the_rest_api_puts_into_quarantine_as_well(tenant, dataset):
    client = caller(tenant, "data_scientist", purpose="debugging")
    assert send(client, "GET", f"/datasets/{dataset.pk}/versions/main/records").status_code == 403
    assert len(kept_back(tenant, dataset)) == 2


@pytest.mark.usefixtures("policy")
def test_it_ends_by_somebody_else_than_who_violated_the_policy(tenant, dataset):
    violator, reviewer = someone(tenant, "data_steward"), someone(tenant, "privacy_officer")
    violate(tenant, dataset, violator)
    with pytest.raises(OwnQuarantine), acting(tenant, violator):
        release_version(violator, dataset_id=dataset.pk, version="main", reason="nothing happened")
    for version in ("1", "2"):
        with acting(tenant, reviewer):
            release_version(reviewer, dataset_id=dataset.pk, version=version, reason="looked at it")
    assert read(tenant, dataset, violator).version.sequence == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (FORBID.replace("quarantine", "shred"), "on_violation"),
        (f'@on_violation("quarantine") permit(principal, {READ}, resource);', "for what forbids"),
        ('@on_violation("quarantine") forbid(principal, action == Action::"user.read", resource);', "about one"),
    ],
)
def test_a_reaction_that_nothing_comes_of_is_not_saved(tenant, text, says):
    admin = principal_with(tenant, "tenant_admin")
    with acting(tenant, admin):
        assert any(says in problem.detail for problem in check_policy(admin, text=text).problems)
    with acting(tenant, admin), pytest.raises(InvalidPolicyText):
        draft_policy(admin, name="idle", text=text)
