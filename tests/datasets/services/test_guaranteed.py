"""Rules of exports under a guarantee: what leaves, what never does, and what a recipient can make of several."""

import json
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import timedelta

import pytest
from django.utils import timezone

from anonymization.guarantees.guarantee import Diversity, DiversityKind, Guarantee
from anonymization.guarantees.methods import Method
from anonymization.models import Release
from anonymization.privacy.errors import OwnRelease
from anonymization.services.releases import withdraw_release
from audit.models import AuditEvent
from datasets.errors.quarantine import VersionQuarantined
from datasets.models import Blob, BlobState, Dataset, ExportFormat, GuaranteedExport
from datasets.passport import verify
from datasets.query import parse_filter
from datasets.services.exports.removal import remove_exports
from datasets.services.guaranteed.download import make_address
from datasets.services.guaranteed.expiry import expire_guaranteed_exports
from datasets.services.guaranteed.options import Column, Role, TimeRange, Transformation
from datasets.services.guaranteed.request import report_deletion
from datasets.services.guaranteed.run import run_guaranteed_export
from datasets.services.keys import load_keys
from datasets.services.schemas import NewSchema, add_schema
from datasets.services.version_quarantine import quarantine_version
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, someone, upload
from tests.factories.exports import saved
from tests.factories.guaranteed import (
    COLUMNS,
    contents,
    declare_rules,
    guaranteed,
    people,
    queue_guaranteed,
    reload_guaranteed,
    table,
)
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.scope import tenant_scope

ROWS = people(120)


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(ROWS))
    return made


def declare(tenant, dataset, name, kind):
    """A schema that calls a field personal."""
    document = {"type": "object", "properties": {name: {"x-pii-type": kind, "x-pii-strategy": "redact"}}}
    steward = someone(tenant, "data_steward")
    with tenant_scope(tenant.pk, steward):
        add_schema(steward, dataset_id=dataset.pk, new=NewSchema(document))


def classes(rows, quasi=("age", "job")):
    found = defaultdict(list)
    for row in rows:
        found[tuple(row[name] for name in quasi)].append(row)
    return found


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_every_class_of_every_format_and_method_holds_k(tenant, dataset, kind, method):
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    done = guaranteed(
        tenant, dataset, format=ExportFormat(kind), method=method, guarantee=Guarantee(4, suppression=0.3)
    )
    assert (done.status, done.error) == (JobStatus.SUCCEEDED, None)
    rows = table(tenant, done)
    assert rows
    assert set(rows[0]) == {"row_id", "age", "job", "spent"}
    assert min(map(len, classes(rows).values())) >= 4
    assert done.record_count == len(rows)
    assert len(rows) >= 84
    assert len({row["row_id"] for row in rows}) == len(rows)
    assert done.attained["k"] >= 4


def test_what_is_not_declared_and_what_names_people_stays(tenant, dataset):
    columns = (*COLUMNS, Column("id", Role.IDENTIFIER), Column("note", Role.TEXT))
    done = guaranteed(tenant, dataset, columns=columns)
    text = b"".join(contents(tenant, done).values()).decode()
    assert "example.com" not in text
    assert "r00001" not in text
    assert "P00001" not in text
    assert set(table(tenant, done)[0]) == {"row_id", "age", "job", "spent"}
    assert (done.seed, done.request) == (None, None)


def test_people_are_counted_and_not_their_rows(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(people(30, each=3)))
    done = guaranteed(tenant, made, guarantee=Guarantee(4))
    whose = {row["id"][:6]: row["person"] for row in people(30, each=3)}
    assert len(whose) == 30
    # Three rows of each person look alike: a class of k people has 3k rows.
    assert min(map(len, classes(table(tenant, done)).values())) >= 12


def test_a_release_without_subjects_is_labelled_per_row(tenant, dataset):
    done = guaranteed(tenant, dataset, columns=COLUMNS[1:])
    assert done.guarantee["technique"] == "k-anonymity per row"
    assert done.guarantee["counts"] == "rows"


def test_free_text_carries_no_k_label_and_loses_its_findings(tenant, dataset):
    text = Column("note", Role.TEXT, Transformation.REDACT)
    done = guaranteed(tenant, dataset, columns=(*COLUMNS, text))
    assert done.guarantee["technique"] == "redaction"
    assert done.guarantee["not_covered"] == ["note"]
    assert all("example.com" not in row["note"] and row["note"].startswith("asked by") for row in table(tenant, done))


def test_findings_in_released_values_are_cut_out_and_texts_among_values_withheld(tenant):
    made = make_dataset(tenant)
    rows = [
        row | {"spent": f"ada{number}@example.com" if number % 2 else "the weather was fine and " * 6}
        for number, row in enumerate(ROWS)
    ]
    upload(tenant, made, jsonl(rows))
    done = guaranteed(tenant, made, columns=(*COLUMNS[:3], Column("spent", Role.SENSITIVE)))
    got = {row["spent"] for row in table(tenant, done)}
    assert None in got
    assert not any(value and ("example.com" in value or "weather" in value) for value in got)
    assert done.counts["withheld_values"] == 60
    assert done.counts["redacted_values"] == 60


def test_moments_are_cut_to_the_day_and_pseudonyms_differ_between_exports(tenant, dataset):
    columns = (
        Column("person", Role.SUBJECT, Transformation.PSEUDONYMIZE),
        *COLUMNS[1:3],
        Column("at", Role.INSENSITIVE, Transformation.TRUNCATE, precision="day"),
    )
    one, other = (table(tenant, guaranteed(tenant, dataset, columns=columns)) for _ in range(2))
    assert {len(row["at"]) for row in one} == {10}
    assert not {row["person"] for row in one} & {row["person"] for row in other}
    assert not {row["person"] for row in one} & {row["person"] for row in ROWS}


def test_a_pseudonym_that_ties_classes_together_is_refused(tenant):
    made = make_dataset(tenant)
    rows = [row | {"age": 20 + 9 * turn} for turn in range(5) for row in people(40)]
    upload(tenant, made, jsonl([row | {"id": f"q{number}"} for number, row in enumerate(rows)]))
    columns = (Column("person", Role.SUBJECT, Transformation.PSEUDONYMIZE), *COLUMNS[1:3])
    done = guaranteed(tenant, made, columns=columns)
    assert (done.status, done.error_code) == (JobStatus.FAILED, "VAULT_DATA_4701")
    with acting(tenant):
        assert not Blob.objects.filter(job=done.pk).exclude(state=BlobState.DEAD).exists()


def test_l_and_t_hold_on_the_released_rows(tenant, dataset):
    wanted = Guarantee(4, Diversity(DiversityKind.DISTINCT, 3), t=0.5, suppression=0.2)
    done = guaranteed(tenant, dataset, guarantee=wanted)
    rows = table(tenant, done)
    whole = Counter(row["spent"] for row in rows)
    values = sorted({row["spent"] for row in ROWS})
    for members in classes(rows).values():
        own = Counter(row["spent"] for row in members)
        assert len(own) >= 3
        moved, carried = 0.0, 0.0
        for value in values:
            carried += own[value] / len(members) - whole[value] / len(rows)
            moved += abs(carried)
        assert moved / (len(values) - 1) <= 0.5 + 1e-9


def test_a_guarantee_out_of_reach_fails_and_leaves_nothing(tenant, dataset):
    done = guaranteed(tenant, dataset, guarantee=Guarantee(500))
    assert (done.status, done.error_code) == (JobStatus.FAILED, "VAULT_ANON_6052")
    with acting(tenant):
        assert not Blob.objects.filter(job=done.pk).exclude(state=BlobState.DEAD).exists()
        assert not Release.objects.exists()


def test_the_filter_sees_what_its_asker_sees(tenant, dataset):
    declare_rules(tenant, dataset)
    wanted = parse_filter("note = 'asked by ada1@example.com'")
    done = guaranteed(tenant, dataset, role="analyst", filter=wanted, guarantee=Guarantee(2))
    assert (done.status, done.error_code) == (JobStatus.FAILED, "VAULT_DATA_4703")


def test_a_time_range_goes_by_whole_days(tenant, dataset):
    moment = timezone.datetime.fromisoformat("2026-03-05T10:30:00+00:00")
    done = guaranteed(tenant, dataset, time_range=TimeRange("at", moment, moment), guarantee=Guarantee(2))
    # Everybody of that day, though their minute lies before the range begins.
    assert done.record_count + done.counts["dropped_rows"] == sum(row["at"].startswith("2026-03-05") for row in ROWS)


def test_files_are_sealed_in_a_domain_of_their_own(tenant, dataset):

    done = guaranteed(tenant, dataset)
    with acting(tenant):
        keys = load_keys(dataset.pk)
    with acting(tenant):
        used = set(Blob.objects.filter(job=done.pk, state=BlobState.SEALED).values_list("key_id", flat=True))
    assert keys.key_id not in used
    assert len(used) == 1


def test_the_passport_holds_and_binds_the_rows(tenant, dataset, tmp_path):
    done = guaranteed(tenant, dataset)
    passport, files = saved(tmp_path, contents(tenant, done))
    ran = subprocess.run(
        [sys.executable, verify.__file__, str(passport), *map(str, files)], capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    said = json.loads(passport.read_bytes())
    assert said["proofs"] is None
    assert said["selection"]["label"]["technique"] == "k-anonymity"
    assert said["selection"]["attained"]["k"] >= 3
    (tmp_path / files[0].name).write_bytes(files[0].read_bytes().replace(b"clerk", b"baker", 1))
    assert subprocess.run(
        [sys.executable, verify.__file__, str(passport), *map(str, files)], capture_output=True, check=False
    ).returncode


def test_the_ledger_refuses_what_would_isolate_with_an_earlier_release(tenant):
    made = make_dataset(tenant)
    rows = people(60)
    upload(tenant, made, jsonl(rows))
    principal = someone(tenant, "data_steward")
    first = guaranteed(tenant, made, principal=principal, guarantee=Guarantee(3))
    assert first.status == JobStatus.SUCCEEDED
    assert first.release_id is not None
    second = guaranteed(tenant, made, principal=principal, guarantee=Guarantee(3), method=Method.RANGES)
    assert second.status == JobStatus.FAILED
    assert second.error_code.startswith("VAULT_ANON_609")
    with tenant_scope(tenant.pk, principal):
        report_deletion(principal, first.pk)
    again = guaranteed(tenant, made, principal=principal, guarantee=Guarantee(3), method=Method.RANGES)
    assert again.status == JobStatus.FAILED  # that its recipient says so is not enough
    with tenant_scope(tenant.pk, principal), pytest.raises(OwnRelease):
        withdraw_release(principal, release_id=first.release_id, reason="it is gone")
    other = someone(tenant, "privacy_officer")
    with tenant_scope(tenant.pk, other):
        withdraw_release(other, release_id=first.release_id, reason="seen to be gone")
    again = guaranteed(tenant, made, principal=principal, guarantee=Guarantee(3), method=Method.RANGES)
    assert again.status == JobStatus.SUCCEEDED
    with acting(tenant):
        types = set(AuditEvent.objects.values_list("type", flat=True))
    assert {"privacy.release.reported", "privacy.release.withdrawn"} <= types


def test_files_go_by_age_by_removal_and_with_an_erasure(tenant, dataset):
    done = guaranteed(tenant, dataset)
    with acting(tenant):
        GuaranteedExport.objects.filter(pk=done.pk).update(expires_at=timezone.now() - timedelta(days=1))
    assert expire_guaranteed_exports() == 1
    assert reload_guaranteed(tenant, done).removed_at is not None
    queued = queue_guaranteed(tenant, dataset)
    with acting(tenant):
        remove_exports(dataset.pk)
    assert reload_guaranteed(tenant, queued).status == JobStatus.CANCELLED
    outdated = queue_guaranteed(tenant, dataset)
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(erasure_epoch=7)
    run_guaranteed_export(tenant.pk, outdated.pk)
    assert reload_guaranteed(tenant, outdated).error_code == "VAULT_DATA_4428"


@pytest.mark.parametrize(
    "columns",
    [
        (Column("age", Role.SENSITIVE),),
        (Column("age", Role.QUASI), Column("age", Role.QUASI)),
        (Column("age", Role.QUASI), Column("a", Role.SUBJECT), Column("b", Role.SUBJECT)),
        (Column("row_id", Role.QUASI),),
        (Column("age", Role.QUASI, Transformation.REDACT),),
        (Column("age", Role.QUASI, Transformation.TRUNCATE),),
    ],
)
def test_columns_that_contradict_themselves_are_refused(tenant, dataset, columns):
    with pytest.raises(InvalidInput):
        queue_guaranteed(tenant, dataset, columns=columns)


def test_l_needs_a_sensitive_column(tenant, dataset):
    with pytest.raises(InvalidInput):
        queue_guaranteed(tenant, dataset, columns=COLUMNS[:3], guarantee=Guarantee(3, t=0.2))


def test_who_is_shown_no_findings_chooses_none_that_stay(tenant, dataset):
    declare_rules(tenant, dataset, insensitive=("note",))
    text = Column("note", Role.TEXT, Transformation.REDACT, entities=("IBAN_CODE",))
    done = guaranteed(tenant, dataset, role="analyst", columns=(*COLUMNS, text))
    assert done.status == JobStatus.SUCCEEDED
    assert all("example.com" not in row["note"] for row in table(tenant, done))


def test_fields_that_a_schema_calls_personal_stay_hidden_in_other_columns(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl([row | {"hue": f"zq{row['person']}"} for row in ROWS]))
    declare(tenant, made, "hue", "USERNAME")
    declare_rules(tenant, made, insensitive=("hue",))
    columns = (*COLUMNS, Column("hue", Role.INSENSITIVE))
    shown = table(tenant, guaranteed(tenant, made, role="analyst", columns=columns))
    assert shown
    assert not any("zq" in str(row["hue"]) for row in shown)


def test_the_time_range_sees_what_its_asker_sees(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl([row | {"born": "1980-03-05"} for row in ROWS]))
    declare(tenant, made, "born", "DATE_OF_BIRTH")
    declare_rules(tenant, made)
    day = timezone.datetime.fromisoformat("1980-03-05T00:00:00+00:00")
    done = guaranteed(tenant, made, role="analyst", time_range=TimeRange("born", day, day))
    assert (done.status, done.error_code) == (JobStatus.FAILED, "VAULT_DATA_4703")
    moment = timezone.datetime.fromisoformat("2026-03-05T10:30:00+00:00")
    done = guaranteed(tenant, made, role="analyst", time_range=TimeRange("at", moment, moment), guarantee=Guarantee(2))
    assert done.error_code != "VAULT_DATA_4703"


def test_tables_of_a_version_in_quarantine_are_not_handed_out(tenant, dataset):
    steward = someone(tenant, "data_steward")
    done = guaranteed(tenant, dataset, principal=steward)
    with tenant_scope(tenant.pk, steward):
        quarantine_version(steward, dataset_id=dataset.pk, version="main", reason="to be looked at")
    with tenant_scope(tenant.pk, steward), pytest.raises(VersionQuarantined):
        make_address(steward, done.pk)


def test_releases_that_name_people_by_other_columns_are_not_out_together(tenant, dataset):
    steward = someone(tenant, "data_steward")
    assert guaranteed(tenant, dataset, principal=steward).status == JobStatus.SUCCEEDED
    for subject in (Column("note", Role.SUBJECT), Column("job", Role.INSENSITIVE)):
        columns = (subject, *(column for column in COLUMNS[1:] if column.name != subject.name))
        second = guaranteed(tenant, dataset, columns=columns)
        assert (second.status, second.error_code) == (JobStatus.FAILED, "VAULT_ANON_6090")
    with acting(tenant):
        assert Release.objects.count() == 1
