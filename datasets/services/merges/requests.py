"""Merge requests: opened by one person, approved by another, merged as they were approved."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models.functions import Now

from access.selectors import hands_of
from access.services.authorize import authorize
from datasets.errors.merges import MergeRequestEnded, NotApproved, NothingToMerge, OwnWork
from datasets.models import (
    Branch,
    Dataset,
    Merge,
    MergeRequest,
    MergeReview,
    RequestState,
    Verdict,
    Version,
)
from datasets.selectors import get_dataset, resource_of
from datasets.services.branches import get_branch
from datasets.services.descriptions import refuse_personal_data
from datasets.services.history import ancestry, comes_from, merge_base, steps_from
from datasets.services.merges.lookup import get_merge_request
from datasets.services.merges.start import Wish, queue_merge
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.tenancy.principal import Principal


@dataclass(frozen=True)
class Standing:
    """How an open or ended request stands now.

    ``state`` is open, approved, changes_requested, merged or closed. ``source`` and ``target`` are the heads of its
    branches, None once they are gone; ``base`` is where the two parted. ``reviews`` come with whether each still
    counts, being of the source as it is now.
    """

    request: MergeRequest
    state: str
    source: Version | None
    target: Version | None
    base: Version | None
    reviews: tuple[tuple[MergeReview, bool], ...]

    @property
    def is_open(self) -> bool:
        return self.request.state == RequestState.OPEN


def open_merge_request(
    principal: Principal, *, dataset_id: UUID, title: str, source: str, target: str, description: str = ""
) -> MergeRequest:
    """Ask for a branch to be merged into another, in the open scope.

    Raises DatasetNotFound, AccessDenied, BranchNotFound, NothingToMerge, PersonalDataInText.
    """
    dataset = get_dataset(principal, dataset_id, action="merge.write")
    authorize(principal, "merge.write", resource_of(dataset))
    refuse_personal_data(title=title, description=description)
    theirs, ours = get_branch(dataset, source).head, get_branch(dataset, target).head
    if source == target or theirs is None or (ours is not None and comes_from(ours, theirs)):
        raise NothingToMerge
    request = MergeRequest.objects.create(
        dataset=dataset, title=title, description=description, source=source, target=target, author=principal.id
    )
    emit(_event(EventType.MERGE_REQUESTED, request, theirs))
    return request


def standing_of(request: MergeRequest) -> Standing:
    """Inside a scope."""
    source, target = _head(request, request.source), _head(request, request.target)
    if request.state == RequestState.MERGED:
        source = request.version
    reviews = tuple(
        (review, source is not None and bytes(review.head) == bytes(source.digest))
        for review in request.reviews.order_by("-id")
    )
    state = request.state
    if state == RequestState.OPEN:
        state = _state_of(review for review, counts in reviews if counts)
    base = merge_base(source, target) if source and target else None
    return Standing(request, state, source, target, base, reviews)


def _state_of(newest_first: Iterable[MergeReview]) -> str:
    """The last word of every reviewer counts, and one who asks for changes outweighs all who approve."""
    verdicts: dict[UUID, str] = {}
    for review in newest_first:
        verdicts.setdefault(review.reviewer, review.verdict)
    if Verdict.REQUEST_CHANGES in verdicts.values():
        return "changes_requested"
    return "approved" if Verdict.APPROVE in verdicts.values() else "open"


def _head(request: MergeRequest, name: str) -> Version | None:
    branch = Branch.objects.filter(dataset=request.dataset, name=name).select_related("head").first()
    return branch.head if branch else None


def review_request(principal: Principal, *, request_id: UUID, verdict: Verdict, comment: str = "") -> MergeReview:
    """Approve the source as it is now, or ask for changes, in the open scope.

    Raises MergeRequestNotFound, AccessDenied, MergeRequestEnded, NothingToMerge, OwnWork, PersonalDataInText.
    """
    request = _hold(principal, request_id, action="merge.review")
    standing = standing_of(request)
    if standing.source is None:
        raise NothingToMerge
    if hands_of(principal.id) & authors_of(standing):
        raise OwnWork
    refuse_personal_data(comment=comment)
    review = MergeReview.objects.create(
        request=request,
        reviewer=principal.id,
        verdict=verdict,
        comment=comment,
        head=bytes(standing.source.digest),
    )
    emit(_event(EventType.MERGE_REVIEWED, request, standing.source, verdict=str(verdict)))
    return review


def authors_of(standing: Standing) -> set[UUID]:
    """Who asked for the merge, and who staged, resolved or committed any version that it would bring; of a program,
    whoever made it too.
    """
    authors = {standing.request.author} | _commit_authors(standing.source, standing.target)
    return set().union(*map(hands_of, authors))


def _commit_authors(source: Version | None, target: Version | None) -> set[UUID]:
    """Who had a hand in the versions that ``source`` comes from and ``target`` does not."""
    if source is None:
        return set()
    known: set[UUID] = set()
    if target is not None:
        known = {step.id for step in ancestry(steps_from(target.dataset_id, target.sequence), target.pk)}
    steps = ancestry(steps_from(source.dataset_id, source.sequence), source.pk)
    brought = [step.id for step in steps if step.id not in known]
    hands = Version.objects.filter(pk__in=brought).values_list("author", "contributors")
    return {person for author, others in hands for person in (author, *map(UUID, others))}


def merge_request(principal: Principal, *, request_id: UUID, message: str = "", label: str = "") -> Merge:
    """Queue the merge of an approved request, exactly as it was approved, in the open scope.

    Raises MergeRequestNotFound, AccessDenied, MergeRequestEnded, NotApproved, BranchNotFound, PersonalDataInText,
    VersionLabelTaken.
    """
    request = _hold(principal, request_id, action="merge.write")
    standing = standing_of(request)
    if standing.state != "approved" or standing.source is None:
        raise NotApproved(state=standing.state)
    approved = {review.reviewer for review, counts in standing.reviews if counts and review.verdict == Verdict.APPROVE}
    authors = authors_of(standing)
    if not any(authors.isdisjoint(hands_of(reviewer)) for reviewer in approved):
        raise NotApproved(state=standing.state)
    wish = Wish(request.source, request.target, message=message or request.title, label=label)
    target = get_branch(request.dataset, request.target)
    return queue_merge(principal, request.dataset, wish, source=standing.source, target=target, request=request)


def close_request(principal: Principal, *, request_id: UUID) -> MergeRequest:
    """End a request without a merge. Raises MergeRequestNotFound, AccessDenied, MergeRequestEnded."""
    request = _hold(principal, request_id, action="merge.write")
    MergeRequest.objects.filter(pk=request.pk).update(state=RequestState.CLOSED, ended_by=principal.id, ended_at=Now())
    emit(_event(EventType.MERGE_CLOSED, request, None))
    request.refresh_from_db()
    return request


def _hold(principal: Principal, request_id: UUID, *, action: str) -> MergeRequest:
    """The open request, decided on, its dataset locked: no branch of it moves until the scope ends."""
    request = get_merge_request(principal, request_id, action=action)
    authorize(principal, action, resource_of(request.dataset))
    Dataset.objects.select_for_update().get(pk=request.dataset_id)
    request.refresh_from_db()
    if request.state != RequestState.OPEN:
        raise MergeRequestEnded(state=request.state)
    return request


def _event(kind: EventType, request: MergeRequest, source: Version | None, **facts: str) -> Event:
    told = {
        "merge_request": str(request.pk),
        "source": request.source,
        "target": request.target,
        **({"source_version": bytes(source.digest).hex()} if source else {}),
    }
    return Event(type=kind, operation="update", resource=resource_of(request.dataset, source), metadata=told | facts)
