"""What somebody who reads no raw record tries in order to learn one person's value from tables and the ledger."""

import pytest

from anonymization.guarantees.guarantee import Diversity, DiversityKind, Guarantee
from anonymization.models import Release
from anonymization.services.releases import live_releases
from datasets.query import parse_filter
from datasets.services.families import family_of
from datasets.services.guaranteed.options import Column, HierarchyKind, HierarchyPlan, Role
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.guaranteed import COLUMNS, declare_rules, guaranteed, people, queue_guaranteed
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.jobs import JobStatus

ROWS = people(120)


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(ROWS))
    return made


@pytest.fixture
def declared(tenant, dataset):
    declare_rules(tenant, dataset, subject="person", sensitive=("spent",), minimum_k=5)
    return dataset


def refused(tenant, dataset, **given):
    """The refusal of what an analyst asks for, and the members it names."""
    with pytest.raises(VaultError) as refusal:
        queue_guaranteed(tenant, dataset, **({"role": "analyst", "guarantee": Guarantee(5)} | given))
    return refusal.value.code, [problem.field for problem in refusal.value.errors]


def test_a_hierarchy_of_the_askers_own_is_no_oracle(tenant, declared):
    """Every unknown value under ``*``: whether the label is another tells whether the value is the guessed one."""
    guess = HierarchyPlan(HierarchyKind.TABLE, table="nurse;nurse;*\n" + "".join(f"{job};*;*\n" for job in ("clerk",)))
    columns = (COLUMNS[0], COLUMNS[1], Column("job", Role.QUASI, hierarchy=guess), COLUMNS[3])
    assert refused(tenant, declared, columns=columns) == ("VAULT_DATA_4707", ["/columns/2/hierarchy"])


@pytest.mark.parametrize("subject", [(Column("note", Role.SUBJECT),), (Column("id", Role.SUBJECT),)])
def test_another_subject_than_the_declared_one_is_refused(tenant, declared, subject):
    assert refused(tenant, declared, columns=(*subject, *COLUMNS[1:]))[0] == "VAULT_DATA_4707"


def test_without_a_declaration_there_is_no_table(tenant, dataset):
    assert refused(tenant, dataset)[0] == "VAULT_DATA_4706"


def test_k_below_the_minimum_is_refused(tenant, declared):
    assert refused(tenant, declared, guarantee=Guarantee(4)) == ("VAULT_DATA_4707", ["/anonymization/k"])


@pytest.mark.parametrize("wanted", ["id = 'r00001x0'", "person = 'P00001'", "NOT id in ('r00001x0')"])
def test_no_filter_names_a_record_or_a_person(tenant, declared, wanted):
    assert refused(tenant, declared, filter=parse_filter(wanted)) == ("VAULT_DATA_4707", ["/filter"])


def test_the_figures_of_the_raw_data_stay(tenant, declared):
    mine = guaranteed(tenant, declared, role="analyst", guarantee=Guarantee(5, suppression=0.3))
    assert mine.status == JobStatus.SUCCEEDED, mine.error
    assert set(mine.risk) == {"after"}


def test_the_ledger_holds_every_sensitive_column_to_l(tenant):
    """Two tables of the same people: the second, split by another column, leaves one value of the second column."""
    made = make_dataset(tenant)
    rows = [
        {"id": f"r{n}", "person": f"P{n}", "age": 30, "side": "east" if n < 10 else "west", "hue": n % 4,
         "ill": "flu" if n < 10 else "cold"}
        for n in range(20)
    ]  # fmt: skip
    upload(tenant, made, jsonl(rows))
    secrets = (Column("hue", Role.SENSITIVE), Column("ill", Role.SENSITIVE))
    wanted = Guarantee(5, Diversity(DiversityKind.DISTINCT, 2))
    first = guaranteed(
        tenant, made, columns=(COLUMNS[0], Column("age", Role.QUASI), *secrets), guarantee=wanted
    )  # fmt: skip
    assert first.status == JobStatus.SUCCEEDED, first.error
    second = guaranteed(tenant, made, columns=(COLUMNS[0], Column("side", Role.QUASI)), guarantee=Guarantee(5))
    assert (second.status, second.error_code) == (JobStatus.FAILED, "VAULT_ANON_6090")
    assert second.error["guarantee"] == "l"


def test_a_release_stays_in_the_ledger_when_its_time_is_over(tenant, dataset):
    first = guaranteed(tenant, dataset, retention_days=1)
    assert first.status == JobStatus.SUCCEEDED
    Release._base_manager.using("owner").filter(pk=first.release_id).update(expires_at="2026-01-01T00:00:00Z")
    with acting(tenant):
        assert live_releases(family_of(dataset.pk)).filter(pk=first.release_id).exists()
