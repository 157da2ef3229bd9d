"""What the evidence of a demo tenant tells: a day of reading, a policy somebody tried to break, a canary that was read.

All of it happens when the demo is seeded, through the same services as anybody's work: no event has another time than
its own, so the home page shows today, and fills as the demo is used.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from access.models import AccessPolicy, Tenant
from access.policy.form import RuleForm
from access.services.metering import charge
from access.services.policies import activate_version, draft_policy
from datasets.models import Canary, Dataset
from datasets.services.canaries import place_canaries
from datasets.services.read import open_release, read_record, read_records
from vaultsite.demo.people import acting_as
from vaultsite.kernel.errors import VaultError

_CHATS: Final = "support-chats"
_PAIRS: Final = "instruction-pairs"
_PREFERENCES: Final = "preference-pairs"
_EVALUATION: Final = "evaluation-set"
_CANARY: Final = "evaluation-0200"
_POLICY: Final = "analysts-train-no-models"


@dataclass(frozen=True)
class _Shift:
    """Somebody reads pages of a dataset: ``times`` of them, ``rows`` records each."""

    who: str
    dataset: str
    purpose: str
    times: int
    rows: int


_DAY: Final = (
    _Shift("data-scientist", _CHATS, "model-training", 6, 50),
    _Shift("data-scientist", _PAIRS, "model-training", 4, 100),
    _Shift("ml-engineer", _EVALUATION, "evaluation", 5, 40),
    _Shift("analyst", _PAIRS, "analytics", 3, 30),
    _Shift("data-steward", _CHATS, "debugging", 2, 10),
    _Shift("privacy-officer", _PREFERENCES, "debugging", 2, 10),
    # These two are refused: one has no role for it, the other meets a policy.
    _Shift("viewer", _PREFERENCES, "analytics", 2, 1),
    _Shift("analyst", _PREFERENCES, "model-training", 3, 20),
)


def tell_evidence_story(tenant: Tenant, say: Callable[[str], None]) -> None:
    """Make it, or what is missing of it. Needs the sample datasets and the users of the tenant."""
    with acting_as(tenant, "data-steward"):
        datasets = dict(Dataset.objects.values_list("name", "pk"))
        is_told = Canary.objects.exists()
    if is_told:
        return
    _forbid_training(tenant)
    for shift in _DAY:
        for _ in range(shift.times):
            _attempt(tenant, shift, datasets[shift.dataset])
    _read_a_canary(tenant, datasets[_EVALUATION])
    say(f"{tenant.slug}: a day of reading, a policy tried and a canary read, for the home page and the alerts")


def _forbid_training(tenant: Tenant) -> None:
    """A policy of the organization's own that somebody will meet."""
    with acting_as(tenant, "tenant-admin") as admin:
        if AccessPolicy.objects.filter(name=_POLICY).exists():
            return
        form = RuleForm("forbid", who="role", who_id="analyst", actions=("record.read",), purposes=("model-training",))
        version = draft_policy(
            admin, name=_POLICY, description="Analysts read for analytics, not for training", form=form.as_json()
        )
    with acting_as(tenant, "security-officer") as officer:
        activate_version(officer, policy_id=version.policy_id, number=version.number)


def _attempt(tenant: Tenant, shift: _Shift, dataset_id: UUID) -> None:
    """One page of a shift, or the refusal of it."""
    try:
        with acting_as(tenant, shift.who, purpose=shift.purpose) as reader:
            release = open_release(reader, dataset_id=dataset_id, version="main", counts_rows=True)
            charge(release.decision, sum(1 for _ in read_records(release, limit=shift.rows)))
    except VaultError as refusal:
        if refusal.outcome != "denied":
            raise


def _read_a_canary(tenant: Tenant, dataset_id: UUID) -> None:
    """A record nobody has a reason to read, and somebody who reads it; last: a story cut short is told again."""
    with acting_as(tenant, "data-steward") as steward:
        place_canaries(steward, dataset_id=dataset_id, record_ids=[_CANARY])
    with acting_as(tenant, "data-scientist", purpose="evaluation") as reader:
        read_record(open_release(reader, dataset_id=dataset_id, version="main"), _CANARY)
