"""What it costs to find a person by the index, to read everything for them, and to erase them."""

import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from statistics import quantiles
from typing import Any, Final

from access.services.keyring import KeyPurpose, current_key
from compliance.subjects.identifiers import Identifier
from compliance.subjects.index_search import search_index
from compliance.subjects.matcher import Matcher
from compliance.subjects.stores import READINGS
from compliance.subjects.sweep import read_store
from datasets.models import Dataset, SubjectIndexEntry
from datasets.services.erasure import work as record_work
from datasets.services.erasure.request import queue_erasure
from datasets.services.erasure.work import run_erasure
from datasets.services.ingest.subjects import subject_key
from datasets.services.keys import load_keys
from datasets.services.pack_reader import PackReader
from tests.benchmarks import vault
from tests.benchmarks.figures import Figure, Plan
from tests.benchmarks.inputs import compact_id
from tests.benchmarks.versions import Stored, stored_dataset
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

_DATASETS: Final = 20
_RECORDS_OF_ONE: Final = 10
_ASKED: Final = 200
_BATCH: Final = 5_000
PERSON: Final = [
    Identifier("EMAIL_ADDRESS", "ada.byron@example.com"),
    Identifier("PHONE_NUMBER", "+49 30 1234567"),
    Identifier("PERSON", "Ada Byron"),
]


def measure_subject_search(plan: Plan) -> list[Figure]:
    """``subject_search_ms``, and by how much it grows with ten times as many records."""
    less, more = _search_ms(plan, plan.less), _search_ms(plan, plan.large)
    note = f"p95 of {_ASKED} questions for one person, one entry a record, {_DATASETS} datasets; service without HTTP"
    growth = f"p95 with {plan.large} records over that with {plan.less}"
    return [
        Figure("subject_search_ms", round(more, 2), "ms", round(less, 2), plan.large, plan.seed, note),
        Figure("subject_search_growth", round(more / less, 2), "ratio", None, plan.large, plan.seed, growth),
    ]


def _search_ms(plan: Plan, records: int) -> float:
    officer = replace(vault.steward(), permissions=vault.steward().permissions | {"subject.search"})
    with ExitStack() as stack:
        datasets = [stack.enter_context(vault.new_dataset(vault.steward())) for _ in range(_DATASETS)]
        _fill(officer, datasets, records)
        times = [_asked(officer) for _ in range(_ASKED)]
    del plan
    return quantiles(times, n=20)[-1] * 1000


def _fill(officer: Principal, datasets: list[Dataset], records: int) -> None:
    """One entry a record, of somebody each; ten of them of the person."""
    with tenant_scope(officer.tenant_id, officer):
        key = subject_key(current_key(KeyPurpose.INDEX).key, PERSON[0].type, PERSON[0].value)
    for start in range(0, records, _BATCH):
        with tenant_scope(officer.tenant_id, officer):
            rows = _entries(datasets, range(start, min(records, start + _BATCH)), records, key)
            SubjectIndexEntry.objects.bulk_create(rows, batch_size=_BATCH)


def _entries(datasets: list[Dataset], numbers: range, records: int, key: bytes) -> Iterator[SubjectIndexEntry]:
    every, job = records // _RECORDS_OF_ONE, uuid7()
    for number in numbers:
        yield SubjectIndexEntry(
            dataset=datasets[number % _DATASETS],
            key=key if number % every == 0 else secrets.token_bytes(32),
            record_id=f"r{number}",
            leaf=secrets.token_bytes(32),
            job=job,
        )


def _asked(officer: Principal) -> float:
    begun = time.perf_counter()
    with tenant_scope(officer.tenant_id, officer):
        answer = search_index(officer, PERSON)
    assert sum(answer.datasets.values()) >= _RECORDS_OF_ONE
    return time.perf_counter() - begun


def measure_subject_erasure(plan: Plan) -> list[Figure]:
    """``sweep_mb_s`` over a large dataset, and ``erasure_ratio`` of ten records of it."""
    with stored_dataset(plan, plan.large) as stored:
        megabytes, seconds = _swept(stored)
        erased = _erased(stored)
    note = f"{megabytes:.0f} MB of records read for three identifiers by one process, opened and decompressed"
    ratio = f"seconds to erase {_RECORDS_OF_ONE} records over those to ingest all; without the wait for readers"
    told: dict[str, Any] = {"n": stored.count, "seed": plan.seed, "baseline": None}
    share = round(erased / stored.first["seconds"], 4)
    return [
        Figure(name="sweep_mb_s", value=round(megabytes / seconds, 1), unit="MB/s", note=note, **told),
        Figure(name="erasure_ratio", value=share, unit="ratio", note=ratio, **told),
    ]


def _swept(stored: Stored) -> tuple[float, float]:
    with tenant_scope(stored.tenant_id, Principal.system(stored.tenant_id)):
        reader = PackReader(load_keys(stored.dataset_id))
    begun = time.perf_counter()
    size = sum(swept.size for swept in read_store(reader, READINGS[0], Matcher(PERSON), None))
    return size / 1e6, time.perf_counter() - begun


def _erased(stored: Stored) -> float:
    step = max(1, stored.count // _RECORDS_OF_ONE)
    ids = [compact_id(number) for number in range(0, stored.count, step)][:_RECORDS_OF_ONE]
    with tenant_scope(stored.tenant_id, Principal.system(stored.tenant_id)):
        erasure = queue_erasure(
            stored.dataset_id, record_ids=ids, reason="benchmark", requested_by=uuid7(), purpose="evaluation"
        )
    begun = time.perf_counter()
    run_erasure(stored.tenant_id, erasure.pk)
    return max(0.0, time.perf_counter() - begun - record_work.PLACE_SECONDS)
