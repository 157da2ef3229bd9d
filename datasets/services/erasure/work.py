"""The worker's part of an erasure: sweep, settle, wait for readers, receipt."""

import logging
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from datasets.models import Dataset, ErasedRecord, Erasure, Version
from datasets.selectors import resource_of
from datasets.services.erasure.affected import Affected
from datasets.services.erasure.derived import drop_derived
from datasets.services.erasure.receipt import make_receipt, seal_receipt
from datasets.services.erasure.spare import spared_by
from datasets.services.erasure.sweep import Sweep
from datasets.services.holds import Keeper
from datasets.services.keys import load_keys
from datasets.services.pack_reader import PackReader
from datasets.services.places import PLACE_SECONDS
from datasets.services.sweep import remove_dead_blobs
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.jobs import Claim, Pulse
from vaultsite.kernel.turn import take_turn

logger = logging.getLogger("vault.erasure")


@dataclass
class Work:
    """One worker's hold on one erasure."""

    erasure: Erasure
    claim: Claim
    sweep: Sweep

    @classmethod
    def open(cls, erasure: Erasure, held: Claim) -> "Work":
        """Fetch keys and ids. Raises DatasetHeld, KeyUnavailable."""
        with held.scope():
            spared = spared_by(erasure.pk)
            ids = sorted(spared)
            keeper = Keeper(erasure.dataset_id, ids)
            keeper.refuse_held()
            reader = PackReader(load_keys(erasure.dataset_id))
        sweep = Sweep(erasure, held, reader, ids, keeper, Pulse(held, progress={"stage": "sweep"}), spared)
        return cls(erasure, held, sweep)

    def run(self) -> None:
        """Sweep until nothing unexamined is left, make that lasting, and seal the receipt."""
        if self.erasure.checkpoint.get("stage") != "settled":
            self._erase()
        while not self._finish():
            self._erase()

    def _erase(self) -> None:
        self.sweep.run()
        while not self._settle():
            self.sweep.run()
        # Readers that looked a place up before may still read from it for as long.
        time.sleep(PLACE_SECONDS)

    def _settle(self) -> bool:
        """Raise the epoch again with nothing left to examine: no build that read the old bytes can keep anything.

        False when packs have come since the sweep began.
        """
        dataset_id = self.erasure.dataset_id
        with self.claim.scope():
            # Without the key: rows that point at the dataset may come meanwhile, and do not wait for this.
            self.sweep.keeper.refuse_held()
            if self.sweep.unexamined():
                return False
            Dataset.objects.filter(pk=dataset_id).update(erasure_epoch=F("erasure_epoch") + 1)
            drop_derived(self.erasure, self.sweep.ids, spared=self.sweep.spared)
            now = timezone.now()
            ErasedRecord.objects.filter(erasure=self.erasure).update(erased_at=now)
            newest = Version.objects.filter(dataset_id=dataset_id).order_by("-sequence").first()
            self.erasure.checkpoint = {"stage": "settled", "sequence": newest.sequence if newest else 0}
            self.claim.save(checkpoint=self.erasure.checkpoint, progress={"stage": "verify"})
        return True

    def _finish(self) -> bool:
        """Count the versions and seal the receipt; False when a record is readable after all."""
        upto = self.erasure.checkpoint["sequence"]
        versions = Version.objects.filter(dataset_id=self.erasure.dataset_id, sequence__lte=upto)
        with self.sweep.reader.scope():
            roots = [bytes(root) for root in versions.values_list("root", flat=True)]
        affected = Affected(self.sweep)
        count = affected.count(roots)
        if affected.is_readable:
            logger.error("erasure %s: a record could still be read, sweeping again", self.erasure.pk)
            return False
        with self.claim.scope():
            self.erasure.refresh_from_db(fields=["chunk_count"])
            receipt = make_receipt(self.erasure, versions=count, unreadable=sorted(self.sweep.unreadable))
            sealed, digest = seal_receipt(self.erasure, receipt)
            found = len(receipt["records"])
            facts: dict[str, Any] = {
                "records": found,
                "chunks": self.erasure.chunk_count,
                "versions": count,
                "unreadable": len(receipt["unreadable"]),
                "receipt_sha256": digest,
            }
            self.claim.finish(
                receipt=sealed, record_count=found, version_count=count, progress={"stage": "done", "records": found}
            )
            emit(_ended(self.erasure, **facts))
        return True


def run_erasure(tenant_id: UUID, erasure_id: UUID) -> None:
    """Continue an erasure until it is finished, refused, or taken over by another worker."""

    def work(erasure: Erasure, held: Claim) -> None:
        Work.open(erasure, held).run()

    take_turn(Erasure, tenant_id, erasure_id, work, fail=_fail, ends=_is_refused)
    remove_dead_blobs(tenant_id, job=erasure_id)


def _is_refused(error: VaultError) -> bool:
    return error.status < 500  # noqa: PLR2004 - a store without room is waited for: the request still stands


def _fail(erasure: Erasure, held: Claim, error: VaultError) -> None:
    """What may not be erased is not suppressed either; what was tried too often stays suppressed."""
    with held.scope():
        if _is_refused(error):
            ErasedRecord.objects.filter(erasure=erasure).delete()
        held.fail(error)
        emit(_ended(erasure, failure=error.code))


def _ended(erasure: Erasure, *, failure: str = "", **facts: Any) -> Event:
    return Event(
        type=EventType.ERASED,
        operation="delete",
        status="failure" if failure else "success",
        severity="critical" if failure else "info",
        resource=resource_of(Dataset.objects.get(pk=erasure.dataset_id)),
        purpose=erasure.purpose,
        failure_reason=failure,
        metadata={"erasure": str(erasure.pk), "requested_by": str(erasure.requested_by), **facts},
    )
