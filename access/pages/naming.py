"""What screens call the things that decisions name by id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from access.models import AccessPolicy
from access.policy.question import as_uuid
from access.ports import dataset_directory, resource_source
from access.selectors import UNKNOWN, people_named
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

_OFFERED: Final = 500
_PEOPLE: Final = frozenset({"user", "service_account", "api_key"})
_GRANTS: Final[Mapping[str, str]] = {
    "lease": "a lease",
    "break_glass": "an emergency",
    "permission": "a standing permission",
}


@dataclass(frozen=True)
class Thing:
    """``kind`` of it in words, its ``name`` (empty: it has none, or none is known), ``id`` as decisions write it."""

    kind: str
    name: str
    id: str


def things_named(principal: Principal, resources: Sequence[ResourceRef]) -> list[Thing]:
    """Each of ``resources`` in order, on a page that ``principal`` reads: three queries for all of them."""
    ids = [as_uuid(one.id) if one.id else None for one in resources]
    people = people_named(principal, [key for one, key in zip(resources, ids, strict=True) if one.type in _PEOPLE])
    datasets = dataset_directory().describe({one.dataset_id for one in resources if one.dataset_id})
    policies = {key for one, key in zip(resources, ids, strict=True) if one.type == "access_policy" and key}
    names: dict[UUID, str] = {key: name for key, name in people.items() if name != UNKNOWN}
    names |= {key: known.name for key, known in datasets.items()}
    names |= dict(AccessPolicy.objects.filter(pk__in=policies).values_list("pk", "name"))
    return [_thing(one, key, names) for one, key in zip(resources, ids, strict=True)]


def _thing(resource: ResourceRef, key: UUID | None, names: Mapping[UUID, str]) -> Thing:
    name = names.get(key, "") if key else ""
    if not name and resource.dataset_id is not None:
        name = names.get(resource.dataset_id, "")
    return Thing(resource.type.replace("_", " "), name, resource.id)


def datasets_by_name() -> list[tuple[UUID, str]]:
    """Datasets that a policy or a question may name, whoever asks: for people decided on already."""
    ids = [one.dataset_id for one in resource_source().datasets(after=None, limit=_OFFERED) if one.dataset_id]
    named = [(key, known.name) for key, known in dataset_directory().describe(ids).items()]
    return sorted(named, key=lambda one: one[1])


def rule_words(policy_id: str) -> str:
    """A policy or grant as decisions name it, in words: ``lease:<id>``, ``policy:<name>@3``, ``builtin:<action>``."""
    kind, _, name = policy_id.partition(":")
    if kind in _GRANTS:
        return _GRANTS[kind]
    if kind == "policy":
        title, _, number = name.rpartition("@")
        return f"policy {title}, version {number}"
    return f"built-in rule {name}" if kind == "builtin" else policy_id
