"""Policies as readings meet them: which bind, and the compiled version a reference names."""

from typing import Any
from uuid import UUID

import orjson
from django.db.models import Q

from access.ports import BoundPolicy, ObligationSource
from anonymization.models import AnonymizationPolicy, AttachmentKind, PolicyAttachment, PolicyVersion
from anonymization.policies.compiled import CompiledPolicy
from anonymization.policies.document import PolicyDocument, read_document
from anonymization.policies.errors import PolicyNotFound, PolicyVersionNotFound
from anonymization.policies.presets import PRESETS
from anonymization.policies.reference import PRESET, PolicyReference
from anonymization.services.operator_keys import KeySource
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

_INACTIVE = "inactive"


class AttachedPolicies(ObligationSource):
    """The policies attached to the dataset, the principal's roles and the purpose."""

    def policies_for(self, principal: Principal, resource: ResourceRef, purpose: str) -> tuple[BoundPolicy, ...]:
        """One query where nothing is attached, one more where something is."""
        rows = PolicyAttachment.objects.filter(_targets(principal, resource.dataset_id, purpose))
        attached = list(rows.values_list("policy_id", "policy__name", "policy__active_version", "binds_raw_readers"))
        if not attached:
            return ()
        binds_raw = {name for _, name, _, binds in attached if binds}
        active = Q(pk__in=[])
        for policy_id, _, number, _ in attached:
            active |= Q(policy_id=policy_id, number=number)
        versions = {row.policy_id: row for row in PolicyVersion.objects.filter(active)}
        bound = {
            name: _bound(name, versions.get(policy_id), binds_raw=name in binds_raw)
            for policy_id, name, _, _ in attached
        }
        return tuple(bound[name] for name in sorted(bound))

    def is_policy(self, reference: str) -> bool:
        named = PolicyReference.of(reference)
        if named is None:
            return False
        if named.is_preset:
            return named.name in PRESETS and named.number == 1
        versions = PolicyVersion.objects.filter(policy__name=named.name, number=named.number)
        return versions.filter(policy__active_version__isnull=False).exists()


def _targets(principal: Principal, dataset_id: UUID | None, purpose: str) -> Q:
    wanted = Q(kind=AttachmentKind.ROLE, target__in=sorted(principal.roles))
    of_purpose, of_dataset = Q(kind=AttachmentKind.PURPOSE), Q(kind=AttachmentKind.DATASET)
    if purpose:
        of_purpose &= Q(target=purpose)
    if dataset_id is not None:
        of_dataset &= Q(target=str(dataset_id))
    return wanted | of_purpose | of_dataset


def _bound(name: str, version: PolicyVersion | None, *, binds_raw: bool) -> BoundPolicy:
    if version is None:
        return BoundPolicy(f"{name}@{_INACTIVE}", "", binds_raw_readers=binds_raw, is_active=False)
    document = document_of(version)
    return BoundPolicy(
        reference=str(PolicyReference(name, version.number)),
        digest=bytes(version.digest).hex(),
        fields=document.fields,
        binds_raw_readers=binds_raw,
    )


def compiled_policy(reference: str, source: KeySource) -> CompiledPolicy:
    """The version a reference names, in the open scope: of a policy that is active, or a preset.

    Raises PolicyNotFound, PolicyVersionNotFound, KeyUnavailable.
    """
    named = PolicyReference.of(reference)
    if named is None:
        raise PolicyNotFound
    if named.is_preset:
        document = preset_document(named.name, named.number)
    else:
        policy = AnonymizationPolicy.objects.filter(name=named.name, active_version__isnull=False).first()
        if policy is None:
            raise PolicyNotFound
        document = document_of(version_of(policy, named.number))
    return CompiledPolicy.of(reference, document, source.keys)


def trial_policy(name: str, version: int | None, document: Any, source: KeySource) -> CompiledPolicy:
    """A policy in any version of it, active or not, or a document that is stored nowhere, in the open scope.

    ``name`` may begin with ``preset:``; without ``version`` it is the active one. Nothing is released on the strength
    of it: for looking at what it would do. Raises PolicyNotFound, PolicyVersionNotFound, InvalidPolicy.
    """
    if document is not None:
        return CompiledPolicy.of("", read_document(document, field="/document"), source.keys)
    if name.startswith(PRESET):
        number = version or 1
        return CompiledPolicy.of(f"{name}@{number}", preset_document(name.removeprefix(PRESET), number), source.keys)
    policy = AnonymizationPolicy.objects.filter(name=name).first()
    chosen = version or (policy.active_version if policy else None)
    if policy is None or chosen is None:
        raise PolicyNotFound
    return CompiledPolicy.of(f"{name}@{chosen}", document_of(version_of(policy, chosen)), source.keys)


def version_of(policy: AnonymizationPolicy, number: int) -> PolicyVersion:
    """Raises PolicyVersionNotFound."""
    found = PolicyVersion.objects.filter(policy=policy, number=number).first()
    if found is None:
        raise PolicyVersionNotFound
    return found


def preset_document(name: str, number: int = 1) -> PolicyDocument:
    """Raises PolicyNotFound, PolicyVersionNotFound."""
    if name not in PRESETS:
        raise PolicyNotFound
    if number != 1:
        raise PolicyVersionNotFound
    return read_document(PRESETS[name].document)


def document_of(version: PolicyVersion) -> PolicyDocument:
    """What a stored version says; it was accepted when it was stored."""
    content: dict[str, Any] = orjson.loads(bytes(version.document))
    return read_document(content)
