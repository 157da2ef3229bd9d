"""Canaries of every entity type through every way records come in: the stored findings name each of them."""

import ast
import csv
import gzip
import io
from pathlib import Path
from uuid import UUID

import orjson
import pytest
from django.conf import settings as configured

from anonymization.findings import ACT_FROM, REFUSED_ENTITIES
from datasets.errors import VersionNotFound
from datasets.errors.quarantine import StillUnscannable
from datasets.models import MergeConflict, QuarantinedRecord
from datasets.services.merges.work import run_merge
from datasets.services.quarantine_review import restore_quarantined
from datasets.services.read import open_release, read_records
from datasets.services.write import run_ingest
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.canaries import CANARIES
from tests.factories.datasets import jsonl, make_dataset, someone, upload
from tests.factories.detectors import detecting
from tests.factories.drafts import publish
from tests.factories.merges import merged, parted
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")

ACCEPTED = [one for one in CANARIES if one.entity_type not in REFUSED_ENTITIES]
REFUSED = [one for one in CANARIES if one.entity_type in REFUSED_ENTITIES]
#: One record with a member for each canary.
RECORD = {"id": "r1"} | {f"t{number}": one.text for number, one in enumerate(ACCEPTED)}
FORBIDDEN = {"id": "r1"} | {f"t{number}": one.text for number, one in enumerate(REFUSED)}


def as_csv(record):
    out = io.StringIO()
    writer = csv.DictWriter(out, list(record))
    writer.writeheader()
    writer.writerow(record)
    return out.getvalue().encode()


def as_parquet(record):
    pa = pytest.importorskip("pyarrow", reason="the parquet extra is not installed")
    from pyarrow import parquet

    out = io.BytesIO()
    parquet.write_table(pa.table({name: [value] for name, value in record.items()}), out)
    return out.getvalue()


def as_zstd(body):
    pa = pytest.importorskip("pyarrow", reason="the parquet extra is not installed")
    return pa.compress(body, codec="zstd", asbytes=True)


BODIES = {
    "jsonl": lambda record: jsonl([record]),
    "jsonl.gz": lambda record: gzip.compress(jsonl([record])),
    "jsonl.zst": lambda record: as_zstd(jsonl([record])),
    "csv": as_csv,
    "csv.gz": lambda record: gzip.compress(as_csv(record)),
    "csv.zst": lambda record: as_zstd(as_csv(record)),
    "parquet": as_parquet,
}


def uploaded(kind):
    def write(tenant, dataset, record):
        client = caller(tenant, "data_steward")
        path = f"/datasets/{dataset.pk}/data?id_field=id&format={kind.partition('.')[0]}"
        run_ingest(tenant.pk, UUID(send(client, "POST", path, BODIES[kind](record)).json()["id"]))

    return write


def upload_page(tenant, dataset, record):
    """Its form is sent by script: the file as the body, with the session of the browser."""
    browser = browser_of(tenant, "data_steward", purpose="evaluation")
    path = f"/api/v1/datasets/{dataset.pk}/data?id_field=id"
    sent = browser.generic("POST", path, jsonl([record]), content_type="application/octet-stream")
    run_ingest(tenant.pk, UUID(sent.json()["id"]))


def apart(record):
    return {"id": record["id"], "data": {name: value for name, value in record.items() if name != "id"}}


def draft(tenant, dataset, record):
    client = caller(tenant, "data_steward")
    path = send(client, "POST", f"/datasets/{dataset.pk}/versions", {}).headers["Location"].removeprefix("/api/v1")
    send(client, "POST", f"{path}/records", {"records": [apart(record)]})
    send(client, "POST", f"{path}/publish", {"message": "done"})


def patch(tenant, dataset, record):
    send(caller(tenant, "data_steward"), "PATCH", f"/datasets/{dataset.pk}/data", {"records": [apart(record)]})


def resolution(tenant, dataset, record):
    """A conflict is resolved by a record of one's own; ``dataset`` has the branches that part."""
    merge = merged(tenant, dataset)
    with acting(tenant):
        conflict = MergeConflict.objects.get(merge=merge)
    client = caller(tenant, "data_steward")
    own = {"resolution": "record", "record": {"data": apart(record)["data"]}}
    send(client, "PUT", f"/merges/{merge.pk}/conflicts/{conflict.pk}", own)
    send(client, "POST", f"/merges/{merge.pk}/continue")
    run_merge(tenant.pk, merge.pk)


def merge(tenant, dataset, record):
    """The record comes from the other branch as it is."""
    client = caller(tenant, "data_steward")
    sent = send(client, "POST", f"/datasets/{dataset.pk}/data?id_field=id&branch=work&mode=append", jsonl([record]))
    run_ingest(tenant.pk, UUID(sent.json()["id"]))
    merged(tenant, dataset)


def quarantine(tenant, dataset, record):
    """What could not be scanned is kept back, and comes in by another scan."""
    with detecting(configured, {}, poison=record["t0"]):
        upload(tenant, dataset, jsonl([record, {"id": "r2", "n": 0}]), on_error="reject")
    with acting(tenant):
        kept = list(QuarantinedRecord.objects.filter(dataset=dataset).values_list("pk", flat=True))
    for pk in kept:
        steward = someone(tenant, "data_steward")
        with acting(tenant, steward):
            made = restore_quarantined(steward, pk)
        publish(tenant, made)


CASES = {
    **{kind: uploaded(kind) for kind in BODIES},
    "upload page": upload_page,
    "draft": draft,
    "patch": patch,
    "resolution": resolution,
    "merge": merge,
    "quarantine": quarantine,
}
#: Whatever stores records or puts them aside, and the cases that go through it.
WRITERS = {
    "services/ingest/build.py": set(BODIES) | {"upload page"},
    "services/ingest/work.py": set(BODIES) | {"upload page"},
    "services/ingest/scan.py": {"quarantine"},
    "services/record_quarantine.py": {"quarantine"},
    "services/quarantine_review.py": {"quarantine"},
    "services/drafts/patch.py": {"patch"},
    "services/drafts/stage.py": {"draft"},
    "services/drafts/staged.py": {"draft", "patch"},
    "services/drafts/publication.py": {"draft", "patch", "quarantine"},
    "services/merges/conflicts.py": {"resolution"},
    "services/merges/build.py": {"merge", "resolution"},
    "services/merges/work.py": {"merge", "resolution"},
}
#: What takes a writer and stores nothing by it that comes from outside.
NO_RECORDS = {
    "services/rescan/work.py": "findings of records that are stored",
    # tests/datasets/services/test_masking.py
    "services/masking/publish.py": "records that are stored, without what was found in them",
}
_STORES = frozenset(
    {
        "PackWriter",
        "FindingsRecorder",
        "StagedRecord",
        "QuarantinedRecord",
        "put_changes",
        "keep_unscanned",
        "seal_resolution",
    }
)


def prepared(tenant, case):
    """A dataset to write to: with a conflict, or with another branch, where the case needs them."""
    base = [{"id": "r1", "n": 0}, {"id": "r2", "n": 0}]
    if case == "resolution":
        return parted(tenant, base, [base[0] | {"n": 1}, base[1]], [base[0] | {"n": 2}, base[1]])
    return parted(tenant, base[1:], base[1:], base[1:]) if case == "merge" else make_dataset(tenant)


def stored(tenant, dataset):
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        release = open_release(steward, dataset_id=dataset.pk, version="main")
    return {record.id: record for record in read_records(release, with_findings=True)}


@pytest.mark.parametrize("case", CASES)
def test_the_findings_of_every_canary_are_stored(tenant, case):
    dataset = prepared(tenant, case)
    CASES[case](tenant, dataset, RECORD)
    record = stored(tenant, dataset)["r1"]
    missing = []
    for number, canary in enumerate(ACCEPTED):
        assert record.data[f"t{number}"] == canary.text
        start = canary.text.index(canary.value)
        end = start + len(canary.value)
        if not any(
            (one.pointer, one.part, one.entity_type) == (f"/data/t{number}", "value", canary.entity_type)
            and one.start <= start
            and end <= one.end
            and one.score >= ACT_FROM
            for one in record.findings
        ):
            missing.append(canary.entity_type)
    assert missing == []


@pytest.mark.parametrize("case", CASES)
def test_what_may_not_be_stored_comes_in_nowhere(tenant, case):
    dataset = prepared(tenant, case)
    if case == "quarantine":
        with pytest.raises(StillUnscannable):
            quarantine(tenant, dataset, FORBIDDEN)
    else:
        CASES[case](tenant, dataset, FORBIDDEN)
    try:
        found = stored(tenant, dataset)
    except VersionNotFound:
        return
    said = orjson.dumps([record.data for record in found.values()]).decode()
    assert not any(orjson.dumps(one.text).decode() in said for one in REFUSED)


def calls_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def test_every_writer_of_records_has_a_case():
    root = Path(configured.BASE_DIR) / "datasets"
    writers = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if "migrations" not in path.parts and not _STORES.isdisjoint(calls_of(path))
    }
    assert writers == set(WRITERS) | set(NO_RECORDS)
    assert set().union(*WRITERS.values()) == set(CASES)
