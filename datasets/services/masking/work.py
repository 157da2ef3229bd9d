"""The worker's part: new versions without what was found, the erasure of what was there before, and the end of both.

Every step leaves its trace in the transaction that does it, so a worker that goes on behind a killed one finds the
heads that are done as they are, and asks for the erasures once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from anonymization.errors import FindingMismatch
from datasets.errors.masking import MaskingIncomplete
from datasets.models import Erasure, Masking
from datasets.services.commit import discard_packs
from datasets.services.erasure.request import MAX_RECORDS, queue_erasure
from datasets.services.keys import DatasetKeys, load_keys
from datasets.services.masking.found import Looked, Survey, state_of, survey
from datasets.services.masking.publish import Publisher, branches_of, refuse_going
from datasets.services.pack_reader import PackReader
from datasets.services.sweep import remove_dead_blobs
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.jobs import FINAL, Claim, JobStatus, Pulse
from vaultsite.kernel.turn import is_final, take_turn

_ASKED: Final = "asked"
#: So often one worker looks again at a dataset that somebody wrote to meanwhile; then others have their turn.
ROUNDS: Final = 3


def run_masking(tenant_id: UUID, masking_id: UUID) -> None:
    """Continue until everything is done, refused, or another worker's."""
    take_turn(Masking, tenant_id, masking_id, lambda row, held: Work.open(row, held).run(), fail=_fail)
    remove_dead_blobs(tenant_id, job=masking_id)


def mask_heads(tenant_id: UUID, masking_id: UUID, *, goes_on: bool) -> None:
    """The first of the two steps alone; what ``goes_on`` is given back for the second."""

    def work(masking: Masking, held: Claim) -> None:
        Work.open(masking, held).publish_all()
        if goes_on:
            held.wait()
        else:
            held.finish(progress={"stage": "done"})

    take_turn(Masking, tenant_id, masking_id, work, fail=_fail, ends=_is_refused)
    remove_dead_blobs(tenant_id, job=masking_id)


def _is_refused(error: VaultError) -> bool:
    return is_final(error) or isinstance(error, FindingMismatch)


def _fail(masking: Masking, held: Claim, error: VaultError) -> None:
    """Versions that were made stay; who tries again goes on from them."""
    with held.scope():
        discard_packs(masking.pk)
        held.fail(error)


@dataclass
class Work:
    """One worker's hold on one masking."""

    masking: Masking
    claim: Claim
    keys: DatasetKeys
    _beat: Pulse = field(init=False)

    def __post_init__(self) -> None:
        self._beat = Pulse(self.claim, progress={"stage": "mask"})

    @classmethod
    def open(cls, masking: Masking, held: Claim) -> "Work":
        """Raises KeyUnavailable, KeyDestroyed."""
        with held.scope():
            return cls(masking, held, load_keys(masking.dataset_id))

    def run(self) -> None:
        """To the end, until the erasures have ended, or until ROUNDS times somebody wrote meanwhile."""
        looked = Looked()
        for _ in range(ROUNDS):
            if _ASKED in self.masking.checkpoint:
                break
            self.publish_all()
            self._ask(survey(PackReader(self.keys), self._beat, looked))
        if _ASKED not in self.masking.checkpoint:
            self.claim.give_turn_back(self.masking)
            return
        if self._is_waiting():
            self.claim.wait()
            return
        self.claim.finish(progress={"stage": "done"})

    def publish_all(self) -> None:
        """Give every branch a head without what was found. Raises as ``Publisher.publish`` does."""
        with self.claim.scope():
            refuse_going(self.masking.dataset_id)
            names = branches_of(self.masking.dataset_id)
        publisher = Publisher(self.masking, self.claim, self.keys, self._beat)
        for name in names:
            publisher.publish(name)

    def _ask(self, found: Survey) -> None:
        """Ask for the erasures under the dataset's lock, where nothing has moved since it was looked through.

        What its branches show then stays; so does what is written later, and what is uploaded just now.
        """
        dataset_id = self.masking.dataset_id
        with self.claim.scope():
            refuse_going(dataset_id)
            if state_of(dataset_id) != found.state:
                return
            asked = [str(self._erase(found.gone, names).pk) for names in _batches(sorted(found.gone))]
            self.masking.checkpoint = {_ASKED: asked}
            self.claim.save(
                checkpoint=self.masking.checkpoint,
                progress={"stage": "erase", "records": len(found.gone)},
                upto=found.state.upto,
                erased_count=len(found.gone),
            )

    def _erase(self, gone: Mapping[str, frozenset[bytes]], names: Sequence[str]) -> Erasure:
        return queue_erasure(
            self.masking.dataset_id,
            record_ids=names,
            reason=self.masking.reason,
            requested_by=self.masking.requested_by,
            purpose="",
            spared={name: gone[name] for name in names},
        )

    def _is_waiting(self) -> bool:
        """Whether erasures are under way. Raises MaskingIncomplete where one of them was refused or given up."""
        with self.claim.scope():
            rows = list(Erasure.objects.filter(pk__in=self.masking.checkpoint[_ASKED]))
        failed = sorted({row.error_code for row in rows if row.is_final and row.status != JobStatus.SUCCEEDED})
        if failed:
            raise MaskingIncomplete(codes=failed)
        return any(row.status not in FINAL for row in rows)


def _batches(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[start : start + MAX_RECORDS] for start in range(0, len(names), MAX_RECORDS)]
