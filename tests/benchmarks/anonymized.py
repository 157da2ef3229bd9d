"""What anonymization by stored spans costs on the read path, where every record has a finding."""

from collections.abc import Iterator
from dataclasses import replace

import orjson

from anonymization.operators.strategy import make_strategy
from anonymization.services.anonymizer import Anonymizer
from datasets.models import Dataset
from datasets.services.keys import load_keys
from datasets.services.read import Release, open_release, read_records, stream_data
from datasets.services.scanned_reader import ScannedReader
from tests.benchmarks import vault
from tests.benchmarks.figures import Cost, Figure, Plan, interleaved, timed
from tests.benchmarks.inputs import texts
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import tenant_scope


def measure_anonymized_read(plan: Plan) -> list[Figure]:
    """``span_read_ratio``: records read under a mask, against the same records read raw, by processor time.

    ``span_read_ratio/download`` is the same for a download, whose raw side copies bytes without parsing them.
    """
    principal = vault.steward()
    with vault.new_dataset(principal) as dataset:
        vault.ingest(principal, dataset, _blocks(plan))
        raw, masked = _releases(principal, dataset)
        plain, shown = interleaved(plan.rounds * 3, timed(_read, raw), timed(_read, masked))
        sent, hidden = interleaved(
            plan.rounds * 3, timed(_download, raw, principal), timed(_download, masked, principal)
        )
    return [
        _figure(plan, "span_read_ratio", plain, shown, "records read one by one"),
        _figure(plan, "span_read_ratio/download", sent, hidden, "a download, its raw side not parsed"),
    ]


def _figure(plan: Plan, name: str, plain: Cost, shown: Cost, what: str) -> Figure:
    speed = f"{plan.scanned_records / shown.cpu:,.0f} records/s"
    note = f"{what}; CPU raw / masked, a finding or more in every record; {speed}"
    return Figure(name, plain.cpu / shown.cpu, "x", 1.0, plan.scanned_records, plan.seed, note)


def _blocks(plan: Plan) -> Iterator[bytes]:
    """Single messages, each with the address of its writer behind it."""
    written = texts(plan.seed, plan.scanned_records)
    for number, text in enumerate(written):
        record = {"id": f"t-{number:07d}", "text": f"{text} Write to someone{number}@example.com."}
        yield orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def _releases(principal: Principal, dataset: Dataset) -> tuple[Release, Release]:
    with tenant_scope(principal.tenant_id, principal):
        raw = open_release(principal, dataset_id=dataset.pk, version="main")
        keys = load_keys(dataset.pk)
    return raw, replace(raw, anonymizer=Anonymizer(floor=make_strategy("mask")), store=ScannedReader(keys))


def _anew(release: Release) -> Release:
    """With an anonymizer that remembers nothing of an earlier round."""
    if release.is_raw:
        return release
    return replace(release, anonymizer=Anonymizer(floor=make_strategy("mask")))


def _read(release: Release) -> int:
    release = _anew(release)
    return sum(len(record.data) for record in read_records(release))


def _download(release: Release, principal: Principal) -> int:
    return sum(map(len, stream_data(_anew(release), principal, RequestFacts())))
