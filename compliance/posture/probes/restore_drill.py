"""Restore drill: a backup was brought back in full not long ago, and the newest one can be read now."""

import hashlib
import random
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from compliance.backup.keys import read_key
from compliance.backup.manifest import ObjectFacts
from compliance.backup.repository import object_file, open_repository
from compliance.backup.selectors import BACKUP_AGE, DRILL_AGE, Readiness, has_passed_drill, readiness
from compliance.errors.backup import BackupDamaged, BackupNotFound
from compliance.models import DrillStatus
from compliance.posture.outcome import Outcome, Untried, judged
from compliance.posture.sandbox import sandbox

#: Objects of the organization that are read from the newest backup, each of at most so many bytes.
_READ: Final = 5
_MOST_BYTES: Final = 16 * 1024 * 1024
_HOUR: Final = 3600


def probe(tenant_id: UUID) -> Outcome:
    now = timezone.now()
    with sandbox(tenant_id):
        found = readiness(now)
        has_passed = has_passed_drill(within=DRILL_AGE, now=now)
    if found.drill is None or not (has_passed or found.drill.status == DrillStatus.FAILED):
        raise Untried(f"no backup was restored in a drill within {DRILL_AGE.days} days")
    breaches = list(_told(found))
    if settings.BACKUP_FOLDER is None or settings.BACKUP_KEY_FILE is None:
        return judged(breaches, rto_seconds=found.drill.rto_seconds, rpo_seconds=found.drill.rpo_seconds)
    opened, damages = _read_newest(tenant_id)
    return judged(
        breaches + damages,
        rto_seconds=found.drill.rto_seconds,
        rpo_seconds=found.drill.rpo_seconds,
        objects_read=opened,
    )


def _told(found: Readiness) -> Iterator[str]:
    """What the rows say: those of backups and drills, which the commands write."""
    if found.drill is not None and found.drill.status == DrillStatus.FAILED:
        yield "the last drill did not bring everything back"
    if found.backup_age is None:
        yield "there is no complete backup"
    elif found.backup_age > BACKUP_AGE:
        yield f"the newest complete backup is older than {int(BACKUP_AGE.total_seconds()) // _HOUR} hours"


def _read_newest(tenant_id: UUID) -> tuple[int, list[str]]:
    """How many objects were read from the newest backup where it lies, and what of it did not open or was another."""
    assert settings.BACKUP_FOLDER is not None
    assert settings.BACKUP_KEY_FILE is not None
    try:
        repository = open_repository(settings.BACKUP_FOLDER, read_key(settings.BACKUP_KEY_FILE))
        manifest = repository.manifest(repository.newest())
    except (BackupNotFound, BackupDamaged) as error:
        return 0, [f"the newest backup cannot be opened: {error.title.lower()}"]
    own = [one for one in manifest.objects if one.tenant == str(tenant_id) and one.size <= _MOST_BYTES]
    chosen: list[ObjectFacts] = random.sample(own, min(_READ, len(own)))
    damaged = 0
    for one in chosen:
        try:
            body = b"".join(repository.read(object_file(one.name)))
        except BackupDamaged:
            damaged += 1
        else:
            damaged += hashlib.sha256(body).hexdigest() != one.sha256
    return len(chosen), [f"{damaged} of {len(chosen)} objects of the newest backup cannot be read"] if damaged else []
