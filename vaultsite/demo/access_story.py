"""What has happened to access in a demo tenant: rules, grants, an emergency, programs, a review, and refusals."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from access.leases.terms import Terms
from access.models import (
    AccessRequest,
    AccessReview,
    BreakGlass,
    GrantKind,
    Group,
    ServiceAccount,
    Shown,
    Tenant,
    User,
    Verdict,
)
from access.services.access_requests import approve_request, refuse_request, request_access
from access.services.api_keys import KeyLimits, create_api_key, rotate_api_key
from access.services.break_glass import call_emergency, confirm_emergency, end_emergency
from access.services.groups import add_members, create_group
from access.services.metering import charge
from access.services.reviews import Campaign, decide_item, list_items, start_review
from access.services.roles import create_role
from access.services.service_accounts import create_service_account, disable_service_account
from datasets.models import Dataset, DatasetUserPermission
from datasets.services.lifecycle import delete_dataset
from datasets.services.permissions import grant_permission
from datasets.services.read import open_release, read_records
from vaultsite.demo.access_policies import write_policies
from vaultsite.demo.people import acting_as
from vaultsite.kernel.errors import VaultError

_DAY: Final = 86_400
#: The last thing that is made: where it is, all is.
_REVIEW: Final = "Grants of the fourth quarter"
_CHATS: Final = "support-chats"
_PREFERENCES: Final = "preference-pairs"
_PAIRS: Final = "instruction-pairs"
_EVALUATION: Final = "evaluation-set"
_ACCOUNT: Final = "evaluation-runner"


@dataclass(frozen=True)
class _Reading:
    """Somebody opens records of a dataset, ``rows`` of them; a purpose may be missing."""

    who: str
    dataset: str
    purpose: str | None
    rows: int = 25


_READINGS: Final = (
    _Reading("data-scientist", _CHATS, "model-training"),
    _Reading("ml-engineer", _CHATS, "debugging"),
    _Reading("data-steward", _CHATS, "debugging"),
    _Reading("analyst", _PAIRS, "analytics"),
    _Reading("data-scientist", _EVALUATION, None),
    _Reading("viewer", _CHATS, "analytics"),
    _Reading("security-officer", _CHATS, "debugging"),
)


def tell_access_story(tenant: Tenant, say: Callable[[str], None]) -> None:
    """Make it, or what is missing of it. Needs the sample datasets and the users of the tenant."""
    with acting_as(tenant, "tenant-admin"):
        if AccessReview.objects.filter(name=_REVIEW).exists():
            return
        datasets = dict(Dataset.objects.values_list("name", "pk"))
    for step in (
        _work_and_be_refused,
        _ask_for_access,
        _give_permission,
        _break_the_glass,
        _gather_people,
        _make_programs,
    ):
        step(tenant, datasets)
    write_policies(tenant)
    _review(tenant, datasets)
    say(f"{tenant.slug}: access policies, requests, a lease, an emergency and a review to look at")


def _work_and_be_refused(tenant: Tenant, datasets: dict[str, UUID]) -> None:
    """An ordinary day; what somebody may not is refused and recorded, as always."""
    for reading in _READINGS:
        _read(tenant, reading, datasets[reading.dataset])
    with acting_as(tenant, "analyst") as analyst:
        _attempt(lambda: delete_dataset(analyst, dataset_id=datasets[_EVALUATION]))


def _read(tenant: Tenant, reading: _Reading, dataset_id: UUID) -> None:
    def read() -> None:
        with acting_as(tenant, reading.who, purpose=reading.purpose) as reader:
            release = open_release(reader, dataset_id=dataset_id, version="main", counts_rows=True)
            charge(release.decision, sum(1 for _ in read_records(release, limit=reading.rows)))

    _attempt(read)


def _attempt(deed: Callable[[], object]) -> None:
    """Do it, or be refused."""
    try:
        deed()
    except VaultError as refusal:
        if refusal.outcome != "denied":
            raise


def _ask_for_access(tenant: Tenant, datasets: dict[str, UUID]) -> None:
    """One lease that is read under, one refused request, and one that waits for its second approval."""
    with acting_as(tenant, "viewer"):
        if AccessRequest.objects.exists():
            return
    pilot = Terms("read", Shown.MASK, "evaluation", 14 * _DAY, row_quota=200)
    lease = _request(tenant, "viewer", datasets[_PREFERENCES], pilot, "Check the answers of the November pilot by hand")
    with acting_as(tenant, "data-steward") as steward:
        approve_request(steward, request_id=lease, reason="A small sample, masked, is enough for the check")
    _read(tenant, _Reading("viewer", _PREFERENCES, "evaluation", rows=120), datasets[_PREFERENCES])
    all_raw = Terms("read", Shown.RAW, "analytics", 90 * _DAY)
    wide = _request(tenant, "analyst", datasets[_PREFERENCES], all_raw, "I would like to look around")
    with acting_as(tenant, "data-steward") as steward:
        refuse_request(steward, request_id=wide, reason="Too wide: ask for what the question needs, masked")
    dispute = Terms("read", Shown.RAW, "debugging", 7 * _DAY, row_quota=50)
    reason = "Customers dispute three answers about refunds; we need the original wording"
    waiting = _request(tenant, "legal-counsel", datasets[_CHATS], dispute, reason)
    with acting_as(tenant, "data-steward") as steward:
        approve_request(steward, request_id=waiting, reason="The dispute is known to the support team")


def _request(tenant: Tenant, who: str, dataset_id: UUID, terms: Terms, justification: str) -> UUID:
    with acting_as(tenant, who) as person:
        return request_access(person, dataset_id=dataset_id, terms=terms, justification=justification).pk


def _give_permission(tenant: Tenant, datasets: dict[str, UUID]) -> None:
    """The viewer works with one more dataset, redacted, until somebody takes it away."""
    with acting_as(tenant, "viewer") as viewer:
        pass
    with acting_as(tenant, "data-steward") as steward:
        if not DatasetUserPermission.objects.exists():
            grant_permission(steward, dataset_id=datasets[_PAIRS], user_id=viewer.id, level="read_redacted")


def _break_the_glass(tenant: Tenant, datasets: dict[str, UUID]) -> None:
    """Called for, opened by a second person, used, closed early; nobody has looked at it yet."""
    with acting_as(tenant, "ml-engineer") as engineer:
        if BreakGlass.objects.exists():
            return
        call = call_emergency(
            engineer,
            dataset_id=datasets[_CHATS],
            purpose="debugging",
            reason="The support bot quotes other conversations since this morning",
            seconds=3600,
        )
    with acting_as(tenant, "security-officer") as officer:
        confirm_emergency(officer, call_id=call.pk)
    _read(tenant, _Reading("ml-engineer", _CHATS, "debugging", rows=40), datasets[_CHATS])
    with acting_as(tenant, "ml-engineer") as engineer:
        end_emergency(engineer, call_id=call.pk)


def _gather_people(tenant: Tenant, _: dict[str, UUID]) -> None:
    """A team, and a role of the organization's own that inherits a built-in one."""
    with acting_as(tenant, "tenant-admin") as admin:
        if Group.objects.exists():
            return
        team = create_group(admin, display_name="Evaluation team", description="Judges answers before a model ships")
        members = User.objects.filter(username__in=("analyst", "viewer")).values_list("pk", flat=True)
        add_members(admin, group_id=team.pk, user_ids=list(members))
        create_role(
            admin,
            code="evaluation_lead",
            name="Evaluation lead",
            description="A data scientist who also takes part in access reviews.",
            permissions=["review.decide"],
            inherits=["data_scientist"],
        )


def _make_programs(tenant: Tenant, datasets: dict[str, UUID]) -> None:
    """A service account whose key is being replaced, and one out of use. Nobody keeps the tokens."""
    with acting_as(tenant, "tenant-admin") as admin:
        if ServiceAccount.objects.exists():
            return
        runner = create_service_account(
            admin, name=_ACCOUNT, description="Evaluates each model before it ships", roles=["data_scientist"]
        )
        limits = KeyLimits(scopes=["vault:read"], allowed_networks=["10.20.0.0/16"], datasets=[datasets[_EVALUATION]])
        key, _ = create_api_key(
            admin, name="nightly run", service_account_id=runner.pk, default_purpose="evaluation", limits=limits
        )
        rotate_api_key(admin, key_id=key.pk, overlap=timedelta(days=2))
        former = create_service_account(admin, name="weekly-report", description="Replaced by statistics with noise")
        disable_service_account(admin, account_id=former.pk)


def _review(tenant: Tenant, datasets: dict[str, UUID]) -> None:
    """Two reviewers look at what was granted beside the roles; one grant is decided on."""
    reviewers = []
    for who in ("data-steward", "privacy-officer"):
        with acting_as(tenant, who) as reviewer:
            reviewers.append(reviewer.id)
    kinds = [GrantKind.PERMISSION, GrantKind.LEASE]
    with acting_as(tenant, "privacy-officer") as officer:
        review = start_review(officer, Campaign(_REVIEW, kinds, reviewers, timezone.now() + timedelta(days=10)))
        items = list_items(review, limit=len(datasets))
        held = next(item for item in items if item.kind == GrantKind.PERMISSION)
        reason = "The viewer labels these pairs until the end of the year"
        decide_item(officer, review_id=review.pk, item_id=held.pk, verdict=Verdict.KEEP, reason=reason)
