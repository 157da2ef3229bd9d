"""Answers over the records of a version, in bounded memory: as many passes as it takes."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from datasets.models import Version
from datasets.query.evaluate import Record
from datasets.services.consent import ConsentGate
from datasets.services.pack_store import PackReader
from datasets.services.restrictions import RestrictionGate
from datasets.services.statistics.measures import Measure, OpenMeasure, measure_for
from datasets.services.statistics.request import StatisticsRequest
from datasets.services.statistics.rows import PASS_BYTES, SubjectKeys, SubjectRows, passes_for
from datasets.tree.digests import EMPTY_ROOT
from datasets.tree.scan import scan

Gate = ConsentGate | RestrictionGate


def compute(
    store: PackReader,
    version: Version,
    request: StatisticsRequest,
    *,
    consent: ConsentGate | None = None,
    restriction: RestrictionGate | None = None,
    pass_bytes: int = PASS_BYTES,
) -> list[dict[str, Any]]:
    """One answer a query, in their order, over the raw records. Needs no open scope."""
    assert request.subject is not None
    measures = [measure_for(query) for query in request.queries]
    keys = SubjectKeys()
    gates = [gate for gate in (consent, restriction) if gate is not None]
    passes = passes_for(version.record_count, len(measures), pass_bytes=pass_bytes)
    for number in range(passes):
        rows = SubjectRows([query.contributions for query in request.queries], number=number, passes=passes)
        for gate in gates:
            gate.take_count()  # every pass meets the same records
        for record in _records(store, version, request, gates):
            key = keys.of(record, request.subject)
            if key is not None:
                rows.add(key, [measure.give(record) for measure in measures])
        for measure, values in zip(measures, rows.counted(), strict=True):
            measure.add(values)
    _name_keys(store, version, request, [gate.again() for gate in gates], measures)
    return [
        {
            "name": measure.query.name,
            "type": str(measure.query.kind),
            **measure.answer(),
            **measure.query.loss.as_json(),
        }
        for measure in measures
    ]


def _name_keys(
    store: PackReader,
    version: Version,
    request: StatisticsRequest,
    gates: Sequence[Gate],
    measures: list[Measure],
) -> None:
    """Look for what released keys stand for."""
    wanting = [measure for measure in measures if isinstance(measure, OpenMeasure)]
    if not any(measure.wants_names for measure in wanting):
        return
    for record in _records(store, version, request, gates):
        for measure in wanting:
            measure.look(record)
        if not any(measure.wants_names for measure in wanting):
            return


def _records(
    store: PackReader, version: Version, request: StatisticsRequest, gates: Sequence[Gate]
) -> Iterator[Record]:
    """The records that meet the filter; no chunk is left out, since what that saves would tell of the data."""
    root, matches = bytes(version.root), request.filter.matches
    if root == EMPTY_ROOT:
        return
    for _, chunk in scan(store, root, keep=None):
        for gate in gates:
            gate.look_ahead(chunk)
        for stored in chunk:
            record = orjson.loads(stored.canonical)
            if matches(record) and all(gate.admits(stored) for gate in gates):
                yield record
