"""A process that is killed while it places or releases a hold: all of it has happened, or nothing."""

import pytest

from audit.models import AuditEvent
from compliance.models import HoldScope, LegalHold
from datasets.errors import DatasetHeld
from datasets.models import Dataset, HeldRecord, HoldMark
from datasets.services.lifecycle import delete_dataset
from tests.compliance.holds.cases import place, release, subject, whole
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, someone, upload
from tests.journeys.dying_call import killed

pytestmark = pytest.mark.slow
ROWS = [{"id": f"r{number}", "text": f"write to ada{number}@example.com"} for number in range(4)]


def kept(tenant) -> tuple[int, int, int, int, list[bool]]:
    """Case files and what they name, marks and records beside the data, and which datasets are held."""
    with acting(tenant):
        counts = [model.objects.count() for model in (LegalHold, HoldScope, HoldMark, HeldRecord)]
        return (*counts, list(Dataset.objects.order_by("pk").values_list("legal_hold", flat=True)))


@pytest.mark.parametrize(
    "words", [('UPDATE "datasets_dataset"', '"legal_hold" = '), ('INSERT INTO "compliance_holdscope"',)]
)
def test_a_hold_whose_process_dies_midway_is_not_there_and_can_be_placed_again(tenant, tmp_path, words) -> None:
    first, second = make_dataset(tenant), make_dataset(tenant)
    upload(tenant, first, jsonl(ROWS))
    wanted = (subject(first, "ada1@example.com"), whole(second))
    killed(tmp_path / "died", words, place, tenant, *wanted)
    assert kept(tenant) == (0, 0, 0, 0, [False, False])
    with acting(tenant):
        assert not AuditEvent.objects.filter(type="compliance.hold.placed").exists()
    place(tenant, *wanted)
    assert kept(tenant) == (1, 2, 2, 1, [True, True])


@pytest.mark.parametrize(
    "words", [('DELETE FROM "datasets_holdmark"',), ('UPDATE "compliance_legalhold"', "released_at")]
)
def test_a_release_whose_process_dies_midway_frees_nothing(tenant, tmp_path, words) -> None:
    dataset, steward = make_dataset(tenant), someone(tenant, "data_steward")
    hold = place(tenant, whole(dataset))
    killed(tmp_path / "died", words, release, tenant, hold)
    assert kept(tenant) == (1, 1, 1, 0, [True])
    with pytest.raises(DatasetHeld), acting(tenant, steward):
        delete_dataset(steward, dataset_id=dataset.pk)
