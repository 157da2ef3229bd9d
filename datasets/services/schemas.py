"""Schemas of records: add, check, list, and hold records against the active one."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from access.services.authorize import authorize
from anonymization.findings import Finding
from anonymization.services.trust import load_trust
from anonymization.trust.trust import Trust
from datasets.errors.schemas import SchemaIncompatible, SchemaNotFound, SchemaViolation
from datasets.formats.rows import RawRecord, Rejected
from datasets.models import Compatibility, Dataset, RecordSchema
from datasets.schemas.annotations import Annotation, stated_findings
from datasets.schemas.compatibility import Incompatibility, incompatibilities
from datasets.schemas.compile import CompiledSchema, Problem, canonical_schema, compile_schema
from datasets.selectors import get_dataset, resource_of
from datasets.services.descriptions import refuse_personal_data, refuse_personal_data_among
from vaultsite.kernel.errors import FieldProblem, InvalidCursor
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.tenancy.principal import Principal

__all__ = ["Problem", "RecordRules", "checked", "rules_for", "validator_for"]

_NO_TRUST: Final = Trust()
#: The name of the newest version in paths.
ACTIVE: Final = "active"
#: Members whose text is syntax and no description.
_SYNTAX: Final = frozenset({"$schema", "$ref", "$id", "pattern", "format", "type", "x-pii-type", "x-pii-strategy"})
_LONGEST_NUMBER: Final = 9

Validator = Callable[[Mapping[str, Any]], list[Problem]]


@dataclass(frozen=True)
class NewSchema:
    """A schema to be added; without ``compatibility`` that of the version before holds."""

    document: Any
    compatibility: Compatibility | None = None
    message: str = ""
    #: The member of the request that the document came in, for errors.
    field: str = "schema"


@dataclass(frozen=True)
class SchemaCheck:
    """What adding a schema would meet: its annotations, what parts it from the active one, and samples against it."""

    annotations: tuple[Annotation, ...]
    incompatibilities: tuple[Incompatibility, ...]
    #: For each sample, in order, what is wrong with it.
    samples: tuple[tuple[Problem, ...], ...] = ()
    mode: Compatibility = Compatibility.NONE
    compared_with: int | None = None
    document: dict[str, Any] = field(default_factory=dict)


def add_schema(principal: Principal, *, dataset_id: UUID, new: NewSchema) -> RecordSchema:
    """Make ``new`` the active schema: it binds every record written from now on, and none that is there already.

    The same document under the same mode as the active one is that one. Raises DatasetNotFound, AccessDenied,
    InvalidSchema, PersonalDataInText, SchemaIncompatible.
    """
    dataset = get_dataset(principal, dataset_id, action="schema.write")
    authorize(principal, "schema.write", resource_of(dataset))
    compiled = compile_schema(new.document, field=new.field)
    refuse_personal_data(message=new.message)
    refuse_personal_data_among("schema", sorted(set(_texts(new.document))))
    list(Dataset.objects.select_for_update(no_key=True).filter(pk=dataset.pk).values_list("pk"))
    before = active_schema(dataset.pk)
    mode = _mode(new, before)
    digest = hashlib.sha256(canonical_schema(new.document)).digest()
    if before is not None and bytes(before.digest) == digest and before.compatibility == mode:
        return before
    _require_compatible(before, compiled, mode)
    made = RecordSchema.objects.create(
        dataset=dataset,
        version=before.version + 1 if before else 1,
        document=orjson.dumps(new.document),
        digest=digest,
        compatibility=mode,
        message=new.message,
        created_by=principal.id,
    )
    made.refresh_from_db(fields=["created_at"])
    emit(_changed(dataset, made))
    return made


def _mode(new: NewSchema, before: RecordSchema | None) -> Compatibility:
    return new.compatibility or (Compatibility(before.compatibility) if before else Compatibility.NONE)


def _require_compatible(before: RecordSchema | None, compiled: CompiledSchema, mode: Compatibility) -> None:
    found = incompatibilities(document_of(before), compiled.document, mode) if before else []
    if found:
        problems = [FieldProblem(field=f"/schema{one.pointer}", detail=f"{one.direction}: {one.rule}") for one in found]
        raise SchemaIncompatible(errors=problems, mode=str(mode), version=before.version if before else None)


def _changed(dataset: Dataset, made: RecordSchema) -> Event:
    facts = {"schema_version": made.version, "schema_hash": bytes(made.digest).hex(), "mode": made.compatibility}
    return Event(type=EventType.SCHEMA_CHANGED, operation="update", resource=resource_of(dataset), metadata=facts)


def _texts(document: Any, name: str = "", label: str = "") -> Iterator[tuple[str, str]]:
    """What people wrote into a schema: names of members, and words behind the property they are about; no syntax."""
    if isinstance(document, dict):
        for member, value in document.items():
            yield "", member
            yield from _texts(value, member, member if name == "properties" else label)
    elif isinstance(document, list):
        for value in document:
            yield from _texts(value, name, label)
    elif isinstance(document, str) and name not in _SYNTAX:
        yield label, document


def check_schema(
    principal: Principal, *, dataset_id: UUID, new: NewSchema, samples: Sequence[Mapping[str, Any]] = ()
) -> SchemaCheck:
    """What adding ``new`` would say, without adding it. ``samples`` are ``data`` of records, judged and not kept.

    Raises DatasetNotFound, AccessDenied, InvalidSchema.
    """
    dataset = get_dataset(principal, dataset_id, action="dataset.read")
    authorize(principal, "dataset.read", resource_of(dataset))
    compiled = compile_schema(new.document, field=new.field)
    before = active_schema(dataset.pk)
    mode = _mode(new, before)
    found = incompatibilities(document_of(before), compiled.document, mode) if before else []
    return SchemaCheck(
        annotations=compiled.annotations,
        incompatibilities=tuple(found),
        samples=tuple(tuple(compiled.problems(sample)) for sample in samples),
        mode=mode,
        compared_with=before.version if before else None,
        document=new.document,
    )


def list_schemas(
    principal: Principal, *, dataset_id: UUID, after: tuple[str, ...] | None, limit: int
) -> list[RecordSchema]:
    """Schemas of a dataset, newest first, at most ``limit`` before the one whose version is ``after``."""
    dataset = get_dataset(principal, dataset_id, action="dataset.read")
    authorize(principal, "dataset.read", resource_of(dataset))
    rows = RecordSchema.objects.filter(dataset=dataset).order_by("-version")
    if after:
        number = _number(after[0])
        if number is None:
            raise InvalidCursor
        rows = rows.filter(version__lt=number)
    return list(rows[:limit])


def recent_schemas(dataset: Dataset, *, limit: int) -> list[RecordSchema]:
    """The newest schemas of a dataset that was decided on, newest first."""
    return list(RecordSchema.objects.filter(dataset=dataset).order_by("-version")[:limit])


def get_schema(principal: Principal, *, dataset_id: UUID, version: str) -> RecordSchema:
    """A schema by its version number, or the ``active`` one. Raises DatasetNotFound, AccessDenied, SchemaNotFound."""
    dataset = get_dataset(principal, dataset_id, action="dataset.read")
    authorize(principal, "dataset.read", resource_of(dataset))
    number = _number(version)
    if version == ACTIVE:
        found = active_schema(dataset.pk)
    else:
        found = RecordSchema.objects.filter(dataset=dataset, version=number).first() if number is not None else None
    if found is None:
        raise SchemaNotFound
    return found


def _number(text: str) -> int | None:
    is_number = text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER
    return int(text) if is_number else None


def document_of(schema: RecordSchema) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(bytes(schema.document))
    return document


def annotations_of(schema: RecordSchema) -> tuple[Annotation, ...]:
    return compile_schema(document_of(schema)).annotations


def active_schema(dataset_id: UUID, *, at: datetime | None = None) -> RecordSchema | None:
    """The newest schema of the dataset, or the one that was the newest ``at`` that time."""
    rows = RecordSchema.objects.filter(dataset_id=dataset_id)
    if at is not None:
        rows = rows.filter(created_at__lte=at)
    return rows.order_by("-version").first()


@dataclass(frozen=True)
class RecordRules:
    """What the active schema asks and says of records; of a dataset without one, nothing."""

    compiled: CompiledSchema | None = None
    #: Equal for equal rules, in hex; empty where there are none.
    digest: str = ""
    #: What people say must be found: it counts in the profiles of versions. Readers are protected when they read.
    trust: Trust = _NO_TRUST

    def problems(self, data: Mapping[str, Any]) -> list[Problem]:
        """Where ``data`` breaks the schema."""
        return self.compiled.problems(data) if self.compiled else []

    def with_stated(self, data: Mapping[str, Any], found: list[Finding]) -> list[Finding]:
        """The detector's findings of a record, those of the deny-list, and one over each value the schema declares."""
        found = self.trust.with_denied({"data": data}, found)
        if self.compiled is None or not self.compiled.annotations:
            return found
        known = {(one.pointer, one.part, one.start, one.end, one.entity_type) for one in found}
        stated = stated_findings(self.compiled.annotations, data)
        return found + [
            one for one in stated if (one.pointer, one.part, one.start, one.end, one.entity_type) not in known
        ]


def rules_for(dataset_id: UUID, *, at: datetime | None = None) -> RecordRules:
    """The rules of the dataset's records, in the open scope; ``at`` a time for jobs that must come out the same."""
    schema = active_schema(dataset_id, at=at)
    trust = load_trust(dataset_id)
    if schema is None:
        return RecordRules(trust=trust)
    return RecordRules(compile_schema(document_of(schema)), bytes(schema.digest).hex(), trust)


def validator_for(dataset_id: UUID, *, at: datetime | None = None) -> Validator:
    """The function that says where a record's ``data`` breaks the active schema; it outlives the scope."""
    return rules_for(dataset_id, at=at).problems


def checked(rows: Iterable[RawRecord | Rejected], rules: RecordRules) -> Iterator[RawRecord | Rejected]:
    """The rows of an upload, those that break the rules as Rejected."""
    for row in rows:
        problems = rules.problems(row.data) if isinstance(row, RawRecord) else []
        if isinstance(row, RawRecord) and problems:
            yield Rejected.of(SchemaViolation(problems, line=row.line), row.canonical)
        else:
            yield row
