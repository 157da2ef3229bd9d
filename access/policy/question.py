"""What a decision is made on: ids and codes, complete enough to be decided on again later."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, Final, Self
from uuid import UUID

from django.conf import settings

from access.policy.builtin import RULES, SHOWING, SHOWN
from access.policy.cedar.schema import is_about_datasets
from access.ports import HeldGrant
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal, PrincipalKind
from vaultsite.kernel.tenancy.scope import current_scope

#: What may stand in the record of a decision; other attribute values may be anything somebody typed.
_CODE: Final = re.compile(r"[A-Za-z0-9_.:@/+-]{1,64}")


@dataclass(frozen=True)
class Subject:
    """Who asks, as policies see them. ``permissions`` are those that matter to the action.

    ``attributes`` are ``department`` and ``clearance`` where known; ``auth_age`` is in seconds, None when nobody knows
    when they proved themselves.
    """

    kind: PrincipalKind
    id: str
    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    credential: str = ""
    mfa: bool = False
    auth_age: int | None = None

    @classmethod
    def of(cls, principal: Principal, action: str, now: datetime) -> Self:
        since = principal.authenticated_at
        return cls(
            kind=principal.kind,
            id=str(principal.id),
            roles=principal.roles,
            permissions=principal.permissions & relevant_permissions(action),
            groups=frozenset(map(str, principal.groups)),
            attributes={
                name: value
                for name, value in principal.attributes.items()
                if name in {"department", "clearance"} and isinstance(value, str) and value
            },
            credential=principal.credential.partition(":")[0],
            mfa=principal.mfa,
            auth_age=None if since is None else max(0, int((now - since).total_seconds())),
        )


@dataclass(frozen=True)
class Question:
    """May ``subject`` do ``action`` to ``resource`` now, for ``purpose``? ``time`` is aware, ``zone`` a code."""

    subject: Subject
    action: str
    resource: ResourceRef
    time: datetime
    purpose: str | None = None
    ip_address: str = ""
    zone: str = ""
    grants: tuple[HeldGrant, ...] = ()

    def with_grants(self, grants: tuple[HeldGrant, ...]) -> "Question":
        return replace(self, grants=grants)

    @property
    def is_about_dataset(self) -> bool:
        """Whether the resource is a Dataset to policies."""
        return is_about_datasets(self.action)

    @property
    def needs_dataset(self) -> bool:
        """Whether who is held to some datasets must name one of them: data, or what lies in one."""
        return self.is_about_dataset or self.resource.dataset_id is not None

    @property
    def may_be_granted(self) -> bool:
        """Whether somebody may have been given this beside their roles."""
        return self.needs_dataset or self.action == "dataset.list"

    @property
    def dataset_id(self) -> str:
        """The dataset the resource is, or lies in; empty where there is none."""
        if self.resource.dataset_id is not None:
            return str(self.resource.dataset_id)
        return self.resource.id if self.resource.type == "dataset" else ""

    def as_inputs(self) -> dict[str, Any]:
        """What the event of the decision keeps beside the actor, the resource, the purpose and the time.

        Ids and codes alone: an attribute that is no code is left out, and so is the address, which the event seals.
        """
        who, what = self.subject, self.resource
        facts: dict[str, Any] = {
            "roles": sorted(who.roles),
            "permissions": sorted(who.permissions),
            "groups": sorted(who.groups),
            "attributes": {name: value for name, value in who.attributes.items() if _CODE.fullmatch(value)},
            "credential": who.credential,
            "mfa": who.mfa,
            "auth_age": who.auth_age,
            "tags": None if what.tags is None else sorted(tag for tag in what.tags if _CODE.fullmatch(tag)),
            "owner": what.owner,
            "residency": what.residency if _CODE.fullmatch(what.residency) else "",
            "consent": what.consent if _CODE.fullmatch(what.consent) else "",
            "zone": self.zone,
            "grants": [_grant_facts(grant) for grant in self.grants],
        }
        return {name: value for name, value in facts.items() if value not in (None, "", False, {}, [])} | (
            {"tags": facts["tags"]} if facts["tags"] is not None else {}
        )


def ask(principal: Principal, action: str, resource: ResourceRef, purpose: str | None) -> Question:
    """What a principal asks in the open scope, now."""
    now = datetime.now(UTC)
    return Question(
        subject=Subject.of(principal, action, now),
        action=action,
        resource=resource,
        time=now,
        purpose=purpose,
        ip_address=current_scope().request.ip_address,
        zone=settings.VAULT.get("ZONE", ""),
    )


def relevant_permissions(action: str) -> frozenset[str]:
    """The permissions that can matter to ``action``; none for one that no rule knows."""
    rule = RULES.get(action)
    if rule is None:
        return frozenset()
    return rule.permissions | SHOWN if action in SHOWING else rule.permissions


def valid_address(text: str) -> str:
    """``text`` when it is an IP address, else empty: what is not known is not asked for."""
    if not text:
        return ""
    try:
        return str(ip_address(text))
    except ValueError:
        return ""


def _grant_facts(grant: HeldGrant) -> dict[str, Any]:
    return {
        "id": grant.id,
        "kind": grant.kind,
        "actions": sorted(grant.actions),
        "obligations": [str(obligation) for obligation in grant.obligations],
    }


def as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
