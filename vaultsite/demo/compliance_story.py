"""What has happened to compliance in a demo tenant: people who ask, what is kept and for how long, a breach, proof.

All of it goes through the services, so it is dated when the demo is seeded. Only what reached the organization from
outside is older, as it would be: a request that came by post, an event that somebody records later.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from access.models import Tenant
from compliance.models import ProbeRun, Report, ReportFormat
from compliance.posture.run import run_probes, start_probes
from compliance.reports.request import Wanted, create_report
from compliance.reports.work import run_report
from datasets.models import Dataset
from vaultsite.demo.compliance_incidents import have_incidents
from vaultsite.demo.compliance_requests import receive_requests
from vaultsite.demo.compliance_rules import hold_for_a_dispute, keep_for_a_time, name_parties, state_purposes
from vaultsite.demo.consents import collect_consents
from vaultsite.demo.people import acting_as

_OFFICER: Final = "privacy-officer"
#: Kind and format of what is in the library.
_REPORTS: Final = (("data_inventory", ReportFormat.PDF), ("soc2_access", ReportFormat.CSV))
_LOOKED_BACK: Final = timedelta(days=30)


def tell_compliance_story(tenant: Tenant, say: Callable[[str], None]) -> None:
    """Make it, or what is missing of it. Needs the sample datasets, the users and the evidence of the tenant."""
    with acting_as(tenant, _OFFICER):
        datasets = dict(Dataset.objects.values_list("name", "pk"))
        is_told = Report.objects.exists()
    if is_told:
        return
    steps: tuple[Callable[[Tenant, dict[str, UUID]], None], ...] = (
        state_purposes,
        name_parties,
        collect_consents,
        receive_requests,
        hold_for_a_dispute,
        keep_for_a_time,
        have_incidents,
        _try_the_defences,
        _write_reports,
    )
    for step in steps:
        step(tenant, datasets)
    say(f"{tenant.slug}: requests of data subjects, holds, retention, consents, an incident, posture and reports")


def _try_the_defences(tenant: Tenant, _: dict[str, UUID]) -> None:
    """Not all of them hold: nobody here has a second factor, and the posture says so."""
    with acting_as(tenant, "security-officer") as officer:
        if ProbeRun.objects.exists():  # the schedule was faster
            return
        run = start_probes(officer)
    # A worker that was faster has claimed it already; without one it is done here. So with every job of the story.
    run_probes(tenant.pk, run.pk)


def _write_reports(tenant: Tenant, _: dict[str, UUID]) -> None:
    """Last: a story cut short is told again."""
    until = timezone.now()
    with acting_as(tenant, _OFFICER) as officer:
        reports = [create_report(officer, Wanted(kind, form, until - _LOOKED_BACK, until)) for kind, form in _REPORTS]
    for report in reports:
        run_report(tenant.pk, report.pk)
