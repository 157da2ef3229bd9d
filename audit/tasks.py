"""The audit's background work."""

from uuid import UUID

from celery import shared_task

from audit.anomalies import turns
from audit.exports.request import expire_exports
from audit.exports.work import run_export
from audit.log.upkeep import seal_all, seal_late, sign_all, watch_all
from audit.notifications.dispatch import announce_endings, forget_old, tell_pending
from audit.notifications.mail import send_due
from audit.proofs.jobs import run_verification


@shared_task(name="audit.seal_events", ignore_result=True, expires=10)
def seal_events() -> int:
    """Give new events their place in their tenant's log; returns how many. The relay does it more often."""
    return seal_all()


@shared_task(name="audit.seal_late_events", ignore_result=True, expires=300)
def seal_late_events() -> int:
    """Find events that were committed long after they happened; returns how many."""
    return seal_late()


@shared_task(name="audit.seal_forgotten_events", ignore_result=True, expires=3600)
def seal_forgotten_events() -> int:
    """Look through the whole audit for events without a leaf; returns how many there were."""
    return seal_all(window=None)


@shared_task(name="audit.sign_checkpoints", ignore_result=True, expires=60)
def sign_checkpoints() -> int:
    """Sign the logs that grew and hand their checkpoints to the witnesses; returns how many were signed."""
    return sign_all()


@shared_task(name="audit.watch_sealing", ignore_result=True, expires=60)
def watch_sealing() -> int:
    """Raise alerts where events or checkpoints are late; returns how many."""
    return watch_all()


@shared_task(name="audit.run_export")
def continue_audit_export(tenant_id: str, export_id: str) -> None:
    """Continue an export of the audit from its checkpoint."""
    run_export(UUID(tenant_id), UUID(export_id))


@shared_task(name="audit.run_verification")
def continue_verification(tenant_id: str, verification_id: str) -> None:
    """Continue a verification of the log from its checkpoint."""
    run_verification(UUID(tenant_id), UUID(verification_id))


@shared_task(name="audit.expire_exports", ignore_result=True, expires=300)
def remove_expired_audit_exports() -> int:
    """Remove the files of exports past their time; returns of how many."""
    return expire_exports()


@shared_task(name="audit.watch_activity", ignore_result=True, expires=60)
def watch_activity() -> int:
    """Judge the hours that are over, and count what policies forbade; returns how many alerts were raised."""
    return turns.watch_all()


@shared_task(name="audit.tell_people", ignore_result=True, expires=30)
def tell_people() -> int:
    """Tell people of the events that concern them; returns of how many events."""
    return tell_pending()


@shared_task(name="audit.send_mails", ignore_result=True, expires=60)
def send_mails() -> int:
    """Send the mails that are due; returns how many went out."""
    return send_due()


@shared_task(name="audit.announce_endings", ignore_result=True, expires=3600)
def announce_what_ends() -> int:
    """Tell people what of theirs ends soon, and forget what was told long ago; returns how many were told."""
    forget_old()
    return announce_endings()
