"""The report on backups and drills says what was measured."""

from collections import Counter
from datetime import datetime, timedelta
from uuid import uuid4

from django.utils import timezone

from compliance.backup.manifest import FileFacts, Manifest, ObjectFacts
from compliance.backup.record import Compared, DrillFacts, record_backup, record_drill
from tests.compliance.reports.asking import body, figures, report_of
from tests.factories.api import caller, send


def back_up(*tenants, at: datetime, missing: int = 0) -> None:
    objects = tuple(ObjectFacts(uuid4().hex, 100, "", str(tenant.pk)) for tenant in tenants for _ in range(3))
    manifest = Manifest(
        id=uuid4().hex[:12],
        snapshot_at=at - timedelta(minutes=5),
        finished_at=at,
        database=FileFacts(1, ""),
        keys=None,
        objects=objects,
        missing=(),
        datasets={f"{tenant.pk}/{uuid4()}": "" for tenant in tenants},
        tenants=tuple(str(tenant.pk) for tenant in tenants),
        journal=0,
        new_objects=1,
        new_bytes=100,
    )
    record_backup(manifest, copied=[objects[0].name], lost=Counter({str(tenant.pk): missing for tenant in tenants}))


def drill(tenant, *, at: datetime, rto: int, rpo: int, mismatches: int = 0) -> None:
    facts = DrillFacts(uuid4().hex[:12], at - timedelta(seconds=rto), at, rto, rpo)
    record_drill(facts, [Compared(str(tenant.pk), 1, 2, 30, mismatches, replayed=4)])


def test_backups_and_drills_with_what_was_measured(tenant, rival) -> None:
    now = timezone.now()
    back_up(tenant, at=now - timedelta(days=9))
    back_up(tenant, rival, at=now - timedelta(hours=40))
    back_up(tenant, at=now - timedelta(hours=15), missing=2)
    back_up(tenant, at=now - timedelta(hours=10))
    drill(tenant, at=now - timedelta(hours=8), rto=61, rpo=4000)
    drill(tenant, at=now - timedelta(hours=7), rto=90, rpo=300)
    drill(tenant, at=now - timedelta(hours=6), rto=5, rpo=5, mismatches=1)
    shown = report_of(tenant, "soc2_recovery", days=3)
    told = figures(shown)
    assert (told["Complete backups"], told["Backups with objects missing"], told["Backups that failed"]) == (2, 1, 0)
    assert (told["Drills passed"], told["Drills failed"]) == (2, 1)
    assert (told["Seconds to restore (RTO), median"], told["Seconds to restore (RTO), most"]) == (61, 90)
    assert (told["Seconds of changes lost (RPO), median"], told["Seconds of changes lost (RPO), most"]) == (300, 4000)
    assert (told["Hours between complete backups, most"], told["Erasures done again in drills"]) == (176, 12)
    backups = [row for row in shown["rows"] if row["entry"] == "backup"]
    assert [row["hours_since_backup"] for row in backups] == [176, 25, 30]
    assert [(row["objects"], row["missing_objects"]) for row in backups] == [(3, 0), (3, 2), (3, 0)]
    assert {row["records"] for row in shown["rows"] if row["entry"] == "drill"} == {30}
    theirs = figures(report_of(rival, "soc2_recovery", days=3))
    assert (theirs["Complete backups"], theirs["Drills passed"]) == (1, 0)


def test_it_is_of_the_whole_organization(tenant) -> None:
    for scope in ("datasets", "users"):
        asked = body("soc2_recovery", **{scope: [str(uuid4())]})
        answer = send(caller(tenant, "auditor"), "POST", "/compliance/reports", asked)
        assert (answer.status_code, answer.json()["errors"][0]["field"].strip("/")) == (400, f"scope.{scope}")
