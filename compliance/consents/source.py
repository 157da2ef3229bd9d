"""What reads ask of consents."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from compliance.models import Consent, ConsentKey, ConsentWithdrawal, keys_of_live
from datasets.models import ConsentLink, SubjectIndexEntry
from datasets.ports import ConsentSource


class RecordedConsents(ConsentSource):
    """The consents that were recorded. Every question is one query, or two."""

    def consented(self, purpose: str, keys: Collection[bytes]) -> frozenset[bytes]:
        rows = keys_of_live(purpose).filter(key__in=keys).values_list("key", flat=True)
        return frozenset(bytes(key) for key in rows)

    def stamp(self, purpose: str) -> str:
        live = Consent.objects.live().filter(purpose__code=purpose).aggregate(last=Max("recorded_at"))["last"]
        ended = ConsentWithdrawal.objects.filter(consent__purpose__code=purpose)
        withdrawn = ended.aggregate(last=Max("withdrawn_at"))["last"]
        lapsed = Consent.objects.lapsed().filter(purpose__code=purpose).aggregate(last=Max("expires_at"))["last"]
        return "/".join("" if at is None else at.isoformat() for at in (live, withdrawn, lapsed))

    def is_withdrawn_since(self, purpose: str, dataset_id: UUID, moment: datetime) -> bool:
        ended = ended_since(purpose, moment)
        if ConsentLink.objects.filter(dataset_id=dataset_id).exclude(subject="").exists():
            return ended.exists()  # whom a declared field names is in no index
        named = SubjectIndexEntry.objects.filter(dataset_id=dataset_id, key=OuterRef("key"))
        return ended.filter(Exists(named)).exists()


def ended_since(purpose: str, moment: datetime) -> QuerySet[ConsentKey]:
    """Keys of those whose consent to the purpose was withdrawn or lapsed since, and who have not agreed again."""
    withdrawn = Q(consent__withdrawals__withdrawn_at__gt=moment)
    lapsed = Q(consent__expires_at__gt=moment, consent__expires_at__lte=Now())
    again = keys_of_live(purpose).filter(key=OuterRef("key"))
    return ConsentKey.objects.filter(withdrawn | lapsed, ~Exists(again), consent__purpose__code=purpose)
