"""The audit is append-only: changing and removing events, leaves and checkpoints is tried as the serving role."""

from functools import partial
from typing import Final
from uuid import UUID

from django.db import models

from audit.models import AuditCheckpoint, AuditEvent, AuditLeaf
from compliance.posture.attempt import tried
from compliance.posture.outcome import Outcome, judged
from compliance.posture.sandbox import sandbox

_NOBODY: Final = UUID(int=0)
#: Table -> a column that an attacker would change.
_TABLES: Final[tuple[tuple[type[models.Model], str], ...]] = (
    (AuditEvent, "status"),
    (AuditLeaf, "leaf"),
    (AuditCheckpoint, "note"),
)


def probe(tenant_id: UUID) -> Outcome:
    breaches: list[str] = []
    with sandbox(tenant_id):
        for table, column in _TABLES:
            # The grant is asked for before any row is looked for: none of the organization's is touched.
            rows = table._default_manager.filter(tenant_id=_NOBODY)  # noqa: SLF001 - the manager's public alias
            if tried(partial(rows.update, **{column: models.F(column)})) is not None:
                breaches.append(f"{table._meta.db_table} can be changed")  # noqa: SLF001 - Django's documented API
            if tried(partial(rows._raw_delete, "default")) is not None:  # noqa: SLF001
                breaches.append(f"{table._meta.db_table} can be removed from")  # noqa: SLF001
    return judged(breaches, tables=len(_TABLES))
