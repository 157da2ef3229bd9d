"""The background work of compliance."""

from uuid import UUID

from celery import shared_task
from django.conf import settings

from compliance.backup.journal import ship_journal
from compliance.backup.keys import read_key
from compliance.backup.repository import open_repository
from compliance.holds.reminders import remind_custodians_of_all
from compliance.incidents.deadlines import watch_all
from compliance.incidents.scope_work import compute_scope
from compliance.posture.run import plan_probes, run_probes
from compliance.reports.request import expire_reports
from compliance.reports.work import run_report
from compliance.requests.mail import send_due
from compliance.requests.package_work import run_package
from compliance.requests.packages import expire_packages
from compliance.requests.reminders import remind_all
from compliance.requests.searches import note_end
from compliance.retention.plan import plan_runs
from compliance.retention.run import run_retention
from compliance.subjects.erasure_work import run_subject_erasure
from compliance.subjects.search import forget_identifiers
from compliance.subjects.sweep import run_search


@shared_task(name="compliance.run_package")
def continue_package(tenant_id: str, package_id: str) -> None:
    """Write the package of a data subject."""
    run_package(UUID(tenant_id), UUID(package_id))


@shared_task(name="compliance.expire_packages", ignore_result=True, expires=300)
def remove_expired_packages() -> int:
    """Remove the files of packages past their time; returns of how many."""
    return expire_packages()


@shared_task(name="compliance.mail_subjects", ignore_result=True, expires=25)
def mail_subjects() -> int:
    """Send what is due to data subjects by e-mail; returns how many mails went out."""
    return send_due()


@shared_task(name="compliance.remind_of_requests", ignore_result=True, expires=600)
def remind_of_requests() -> int:
    """Tell of requests that are due within days, and raise alerts of those that are late; returns how many."""
    return remind_all()


@shared_task(name="compliance.remind_custodians", ignore_result=True, expires=600)
def remind_custodians() -> int:
    """Tell again of legal holds those who were told and have not acknowledged them; returns of how many notices."""
    return remind_custodians_of_all()


@shared_task(name="compliance.compute_scope")
def continue_scope(tenant_id: str, scope_id: str) -> None:
    """Continue the scope of an incident from its checkpoint."""
    compute_scope(UUID(tenant_id), UUID(scope_id))


@shared_task(name="compliance.watch_incidents", ignore_result=True, expires=300)
def watch_incidents() -> int:
    """Tell of clocks of incidents that run out soon or have run out; returns of how many."""
    return watch_all()


@shared_task(name="compliance.ship_journal", ignore_result=True, expires=60)
def write_journal() -> int:
    """Write down beside the backups what was erased; nothing where no repository is configured."""
    if settings.BACKUP_FOLDER is None or settings.BACKUP_KEY_FILE is None:
        return 0
    return ship_journal(open_repository(settings.BACKUP_FOLDER, read_key(settings.BACKUP_KEY_FILE)))


@shared_task(name="compliance.run_retention")
def continue_retention(tenant_id: str, run_id: str) -> None:
    """Continue a retention run with what has no step yet."""
    run_retention(UUID(tenant_id), UUID(run_id))


@shared_task(name="compliance.plan_retention")
def queue_due_retention() -> int:
    """Queue the retention runs that are due; returns how many."""
    return plan_runs()


@shared_task(name="compliance.run_probes")
def continue_probes(tenant_id: str, run_id: str) -> None:
    """Run what is left of a run's probes."""
    run_probes(UUID(tenant_id), UUID(run_id))


@shared_task(name="compliance.plan_probes", ignore_result=True, expires=600)
def queue_due_probes() -> int:
    """Queue the probes of tenants that are due; returns of how many."""
    return plan_probes()


@shared_task(name="compliance.run_report")
def continue_report(tenant_id: str, report_id: str) -> None:
    """Write a report."""
    run_report(UUID(tenant_id), UUID(report_id))


@shared_task(name="compliance.expire_reports", ignore_result=True, expires=300)
def remove_expired_reports() -> int:
    """Remove the files of reports past their time; returns of how many."""
    return expire_reports()


@shared_task(name="compliance.run_subject_search")
def continue_subject_search(tenant_id: str, search_id: str) -> None:
    """Continue a search for a person from its checkpoint."""
    run_search(UUID(tenant_id), UUID(search_id))
    note_end(UUID(tenant_id), UUID(search_id))


@shared_task(name="compliance.run_subject_erasure")
def continue_subject_erasure(tenant_id: str, erasure_id: str) -> None:
    """Continue the erasure of a person from its checkpoint."""
    run_subject_erasure(UUID(tenant_id), UUID(erasure_id))


@shared_task(name="compliance.forget_identifiers", ignore_result=True, expires=3600)
def forget_old_identifiers() -> int:
    """Forget the identifiers of searches past their time; returns of how many."""
    return forget_identifiers()
