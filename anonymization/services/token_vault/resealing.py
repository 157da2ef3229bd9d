"""A new key for what the token vault holds of one dataset, or of the tenant: a job that can be killed at any moment."""

import time
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from django.db.models import F

from access.services.key_rotation import rotate_key
from access.services.keyring import KeyPurpose
from anonymization.models import Token, TokenResealing, TokenSpace
from anonymization.services.token_vault.space import OpenSpace, load_space
from anonymization.tokens.statements import replace_sealed
from vaultsite.kernel.crypto.aead import read_key_id
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.jobs import FINAL, Claim, enqueue, new_lease
from vaultsite.kernel.turn import is_hopeless, take_turn

_BATCH: Final = 500
#: A worker gives its turn back after this many seconds.
TURN_SECONDS: Final = 480.0


def queue_resealing(key_scope: UUID, *, requested_by: UUID) -> TokenResealing:
    """Queue the job of a key's scope (a dataset, or the tenant); the one that waits to begin, if any."""
    waiting = TokenResealing.objects.select_for_update().filter(key_scope=key_scope, new_key=None)
    job = waiting.exclude(status__in=FINAL).first()
    if job is None:
        job = TokenResealing(
            key_scope=key_scope, requested_by=requested_by, lease_until=new_lease(), progress={"stage": "queued"}
        )
        job.save(force_insert=True)
        enqueue(job)
    return job


@dataclass
class _Work:
    """One worker's turn."""

    row: TokenResealing
    claim: Claim
    _spaces: dict[UUID, OpenSpace] = field(default_factory=dict)

    def run(self) -> bool:
        """False when the turn ended before the work did."""
        self._make_key()
        deadline = time.monotonic() + TURN_SECONDS
        while self._batch():
            if time.monotonic() >= deadline:
                return False
        return True

    def finish(self) -> None:
        with self.claim.scope():
            self.row.refresh_from_db(fields=["moved_count"])
            self.claim.finish(progress={"stage": "done", "objects": self.row.moved_count})
            emit(_rotated(self.row))

    def _make_key(self) -> None:
        """The new key and the note of it in one transaction: a job makes one, however often it starts."""
        if self.row.new_key is None:
            with self.claim.scope():
                new = rotate_key(KeyPurpose.TOKEN, self.row.key_scope)
                self.claim.save(new_key=new.pk, progress={"stage": "reseal"})
            self.row.new_key = new.pk

    def _batch(self) -> bool:
        """Seal the next rows under the current key; False when there are none left."""
        dataset_id = None if self.row.key_scope == self.row.tenant_id else self.row.key_scope
        after = self.row.checkpoint.get("after")
        with self.claim.scope():
            spaces = {space.pk: space for space in TokenSpace.objects.filter(dataset_id=dataset_id)}
            rows = Token.objects.filter(space__in=list(spaces)).order_by("pk").select_for_update()
            batch = list((rows.filter(pk__gt=UUID(after)) if after else rows)[:_BATCH])
            if not batch:
                return False
            moved = {row.pk: self._reseal(spaces[row.space_id], row) for row in batch if self._is_old(row)}
            if moved:
                replace_sealed(moved)
            self.row.checkpoint = {"after": str(batch[-1].pk)}
            self.claim.save(checkpoint=self.row.checkpoint, moved_count=F("moved_count") + len(moved))
        return True

    def _is_old(self, row: Token) -> bool:
        return read_key_id(bytes(row.sealed)) != self.row.new_key

    def _reseal(self, space: TokenSpace, row: Token) -> bytes:
        if space.pk not in self._spaces:
            self._spaces[space.pk] = load_space(space)
        opened = self._spaces[space.pk]
        return opened.seal(row.pk, *opened.open(row.pk, bytes(row.sealed)))


def run_resealing(tenant_id: UUID, job_id: UUID) -> None:
    """Continue a resealing until it is done, its turn is over, or another worker has taken it."""

    def work(row: TokenResealing, held: Claim) -> None:
        turn = _Work(row, held)
        if turn.run():
            turn.finish()
        else:
            held.give_turn_back(row)

    take_turn(TokenResealing, tenant_id, job_id, work, fail=_fail, ends=is_hopeless)


def _fail(row: TokenResealing, held: Claim, error: VaultError) -> None:
    with held.scope():
        held.fail(error)
        emit(replace(_rotated(row), status="failure", severity="critical", failure_reason=error.code))


def _rotated(row: TokenResealing) -> Event:
    return Event(
        type=EventType.KEY_ROTATED,
        operation="update",
        resource=ResourceRef("encryption_key", str(row.new_key or "")),
        metadata={
            "purpose": str(KeyPurpose.TOKEN),
            "objects": row.moved_count,
            "rotation": str(row.pk),
            "requested_by": str(row.requested_by),
        },
    )
