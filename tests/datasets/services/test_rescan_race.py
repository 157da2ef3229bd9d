"""Versions that are published while a rescan ends: none of them escapes the quarantine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from datasets.models import Rescan, Version, VersionQuarantine
from datasets.services.rescan.start import start_rescan
from datasets.services.rescan.work import Ending, Scanning
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, someone, upload
from tests.factories.detectors import detecting
from vaultsite.kernel.jobs import Claim, claim

ROWS = [{"id": f"r{number:04d}", "text": f"blue bird {number} and red fox " + "x" * 600} for number in range(100)]


@dataclass(frozen=True)
class Interrupted(Claim):
    """A claim in the middle of whose work, before scope number ``at`` is opened, somebody else does something."""

    at: int = 0
    meanwhile: Callable[[], None] = field(default=list)
    opened: list[int] = field(default_factory=list)

    @contextmanager
    def scope(self) -> Iterator[None]:
        self.opened.append(len(self.opened) + 1)
        if len(self.opened) == self.at:
            self.meanwhile()
        with super().scope():
            yield


@pytest.mark.parametrize("at", [2, 3, 4, 5])
def test_a_version_published_while_a_rescan_ends_is_in_quarantine_as_its_parent_is(tenant, settings, at):
    dataset, steward = make_dataset(tenant), someone(tenant, "data_steward")
    with detecting(settings, {"red fox": "PERSON"}):
        upload(tenant, dataset, jsonl(ROWS))
    with detecting(settings, {"blue bird 7 ": "CARD_VERIFICATION"}):
        with acting(tenant, steward):
            queued = start_rescan(steward, dataset_id=dataset.pk)
        with acting(tenant):
            row, held = claim(Rescan, queued.pk)
        assert Scanning.open(row, held).run()
        interrupted = Interrupted(
            held.model,
            held.tenant_id,
            held.pk,
            held.fence,
            at=at,
            meanwhile=lambda: upload(tenant, dataset, jsonl([{"id": "z", "text": "grey"}]), mode="append"),
        )
        Ending(row, interrupted).run()
    with acting(tenant):
        versions = set(Version.objects.filter(dataset=dataset).values_list("pk", flat=True))
        assert len(versions) == 2
        assert set(VersionQuarantine.objects.values_list("version_id", flat=True)) == versions
        row.refresh_from_db()
        assert row.status == "succeeded"
