"""Key age: no key that is rotated by age seals past its time."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models.functions import Now

from access.models import EncryptionKey, KeyState
from compliance.posture.outcome import Outcome, judged
from compliance.posture.sandbox import sandbox

#: Rotations are planned every hour; one that takes longer than this has stopped.
GRACE: Final = timedelta(days=1)


def probe(tenant_id: UUID) -> Outcome:
    with sandbox(tenant_id):
        active = EncryptionKey.objects.filter(state=KeyState.ACTIVE)
        count = active.count()
        late = list(active.filter(expires_at__lt=Now() - GRACE).values_list("purpose", flat=True))
    return judged([f"a key for {purpose} is past its age" for purpose in late], keys=count)
