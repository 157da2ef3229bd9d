"""Ask for a subject's package, look at it, hand it out, take it back."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from access.errors import AccessDenied
from access.selectors import still_holds
from access.services.authorize import authorize
from compliance.errors.requests import (
    LinkRefused,
    NoMatches,
    NotOfThisType,
    NotPortable,
    PackageExpired,
    PackageNotFound,
    PackageNotReady,
    RecordsNotShown,
)
from compliance.models import RequestPackage, SubjectLink, SubjectRequest
from compliance.models.link import LinkKind
from compliance.models.request import LegalBasis, RequestType
from compliance.requests.links import end_links, mail_package_link, use_link
from compliance.requests.matches import matches_of
from compliance.requests.package_parts import read_part
from compliance.requests.package_removal import remove_due, remove_now
from compliance.requests.searches import require_reviewed
from compliance.requests.selectors import get_locked, get_request
from compliance.requests.states import State, locked, move, require_state, resource_of_request, tell
from datasets.errors.quarantine import VersionQuarantined
from datasets.models.version import DEFAULT_BRANCH
from datasets.services.subject_records import Source, is_current, open_sources
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.jobs import FINAL, JobStatus, enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import current_scope, tenant_scope
from vaultsite.kernel.upkeep import add_up, first_of_each

ACTION: Final = "subject_request.package"
_TYPES: Final = (RequestType.ACCESS, RequestType.PORTABILITY)
_PORTABLE: Final = (LegalBasis.CONSENT, LegalBasis.CONTRACT)
_BATCH: Final = 200


def request_package(principal: Principal, *, request_id: UUID) -> RequestPackage:
    """Queue the collecting of the subject's records as they are now on every branch, in the open scope.

    One before is taken back.

    Reading every dataset is decided on, for the purpose that was stated, and recorded. Raises AccessDenied,
    SubjectRequestNotFound, WrongRequestState, NotOfThisType, NotPortable, SearchUnderWay, SubjectSearchTruncated,
    MatchesUndecided, NoMatches, RecordsNotShown, and what ``open_sources`` raises.
    """
    authorize(principal, ACTION, resource_of_request(request_id))
    request = locked(request_id)
    require_state(request, State.REVIEW, State.EXECUTING)
    _require_answerable(request)
    require_reviewed(request)
    sources = [one for match in matches_of(request) for one in _opened(principal, match.dataset_id)]
    if not sources:
        raise NoMatches
    for earlier in RequestPackage.objects.filter(request=request, removal_due_at=None, removed_at=None):
        take_back(earlier.pk)
    package = RequestPackage.objects.create(
        request=request,
        purpose=current_scope().purpose or "",
        sources=[
            {name: str(value) if value is not None else "" for name, value in asdict(source).items()}
            for source in sources
        ],
        requested_by=principal.id,
        lease_until=new_lease(),
        created_at=timezone.now(),
        progress={"stage": "queued"},
    )
    if request.state == State.REVIEW:
        move(request, State.EXECUTING)
    tell_of(
        EventType.SUBJECT_PACKAGE_REQUESTED,
        package,
        operation="write",
        datasets=len({source.dataset_id for source in sources}),
    )
    enqueue(package)
    return package


def _opened(principal: Principal, dataset_id: UUID, purpose: str | None = None) -> list[Source]:
    """Every branch of a dataset. Raises RecordsNotShown, and what ``open_sources`` raises."""
    sources, is_raw = open_sources(principal, dataset_id, purpose=purpose)
    if not is_raw:
        raise RecordsNotShown
    return sources


def _require_answerable(request: SubjectRequest) -> None:
    if request.type not in _TYPES:
        raise NotOfThisType(asks_for=request.type)
    if request.type == RequestType.PORTABILITY and request.legal_basis not in _PORTABLE:
        raise NotPortable


def tell_of(kind: EventType, package: RequestPackage, *, operation: str = "update", **facts: Any) -> None:
    """Emit an event about a package: counts and ids."""
    tell(kind, package.request, operation=operation, package=str(package.pk), **facts)


def newest_package(request: SubjectRequest) -> RequestPackage | None:
    """The one asked for last, in the open scope."""
    return RequestPackage.objects.filter(request=request).select_related("request").order_by("-id").first()


def get_package(principal: Principal, *, request_id: UUID, action: str = ACTION) -> RequestPackage:
    """The one asked for last. Raises AccessDenied, SubjectRequestNotFound, PackageNotFound."""
    found = newest_package(get_request(principal, request_id, action=action))
    if found is None:
        raise PackageNotFound
    return found


def open_package(principal: Principal, *, request_id: UUID) -> RequestPackage:
    """Decide on handing out the file to an officer, in the open scope.

    Reading every dataset is decided on anew, for the purpose of the package. Raises AccessDenied,
    SubjectRequestNotFound, PackageNotFound, PackageExpired, PackageNotReady, RecordsNotShown, and what
    ``open_sources`` raises.
    """
    package = get_package(principal, request_id=request_id)
    require_file(package)
    for dataset_id in dict.fromkeys(source.dataset_id for source in sources_of(package)):
        _opened(principal, dataset_id, package.purpose)
    return package


def sources_of(package: RequestPackage) -> list[Source]:
    """What the package is of, as it was decided on when it was asked for."""
    return [_source(stored) for stored in package.sources]


def _source(stored: dict[str, str]) -> Source:
    version = UUID(stored["version_id"]) if stored["version_id"] else None
    branch = stored.get("branch", DEFAULT_BRANCH)  # packages from before there was more than one
    return Source(UUID(stored["dataset_id"]), stored["name"], branch, version, stored["label"], int(stored["epoch"]))


def require_file(package: RequestPackage) -> None:
    """That there is a file, and may still be, in the open scope. Raises PackageExpired, PackageNotReady."""
    if package.is_taken_back or (package.expires_at is not None and package.expires_at <= timezone.now()):
        raise PackageExpired
    if not package.has_file:
        raise PackageNotReady(status_of_package=package.status)
    if not _is_whole(package):
        raise PackageExpired


def _is_whole(package: RequestPackage) -> bool:
    """Whether nothing that the file is of was erased or put into quarantine since."""
    try:
        return all(map(is_current, sources_of(package)))
    except VersionQuarantined:
        return False


def mail_link(principal: Principal, *, request_id: UUID) -> SubjectLink:
    """Mail the subject a link to the package.

    Raises AccessDenied, SubjectRequestNotFound, PackageNotFound, PackageExpired, PackageNotReady, NoMailAddress.
    """
    request = get_locked(principal, request_id)
    package = newest_package(request)
    if package is None:
        raise PackageNotFound
    require_file(package)
    link = mail_package_link(request, package)
    tell_of(EventType.SUBJECT_PACKAGE_SENT, package)
    return link


def open_by_link(token: str) -> RequestPackage:
    """Use a package link once, in the open scope. Raises LinkRefused: also where the file is gone or outdated."""
    link = use_link(LinkKind.PACKAGE, token)
    if link.package is None:
        raise LinkRefused
    try:
        require_file(link.package)
    except (PackageExpired, PackageNotReady):
        raise LinkRefused from None
    package: RequestPackage = link.package
    package.request = link.request
    return package


def name_of(package: RequestPackage) -> str:
    """The file's name."""
    return f"{package.request.type}-{package.request.reference}.zip"


def stream_package(
    package: RequestPackage, principal: Principal, request: RequestFacts, *, by_link: bool = False
) -> Iterator[bytes]:
    """The file part by part; its end is an event of its own. Needs no open scope: each part has a short one.

    Stops when the officer's credential ended or the file was taken back meanwhile.
    """
    sent, outcome = 0, "failure"
    try:
        for number, (name, _) in enumerate(package.parts):
            with tenant_scope(principal.tenant_id, principal, request):
                if not by_link and not still_holds(principal):
                    outcome = "denied"
                    raise AccessDenied
                body = read_part(package, number, name)
            yield body
            sent += len(body)
        outcome = "success"
    finally:
        with tenant_scope(principal.tenant_id, principal, request):
            facts = {"bytes_transferred": sent, "records_accessed": package.record_count, "by_link": by_link}
            tell_of(EventType.SUBJECT_PACKAGE_DOWNLOADED, package, operation="export", ended=outcome, **facts)


def take_back(package_id: UUID) -> bool:
    """In the open scope: end a package and its links; False when it had none left.

    Its file goes once this is committed, or, while its store is away or is another process's, later.
    """
    package = RequestPackage.objects.select_for_update().select_related("request").filter(pk=package_id).first()
    if package is None or package.is_taken_back or package.status in (JobStatus.FAILED, JobStatus.CANCELLED):
        return False
    rows = RequestPackage.objects.filter(pk=package_id)
    if package.status in FINAL:
        rows.update(removal_due_at=Now())
    else:
        # Its worker, if there is one, can write nothing more.
        rows.update(removal_due_at=Now(), status=JobStatus.CANCELLED, finished_at=Now(), fence=F("fence") + 1)
    end_links(package.request, LinkKind.PACKAGE)
    transaction.on_commit(lambda: remove_now(package), robust=True)
    return True


def expire_packages() -> int:
    """As vault_system, over all tenants: take back the packages past their time; returns how many.

    The files that could not be removed when theirs were taken back are tried again.
    """
    remove_due()
    rows = RequestPackage.objects.using("system").filter(
        status=JobStatus.SUCCEEDED, removal_due_at=None, removed_at=None, expires_at__lt=Now()
    )
    return add_up(_expire, first_of_each(rows, by="expires_at", limit=_BATCH))


def _expire(tenant_id: UUID, package_id: UUID) -> bool:
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        if not take_back(package_id):
            return False
        package = RequestPackage.objects.select_related("request").get(pk=package_id)
        tell_of(EventType.SUBJECT_PACKAGE_EXPIRED, package, operation="delete")
    return True
