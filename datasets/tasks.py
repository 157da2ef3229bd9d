"""Celery tasks: each only names the work; the truth is in the rows."""

from uuid import UUID

from celery import shared_task

from datasets.services.drafts.expire import expire_drafts
from datasets.services.drafts.publication import run_publication
from datasets.services.erasure.work import run_erasure
from datasets.services.exports.expiry import expire_exports
from datasets.services.exports.run import run_export
from datasets.services.guaranteed.expiry import expire_guaranteed_exports
from datasets.services.guaranteed.run import run_guaranteed_export
from datasets.services.guaranteed.schedules import plan_scheduled_exports
from datasets.services.hold_search import find_held_records
from datasets.services.masking.work import run_masking
from datasets.services.merges.work import run_merge
from datasets.services.purge import run_purge
from datasets.services.rescan.start import plan_rescans
from datasets.services.rescan.work import run_rescan
from datasets.services.rotation.request import plan_rotations
from datasets.services.rotation.work import run_rotation
from datasets.services.sweep import sweep_blobs
from datasets.services.upkeep.jobs import plan_upkeep, run_collection, run_scrub
from datasets.services.write import run_ingest


@shared_task(name="datasets.run_ingest")
def continue_ingest(tenant_id: str, ingest_id: str) -> None:
    """Continue an ingest from its checkpoint."""
    run_ingest(UUID(tenant_id), UUID(ingest_id))


@shared_task(name="datasets.sweep_blobs")
def remove_unowned_blobs() -> int:
    """Remove dead and abandoned objects; returns how many."""
    return sweep_blobs()


@shared_task(name="datasets.run_erasure")
def continue_erasure(tenant_id: str, erasure_id: str) -> None:
    """Continue an erasure; what it has rewritten needs no rewriting again."""
    run_erasure(UUID(tenant_id), UUID(erasure_id))


@shared_task(name="datasets.run_masking")
def continue_masking(tenant_id: str, masking_id: str) -> None:
    """Continue to anonymize a dataset in place."""
    run_masking(UUID(tenant_id), UUID(masking_id))


@shared_task(name="datasets.run_garbage_collection")
def continue_collection(tenant_id: str, collection_id: str) -> None:
    """Collect a dataset's garbage."""
    run_collection(UUID(tenant_id), UUID(collection_id))


@shared_task(name="datasets.run_scrub")
def continue_scrub(tenant_id: str, scrub_id: str) -> None:
    """Continue a scrub from its checkpoint."""
    run_scrub(UUID(tenant_id), UUID(scrub_id))


@shared_task(name="datasets.run_rescan")
def continue_rescan(tenant_id: str, rescan_id: str) -> None:
    """Continue a rescan from its checkpoint."""
    run_rescan(UUID(tenant_id), UUID(rescan_id))


@shared_task(name="datasets.plan_rescans")
def queue_due_rescans() -> int:
    """Queue rescans where other detectors scanned; returns how many."""
    return plan_rescans()


@shared_task(name="datasets.plan_upkeep")
def queue_due_upkeep() -> int:
    """Queue the garbage collections and scrubs that are due; returns how many."""
    return plan_upkeep()


@shared_task(name="datasets.run_export")
def continue_export(tenant_id: str, export_id: str) -> None:
    """Continue an export from its checkpoint."""
    run_export(UUID(tenant_id), UUID(export_id))


@shared_task(name="datasets.expire_exports")
def remove_expired_exports() -> int:
    """Remove the files of exports past their time; returns of how many."""
    return expire_exports()


@shared_task(name="datasets.run_publication")
def continue_publication(tenant_id: str, publication_id: str) -> None:
    """Publish a draft."""
    run_publication(UUID(tenant_id), UUID(publication_id))


@shared_task(name="datasets.expire_drafts")
def remove_expired_drafts() -> int:
    """Warn of drafts about to expire and remove those that have; returns how many went."""
    return expire_drafts()


@shared_task(name="datasets.find_held_records")
def look_for_held_records() -> int:
    """Look for the records that legal holds keep by a filter; returns into how many versions."""
    return find_held_records()


@shared_task(name="datasets.run_merge")
def continue_merge(tenant_id: str, merge_id: str) -> None:
    """Continue a merge from its checkpoint."""
    run_merge(UUID(tenant_id), UUID(merge_id))


@shared_task(name="datasets.run_key_rotation")
def continue_rotation(tenant_id: str, rotation_id: str) -> None:
    """Continue a key rotation with what is not moved yet."""
    run_rotation(UUID(tenant_id), UUID(rotation_id))


@shared_task(name="datasets.plan_rotations")
def queue_due_rotations() -> int:
    """Queue the key rotations that are due; returns how many."""
    return plan_rotations()


@shared_task(name="datasets.run_purge")
def continue_purge(tenant_id: str, purge_id: str) -> None:
    """Continue the removal of a deleted dataset."""
    run_purge(UUID(tenant_id), UUID(purge_id))


@shared_task(name="datasets.run_guaranteed_export")
def continue_guaranteed_export(tenant_id: str, export_id: str) -> None:
    """Continue an export under a guarantee from its checkpoint."""
    run_guaranteed_export(UUID(tenant_id), UUID(export_id))


@shared_task(name="datasets.expire_guaranteed_exports")
def remove_expired_guaranteed_exports() -> int:
    """Remove the files of exports under a guarantee past their time; returns of how many."""
    return expire_guaranteed_exports()


@shared_task(name="datasets.plan_scheduled_exports")
def queue_due_scheduled_exports() -> int:
    """Ask for the exports whose schedule is due; returns how many."""
    return plan_scheduled_exports()
