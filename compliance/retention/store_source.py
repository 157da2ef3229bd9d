"""What stores ask of the terms of an organization, and of its legal holds."""

from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now

from access.terms import Store, TermSource
from compliance.models import StoreTerm
from datasets.models import Dataset
from datasets.services.holds import lock_for_holds


class SetTerms(TermSource):
    """Answers from the terms that are set in the open scope."""

    def days_of(self, store: Store) -> int | None:
        return StoreTerm.objects.filter(store=store.value).values_list("days", flat=True).first()

    def tell_ended(self, store: Store, count: int) -> None:
        StoreTerm.objects.filter(store=store.value).update(ended=F("ended") + count)

    def keeps_tokens(self, dataset_id: UUID | None) -> bool:
        """Under the locks that who places a hold takes: the dataset's row, or the organization's keys."""
        lock_for_holds([] if dataset_id is None else [dataset_id])
        held = Dataset.objects.filter(legal_hold=True)
        return (held if dataset_id is None else held.filter(pk=dataset_id)).exists()

    def promises_tokens(self, dataset_id: UUID | None) -> bool:
        promised = Dataset.objects.filter(purged_at=None, keep_until__gt=Now())
        return (promised if dataset_id is None else promised.filter(pk=dataset_id)).exists()
