"""A recorded decision as the question it was, so that it can be decided on again."""

from collections.abc import Mapping
from typing import Any, Final, cast

from access.factors.errors import SecondFactorRequired, StepUpRequired
from access.policy.cedar.schema import PRINCIPALS
from access.policy.decision import Obligation
from access.policy.question import Question, Subject
from access.ports import HeldGrant, RecordedDecision
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import PrincipalKind

#: Reasons of denials that no policy changes.
SETTLED: Final = frozenset(
    {
        "another tenant's principal",
        "outside the scopes of the credential",
        "outside the datasets of the credential",
        "no purpose stated",
        "unknown purpose",
        "the policy engine gives no answer",
        "an obligation that nothing enforces here",
        "a policy that binds has no active version",
        SecondFactorRequired.slug,
        StepUpRequired.slug,
    }
)


def question_of(recorded: RecordedDecision) -> Question | None:
    """The question; None where the event does not say what was decided on."""
    inputs = recorded.inputs
    if not inputs or recorded.actor_kind not in PRINCIPALS:
        return None
    return Question(
        subject=Subject(
            kind=cast("PrincipalKind", recorded.actor_kind),
            id=str(recorded.actor_id),
            roles=frozenset(inputs.get("roles", ())),
            permissions=frozenset(inputs.get("permissions", ())),
            groups=frozenset(inputs.get("groups", ())),
            attributes=inputs.get("attributes", {}),
            credential=inputs.get("credential", ""),
            mfa=bool(inputs.get("mfa", False)),
            auth_age=inputs.get("auth_age"),
        ),
        action=recorded.action,
        resource=_resource(recorded.resource, inputs),
        time=recorded.time,
        purpose=recorded.purpose or None,
        ip_address=recorded.ip_address,
        zone=inputs.get("zone", ""),
        grants=tuple(_grant(one) for one in inputs.get("grants", ())),
    )


def _resource(resource: ResourceRef, inputs: Mapping[str, Any]) -> ResourceRef:
    tags = inputs.get("tags")
    return ResourceRef(
        type=resource.type,
        id=resource.id,
        dataset_id=resource.dataset_id,
        classification=resource.classification or inputs.get("classification", ""),
        version=resource.version,
        tags=None if tags is None else tuple(tags),
        owner=inputs.get("owner", ""),
        residency=inputs.get("residency", ""),
        consent=inputs.get("consent", ""),
    )


def _grant(stored: Mapping[str, Any]) -> HeldGrant:
    return HeldGrant(
        id=stored["id"],
        kind=stored["kind"],
        actions=frozenset(stored["actions"]),
        obligations=tuple(Obligation.of(text) for text in stored["obligations"]),
    )
