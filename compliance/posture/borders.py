"""Exports over the borders of a region, tried as anybody would: asked for in the open sandbox, and fetched."""

from typing import Final
from uuid import UUID, uuid4

from django.utils import timezone

from access.services.policies_in_force import policies_in_force
from compliance.errors.transfers import RecipientMissing, TransferRefused
from compliance.models import PartyRole, Safeguard
from compliance.posture.outcome import Untried
from compliance.posture.sandbox import actor, probe_dataset
from compliance.register.parties import PartyFacts, add_party, change_party
from datasets.errors.exports import ExportFileNotFound
from datasets.models import Dataset, Export, Version
from datasets.services.exports.download import make_address
from datasets.services.exports.options import ExportOptions
from datasets.services.exports.request import create_export
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.regions import Region, declared_regions, is_served
from vaultsite.kernel.tenancy.principal import Principal

_LABEL: Final = "probe"
#: Where nobody lives, so that hardly a region covers them (ISO 3166).
_FAR: Final = frozenset({"AQ", "BV", "HM"})


def bordered_region() -> Region | None:
    """A region that is served here and covers countries; None: nothing that leaves is a transfer."""
    return next((one for one in declared_regions().values() if one.countries and is_served(one)), None)


def crossings(tenant_id: UUID, region: Region) -> list[str]:
    """What left the region without cover, in the open sandbox. Raises Untried where nothing leaves with it."""
    officer, steward = actor(tenant_id, "privacy_officer"), actor(tenant_id, "data_steward")
    dataset, breaches = _filled(steward, region), list[str]()
    covered, bare = (_party(region, safeguard) for safeguard in (Safeguard.CLAUSES, Safeguard.NONE))
    recipient = add_party(officer, facts=covered).id
    export = _asked(steward, dataset, recipient)
    if export is None:
        raise Untried("an export that is covered was refused")
    if _asked(steward, dataset, None) is not None:
        breaches.append("an export was begun that names no recipient")
    if _asked(steward, dataset, add_party(officer, facts=bare).id) is not None:
        breaches.append("an export was begun that nothing covers")
    change_party(officer, party_id=recipient, facts=bare)
    if _is_handed_out(steward, export):
        breaches.append("a file was handed out that nothing covers any more")
    return breaches


def _party(region: Region, safeguard: Safeguard) -> PartyFacts:
    return PartyFacts(PartyRole.RECIPIENT, "probe", country=min(_FAR - region.countries), safeguard=safeguard)


def _filled(steward: Principal, region: Region) -> Dataset:
    """A dataset with a version that has no records: rows alone, so that no object outlives the sandbox."""
    dataset = probe_dataset(steward, region=region.name)
    Version.objects.create(
        dataset=dataset,
        digest=uuid4().bytes * 2,
        root=bytes(32),
        sequence=1,
        label=_LABEL,
        author=steward.id,
        message_nonce=bytes(16),
        record_count=0,
        canonical_bytes=0,
        chunk_count=0,
        new_chunk_count=0,
        new_sealed_bytes=0,
        profile=b"",
        created_at=timezone.now(),
    )
    return dataset


def _asked(steward: Principal, dataset: Dataset, recipient: UUID | None) -> Export | None:
    """The export, or None: refused for what covers it."""
    purpose = min(policies_in_force().purposes)
    try:
        return create_export(
            steward,
            dataset_id=dataset.pk,
            version=_LABEL,
            options=ExportOptions(),
            purpose=purpose,
            recipient=recipient,
        )
    except (RecipientMissing, TransferRefused):
        return None


def _is_handed_out(steward: Principal, export: Export) -> bool:
    """Whether an export that is finished is handed out as far as its file, which never was."""
    Export.objects.filter(pk=export.pk).update(status=JobStatus.SUCCEEDED, finished_at=timezone.now())
    try:
        make_address(steward, export.pk)
    except TransferRefused:
        return False
    except ExportFileNotFound:
        return True
    return True
