"""The access policies of a demo tenant: one in force in its second version, one drafted and replayed."""

from typing import Final

from access.models import AccessPolicy, PolicyReplay, Tenant
from access.policy.form import RuleForm
from access.services.policies import activate_version, draft_policy, draft_version, retire_version
from access.services.replays import run_replay, start_replay
from vaultsite.demo.people import acting_as

_ADMIN: Final = "tenant-admin"
_SAMPLES: Final = "viewers-see-samples"
_DEBUGGING: Final = "no-debugging-on-personal-data"


def _samples(rows: int) -> RuleForm:
    return RuleForm(
        "permit",
        who="role",
        who_id="viewer",
        actions=("record.read",),
        tags=("evaluation",),
        purposes=("evaluation",),
        obligations=("anonymize:redact", f"row_limit:{rows}"),
    )


def write_policies(tenant: Tenant) -> None:
    """Make them, or what is missing of them."""
    with acting_as(tenant, _ADMIN):
        known = set(AccessPolicy.objects.values_list("name", flat=True))
        is_replayed = PolicyReplay.objects.exists()
    if _SAMPLES not in known:
        _enact_samples(tenant)
    if _DEBUGGING not in known:
        _draft_debugging(tenant)
    if not is_replayed:
        _replay_debugging(tenant)


def _enact_samples(tenant: Tenant) -> None:
    """A thousand records were too many for a look: the second version shows fifty."""
    with acting_as(tenant, _ADMIN) as admin:
        wide = draft_policy(
            admin,
            name=_SAMPLES,
            description="Viewers may look at a few records of evaluation sets, redacted",
            form=_samples(1000).as_json(),
        )
        narrow = draft_version(admin, policy_id=wide.policy_id, form=_samples(50).as_json())
    with acting_as(tenant, "security-officer") as officer:
        for version in (wide, narrow):
            activate_version(officer, policy_id=version.policy_id, number=version.number)


def _draft_debugging(tenant: Tenant) -> None:
    """The first draft would have stopped the stewards as well, and was dropped."""
    everybody = RuleForm("forbid", actions=("record.read",), classifications=("pii",), purposes=("debugging",))
    engineers = RuleForm(
        "forbid",
        who="role",
        who_id="ml_engineer",
        actions=("record.read",),
        classifications=("pii",),
        purposes=("debugging",),
    )
    with acting_as(tenant, _ADMIN) as admin:
        first = draft_policy(
            admin,
            name=_DEBUGGING,
            description="Faults are looked for in data without people in it",
            form=everybody.as_json(),
        )
        retire_version(admin, policy_id=first.policy_id, number=first.number)
        draft_version(admin, policy_id=first.policy_id, form=engineers.as_json())


def _replay_debugging(tenant: Tenant) -> None:
    with acting_as(tenant, _ADMIN) as admin:
        policy = AccessPolicy.objects.get(name=_DEBUGGING)
        replay = start_replay(admin, policy_id=policy.pk, number=2, days=30)
    # A worker that was faster has claimed it already; without one it is done here.
    run_replay(tenant.pk, replay.pk)
