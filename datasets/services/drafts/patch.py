"""Change records of a branch's head into a new version in one request: a draft that is opened, filled and published."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias
from uuid import UUID

import orjson
from django.conf import settings

from access.services.authorize import authorize, shows_raw
from access.services.idempotency import Attempt, begin_attempt, freed_on_failure, store_answer
from datasets.errors import DuplicateRecordId, RecordNotFound, RecordTooLong
from datasets.errors.branches import BranchMoved
from datasets.errors.drafts import PatchRefused, WrongRecordCount
from datasets.formats.rows import RawRecord
from datasets.models import Dataset, Draft, DraftStatus, OnError, Publication, Version, VersionKind
from datasets.selectors import find_version, get_dataset, resource_of
from datasets.services.branches import DEFAULT_BRANCH, get_branch, require_writable
from datasets.services.descriptions import refuse_personal_data
from datasets.services.drafts.body import MAX_RECORDS, Document, Incoming, read_document, read_ids, read_incoming
from datasets.services.drafts.find import count_staged
from datasets.services.drafts.open import next_expiry, remove_draft
from datasets.services.drafts.parent import find_many
from datasets.services.drafts.publication import run_publication
from datasets.services.drafts.publish import queue_publication
from datasets.services.drafts.scan import Prepared, RecordResult, detail_of, scan_incoming
from datasets.services.drafts.stage import put_changes, unchanged_in_parent
from datasets.services.keys import DatasetKeys, load_keys
from datasets.services.pack_store import PackReader
from datasets.services.quotas import require_upload_room
from datasets.services.schemas import RecordRules, rules_for
from datasets.services.writable import hold_open, require_open
from datasets.tree.digests import EMPTY_ROOT
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import tenant_scope

UPSERT: Final = "upsert"
MERGE: Final = "merge"
Scope: TypeAlias = Callable[[], AbstractContextManager[object]]
_MEMBERS: Final = ("mode", "delete", "branch", "message", "expected", "on_error")
_LONGEST: Final[Mapping[str, int]] = {"branch": 100, "message": 1000, "expected": 100}


@dataclass(frozen=True)
class PatchOptions:
    """``expected`` names the version that the branch must be at, if the caller cares; empty: wherever it is.

    ``mode`` says whether the records replace those of their ids, or are merge patches of them (RFC 7396). With
    ``on_error`` abort one bad record refuses the request, with reject the others are kept.
    """

    mode: str = UPSERT
    delete: Sequence[Any] = ()
    branch: str = DEFAULT_BRANCH
    message: str = ""
    expected: str = ""
    on_error: str = OnError.ABORT.value

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> "PatchOptions":
        """From the members of a body. Raises InvalidInput."""
        problems = [
            FieldProblem(f"/{name}", f"a text of at most {longest} characters")
            for name, longest in _LONGEST.items()
            if not isinstance(members.get(name, ""), str) or len(members.get(name, "")) > longest
        ]
        for name, choices in (("mode", [UPSERT, MERGE]), ("on_error", list(OnError.values))):
            if members.get(name, choices[0]) not in choices:
                problems.append(FieldProblem(f"/{name}", f"one of {', '.join(choices)}"))
        if problems:
            raise InvalidInput(errors=problems)
        return cls(**members)


@dataclass(frozen=True)
class Patch:
    """The right to change records of one dataset; ``blind`` see ``put_changes``."""

    dataset: Dataset
    keys: DatasetKeys
    rules: RecordRules
    purpose: str
    blind: bool
    attempt: Attempt | None = None


@dataclass(frozen=True)
class PatchOutcome:
    """Results of the records and of the deletions, each in order; no ``publication`` when nothing was to change."""

    results: list[dict[str, Any]]
    deleted: list[dict[str, Any]]
    publication: UUID | None


def begin_patch(principal: Principal, *, dataset_id: UUID, key: str = "") -> Patch:
    """Decide before the body is read, in the request's scope.

    Raises DatasetNotFound, AccessDenied, DatasetArchived, QuotaExceeded, RequestInFlight.
    """
    dataset = get_dataset(principal, dataset_id, action="record.write")
    decision = authorize(principal, "record.write", resource_of(dataset))
    require_open(dataset)
    require_upload_room(adds_records=False)
    attempt = begin_attempt(principal, route=f"PATCH data {dataset.pk}", key=key) if key else None
    keys, rules, blind = load_keys(dataset.pk), rules_for(dataset.pk), not shows_raw(principal, resource_of(dataset))
    return Patch(dataset, keys, rules, decision.purpose or "", blind, attempt)


def apply_patch(principal: Principal, patch: Patch, body: bytes, request: RequestFacts | None = None) -> PatchOutcome:
    """Scan, stage and publish what ``body`` asks for. Opens scopes of its own; none may be open.

    How the publication ended its row says. Raises MalformedChanges, WrongRecordCount, InvalidInput, PatchRefused,
    BranchNotFound, BranchProtected, BranchMoved, PersonalDataInText, VersionNotFound, IdempotencyMismatch.
    """
    fingerprint = hashlib.sha256(body).digest()
    if patch.attempt is not None:
        patch.attempt.require_same(fingerprint)
        if patch.attempt.answer is not None:
            return _repeated(patch.attempt.answer)
    with freed_on_failure(principal, patch.attempt):
        document = read_document(body, allowed=_MEMBERS)
        options = PatchOptions.of(document.members)
        scope = partial(tenant_scope, principal.tenant_id, principal, request)
        with scope():
            refuse_personal_data(message=options.message)
        outcome = None
        while outcome is None:
            outcome = _applied(principal, patch, document, options, scope, fingerprint=fingerprint)
    if outcome.publication is not None:
        run_publication(principal.tenant_id, outcome.publication)
    return outcome


def _applied(
    principal: Principal, patch: Patch, document: Document, options: PatchOptions, scope: Scope, *, fingerprint: bytes
) -> PatchOutcome | None:
    """Staged and queued; None when records were erased since they were read: what was made of them must not stay."""
    with scope():
        epoch = Dataset.objects.values_list("erasure_epoch", flat=True).filter(pk=patch.dataset.pk).first()
        head = _expected_head(patch.dataset, options)
    prepared, deletions = _prepare(patch, document, options, head)
    in_parent = unchanged_in_parent(PackReader(patch.keys), _root(head), [*prepared, *deletions])
    with scope():
        if hold_open(patch.dataset.pk).erasure_epoch != epoch:
            return None
        draft = _internal_draft(principal, patch, options, head)
        changes = [*prepared, *deletions]
        done = put_changes(patch.keys, draft, changes, in_parent, by=principal.id, blind=patch.blind)
        outcome = _queued(principal, patch, options, draft, done, records=len(prepared))
        if patch.attempt is not None:
            store_answer(patch.attempt, fingerprint=fingerprint, answer=_answer(outcome))
    return outcome


def _answer(outcome: PatchOutcome) -> dict[str, Any]:
    identifier = str(outcome.publication) if outcome.publication else None
    return {"results": outcome.results, "deleted": outcome.deleted, "publication": identifier}


def _repeated(answer: Mapping[str, Any]) -> PatchOutcome:
    identifier = answer["publication"]
    return PatchOutcome(answer["results"], answer["deleted"], UUID(identifier) if identifier else None)


def _root(version: Version | None) -> bytes:
    return bytes(version.root) if version else EMPTY_ROOT


def _expected_head(dataset: Dataset, options: PatchOptions) -> Version | None:
    require_writable(dataset, options.branch)
    head: Version | None = get_branch(dataset, options.branch).head
    if options.expected and (head is None or find_version(dataset, options.expected).pk != head.pk):
        raise BranchMoved("The branch is not at the version expected", head=head.label if head else None)
    return head


def _prepare(
    patch: Patch, document: Document, options: PatchOptions, head: Version | None
) -> tuple[list[Prepared], list[Prepared]]:
    """The records to store and the ids to leave out, judged one by one."""
    is_merge = options.mode == MERGE
    incoming = read_incoming(document.records, needs_ids=is_merge) if document.records else []
    leaving = read_ids(options.delete) if options.delete else []
    if not 0 < len(incoming) + len(leaving) <= MAX_RECORDS:
        raise WrongRecordCount(limit=MAX_RECORDS)
    places = {item.id: item.index for item in incoming if item.id}
    deletions = [_deletion(item, places) for item in leaving]
    if is_merge:
        incoming = _merged(patch.keys, _root(head), incoming)
    return scan_incoming(patch.keys, patch.rules, incoming), deletions


def _deletion(item: Incoming, places: Mapping[str, int]) -> Prepared:
    """A record cannot be stored and left out at once."""
    if item.error is None and item.id is not None and item.id in places:
        error = DuplicateRecordId(first_line=places[item.id] + 1, line=item.index + 1)
        return Prepared(item.index, item.id, error=error)
    return Prepared(item.index, item.id, error=item.error)


def _merged(keys: DatasetKeys, root: bytes, incoming: Sequence[Incoming]) -> list[Incoming]:
    """Each patch applied to the record it names; one that names none fails."""
    patches = {item.id: item for item in incoming if item.id and item.record and not item.error}
    found = {record.id: record for record in find_many(PackReader(keys), root, sorted(patches))}
    merged: dict[int, Incoming] = {}
    for record_id, item in patches.items():
        assert item.record is not None
        if record_id in found:
            before = found[record_id]
            merged[item.index] = _patched(item, item.record, before.data, before.metadata)
        else:
            merged[item.index] = Incoming(item.index, record_id, error=RecordNotFound())
    return [merged.get(item.index, item) for item in incoming]


def _patched(item: Incoming, patch: RawRecord, data: dict[str, Any], metadata: dict[str, Any]) -> Incoming:
    data, metadata = merge_patch(data, patch.data), merge_patch(metadata, patch.metadata)
    canonical = orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    if len(canonical) > settings.MAX_RECORD_BYTES:
        rule = f"the record is longer than {settings.MAX_RECORD_BYTES} bytes"
        return Incoming(item.index, item.id, error=RecordTooLong(rule, reason="record-too-long", line=item.index + 1))
    record = patch._replace(data=data, metadata=metadata, canonical=canonical)
    return Incoming(item.index, item.id, record=record)


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396, section 2: members given replace those of ``target``, null removes them, objects are merged."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def _internal_draft(principal: Principal, patch: Patch, options: PatchOptions, head: Version | None) -> Draft:
    draft = Draft(
        dataset=patch.dataset,
        branch=options.branch,
        parent=head,
        description=options.message,
        status=DraftStatus.PUBLISHING,
        opened_by=principal.id,
        expires_at=next_expiry(),
    )
    draft.save(force_insert=True)
    return draft


def _queued(
    principal: Principal,
    patch: Patch,
    options: PatchOptions,
    draft: Draft,
    done: Sequence[RecordResult],
    *,
    records: int,
) -> PatchOutcome:
    """The publication of what was staged, unless nothing was. Raises PatchRefused."""
    failed = [result for result in done if result.error is not None]
    told = [result.as_json() for result in done]
    if failed and options.on_error == OnError.ABORT:
        problems = [_problem(index, result, records) for index, result in enumerate(done) if result.error]
        # Of the others nothing is said: "unchanged" would tell a guess at what is there from a wrong one, for nothing.
        results, deleted = (
            [told[i] for i in half if done[i].error] for half in (range(records), range(records, len(done)))
        )
        raise PatchRefused(errors=problems[:100], results=results, deleted=deleted)
    staged = count_staged(draft.dataset_id, [draft])[draft.pk].total
    if not staged:
        remove_draft(draft)
        return PatchOutcome(told[:records], told[records:], None)
    publication: Publication = queue_publication(
        principal,
        draft,
        staged=staged,
        rebase=not options.expected,
        purpose=patch.purpose,
        kind=VersionKind.PATCH,
    )
    return PatchOutcome(told[:records], told[records:], publication.pk)


def _problem(index: int, result: RecordResult, records: int) -> FieldProblem:
    assert result.error is not None
    name = "records" if index < records else "delete"
    return FieldProblem(f"/{name}/{result.index}", detail_of(result.error))
