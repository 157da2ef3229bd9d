"""What it costs to find a person by the index, to read everything for them, and to erase them."""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from statistics import quantiles
from typing import Any, Final

from access.services.keyring import KeyPurpose, current_key
from compliance.subjects.identifiers import Identifier
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
from tests.benchmarks.get_dataset import api_key, connected, served
from tests.benchmarks.inputs import compact_id
from tests.benchmarks.versions import Stored, stored_dataset
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

_DATASETS: Final = 20
_RECORDS_OF_ONE: Final = 10
_ERASED: Final = 50
_ASKED: Final = 200
_BATCH: Final = 5_000
PERSON: Final = [
    Identifier("EMAIL_ADDRESS", "ada.byron@example.com"),
    Identifier("PHONE_NUMBER", "+49 30 1234567"),
    Identifier("PERSON", "Ada Byron"),
]


def measure_subject_search(plan: Plan) -> list[Figure]:
    """``subject_search_ms``, and by how much it grows with ten times as many records."""
    less, more = _search_ms(plan.less), _search_ms(plan.large)
    note = f"p95 over {_ASKED} people by HTTP, {_RECORDS_OF_ONE} records of each, {_DATASETS} datasets"
    growth = f"p95 with {plan.large} records over that with {plan.less}"
    return [
        Figure("subject_search_ms", round(more, 2), "ms", round(less, 2), plan.large, plan.seed, note),
        Figure("subject_search_growth_ratio", round(more / less, 2), "ratio", None, plan.large, plan.seed, growth),
    ]


def _search_ms(records: int) -> float:
    steward = vault.steward()
    people = min(_ASKED, records // _RECORDS_OF_ONE)
    with ExitStack() as stack:
        datasets = [stack.enter_context(vault.new_dataset(steward)) for _ in range(_DATASETS)]
        _fill(steward, datasets, records, people)
        connection = stack.enter_context(connected(stack.enter_context(served())))
        key = api_key(steward.tenant_id, "privacy_officer")
        _asked(connection, key, 0)
        times = [_asked(connection, key, person) for person in range(people)]
    return quantiles(times, n=20)[-1] * 1000


def _fill(steward: Principal, datasets: list[Dataset], records: int, people: int) -> None:
    """One entry a record: some of the people who are asked for, spread evenly, the others of somebody each."""
    with tenant_scope(steward.tenant_id, steward):
        key = current_key(KeyPurpose.INDEX).key
    keys = [subject_key(key, "EMAIL_ADDRESS", _address(person)) for person in range(people)]
    for start in range(0, records, _BATCH):
        with tenant_scope(steward.tenant_id, steward):
            rows = _entries(datasets, range(start, min(records, start + _BATCH)), records, keys)
            SubjectIndexEntry.objects.bulk_create(rows, batch_size=_BATCH)


def _entries(datasets: list[Dataset], numbers: range, records: int, keys: list[bytes]) -> Iterator[SubjectIndexEntry]:
    step, job = records // (_RECORDS_OF_ONE * len(keys)), uuid7()
    for number in numbers:
        turn = number // step
        yield SubjectIndexEntry(
            dataset=datasets[(number + turn // len(keys)) % _DATASETS],
            key=keys[turn % len(keys)] if number % step == 0 else secrets.token_bytes(32),
            record_id=f"r{number}",
            leaf=secrets.token_bytes(32),
            job=job,
        )


def _address(person: int) -> str:
    return f"person.{person}@example.com"


def _asked(connection: HTTPConnection, key: str, person: int) -> float:
    """Seconds of one request: the address is in it, so that nothing remembers an answer."""
    body = json.dumps({"identifiers": [{"type": "EMAIL_ADDRESS", "value": _address(person)}]})
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    begun = time.perf_counter()
    connection.request("POST", "/api/v1/subjects/search", body=body, headers=headers)
    answer = connection.getresponse()
    told = json.loads(answer.read())
    took = time.perf_counter() - begun
    assert answer.status == 200, told
    assert len(told["data"]) >= _RECORDS_OF_ONE, told
    return took


def measure_subject_erasure(plan: Plan) -> list[Figure]:
    """``sweep_mb_s`` over a large dataset, and ``erasure_ratio`` of ten records of it."""
    with stored_dataset(plan, plan.large) as stored:
        megabytes, seconds = _swept(stored)
        erased = _erased(stored)
    note = f"{megabytes:.0f} MB of records read for three identifiers by one process, opened and decompressed"
    ratio = f"seconds to erase {_ERASED} records over those to ingest all; without the wait for readers"
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
    step = max(1, stored.count // _ERASED)
    ids = [compact_id(number) for number in range(0, stored.count, step)][:_ERASED]
    with tenant_scope(stored.tenant_id, Principal.system(stored.tenant_id)):
        erasure = queue_erasure(
            stored.dataset_id, record_ids=ids, reason="benchmark", requested_by=uuid7(), purpose="evaluation"
        )
    begun = time.perf_counter()
    run_erasure(stored.tenant_id, erasure.pk)
    return max(0.0, time.perf_counter() - begun - record_work.PLACE_SECONDS)
