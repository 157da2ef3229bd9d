"""Ask for a draft to become the next version of its branch."""

from dataclasses import dataclass
from uuid import UUID

import orjson
from django.conf import settings
from django.utils import timezone

from access.services.authorize import authorize, shows_raw
from access.services.idempotency import begin_attempt, fingerprint_of, store_answer
from access.services.keyring import seal_column
from datasets.errors import VersionLabelTaken
from datasets.errors.branches import BranchMoved
from datasets.errors.drafts import EmptyDraft, PublicationNotFound
from datasets.models import Dataset, Draft, DraftStatus, Publication, Version, VersionKind
from datasets.selectors import get_dataset, not_visible, resource_of
from datasets.services.branches import get_branch, require_writable
from datasets.services.descriptions import refuse_personal_data
from datasets.services.drafts.find import count_staged, find_draft_or_none, find_open_draft, lock_open_draft
from datasets.services.history import merge_base
from datasets.services.ingest.commit import new_seed
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.jobs import enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal


@dataclass(frozen=True)
class PublishOptions:
    """``message`` replaces the draft's description; ``rebase`` puts the changes on whatever the branch has become."""

    message: str = ""
    rebase: bool = False


def request_publication(
    principal: Principal,
    *,
    dataset_id: UUID,
    name: str,
    options: PublishOptions,
    key: str = "",
    is_awaited: bool = True,
) -> Publication:
    """Begin to publish a draft, in the open scope: nothing can be staged in it any more.

    A small one waits for ``run_publication`` in the same request (and for the reaper, should that die), a larger one
    for a worker; so does any that is not ``is_awaited``. A repetition under the same ``key`` gives the publication of
    the first request.

    Raises DatasetNotFound, AccessDenied, VersionNotFound, VersionSealed, DraftBusy, EmptyDraft, BranchNotFound,
    BranchProtected, BranchMoved, VersionLabelTaken, PersonalDataInText, RequestInFlight, IdempotencyMismatch.
    """
    dataset = get_dataset(principal, dataset_id, action="record.write")
    decision = authorize(principal, "record.write", resource_of(dataset))
    found = find_draft_or_none(dataset.pk, name)
    fingerprint = fingerprint_of(orjson.dumps([options.message, options.rebase]))
    route = f"POST publish {dataset.pk} {found.pk if found else name}"
    attempt = begin_attempt(principal, route=route[:200], key=key) if key else None
    if attempt is not None:
        attempt.require_same(fingerprint)
        if attempt.answer is not None:
            return Publication.objects.get(pk=attempt.answer["publication"])
    refuse_personal_data(message=options.message)
    draft = lock_open_draft(dataset.pk, find_open_draft(dataset, name).pk)
    staged = _require_publishable(dataset, draft, rebase=options.rebase)
    publication = queue_publication(
        principal, draft, staged=staged, rebase=options.rebase, message=options.message, purpose=decision.purpose or ""
    )
    if attempt is not None:
        store_answer(attempt, fingerprint=fingerprint, answer={"publication": str(publication.pk)})
    if not is_awaited or not is_inline(publication):
        enqueue(publication)
    return publication


def is_inline(publication: Publication) -> bool:
    """Whether the request that asked for it does the work itself."""
    return publication.kind == VersionKind.PATCH or publication.staged_count <= settings.PUBLISH_INLINE_RECORDS


def _require_publishable(dataset: Dataset, draft: Draft, *, rebase: bool) -> int:
    """How many records are staged."""
    head = get_branch(dataset, draft.branch).head
    require_writable(dataset, draft.branch)
    staged = count_staged(dataset.pk, [draft])[draft.pk].total
    if not staged:
        raise EmptyDraft
    if draft.label and Version.objects.filter(dataset=dataset, label=draft.label).exists():
        raise VersionLabelTaken(label=draft.label)
    if not rebase and (head.pk if head else None) != draft.parent_id:
        raise branch_moved(draft.parent, head)
    return staged


def branch_moved(parent: Version | None, head: Version | None) -> BranchMoved:
    """The problem that says where draft and branch parted, and that a rebase may help."""
    base = merge_base(parent, head) if parent and head else None
    return BranchMoved(
        "The branch has moved since the draft was opened; publish with rebase to put its changes on the new head",
        merge_base=base.label if base else None,
        head=head.label if head else None,
        rebase=True,
    )


def queue_publication(
    principal: Principal,
    draft: Draft,
    *,
    staged: int,
    rebase: bool,
    message: str = "",
    purpose: str = "",
    kind: VersionKind = VersionKind.PUBLISH,
) -> Publication:
    """The job's row, in the open scope, which holds the draft; nobody is woken for it yet."""
    identifier = uuid7()
    publication = Publication(
        id=identifier,
        dataset_id=draft.dataset_id,
        draft=draft,
        kind=kind,
        branch=draft.branch,
        rebase=rebase,
        label=draft.label,
        message=message or draft.description,
        seed=seal_column("publication-seed", identifier.bytes, new_seed().reveal()),
        staged_count=staged,
        checkpoint={"blind": not shows_raw(principal, resource_of(draft.dataset))},
        purpose=purpose,
        requested_by=principal.id,
        lease_until=new_lease(),
        created_at=timezone.now(),
        progress={"stage": "queued", "records": 0, "staged": staged},
    )
    publication.save(force_insert=True)
    Draft.objects.filter(pk=draft.pk).update(status=DraftStatus.PUBLISHING)
    return publication


def get_publication(principal: Principal, publication_id: UUID) -> Publication:
    """The publication, if its dataset is visible to ``principal``. Raises PublicationNotFound, AccessDenied."""
    rows = Publication.objects.filter(pk=publication_id, dataset__in=Dataset.objects.visible_to(principal))
    publication = rows.select_related("dataset", "version", "draft").first()
    if publication is None:
        raise not_visible(PublicationNotFound(), ResourceRef("publication", str(publication_id)), "version.read")
    authorize(principal, "version.read", resource_of(publication.dataset, publication.version))
    return publication
