"""What the vault knows of what was erased, as entries of the replay journal."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from uuid import UUID

from access.models import EncryptionKey, KeyState
from compliance.backup.entries import ERASURE, KEY, PERSON, PURGE, REFUSAL, RELEASE, Entry
from compliance.backup.record import tenants
from compliance.models import LegalHold
from compliance.subjects.replay import people_erased
from datasets.models import Dataset, Purge
from datasets.services.erasure.replay import erasures_asked_for, erasures_refused
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope


def collect_entries(known: Collection[tuple[str, str]] = ()) -> Iterator[Entry]:
    """Of every organization: destroyed keys, released holds, purged datasets, erasures (once they are asked for).

    Of an erasure of a person also what it took beside the records, once it has. ``known`` are keys of entries: what an
    erasure was for is not read again for them.
    """
    erasures = {pk for kind, pk in known if kind == ERASURE}
    people = {pk for kind, pk in known if kind == PERSON}
    for tenant_id in tenants():
        with tenant_scope(tenant_id, Principal.system(tenant_id)):
            found = [*_keys(tenant_id), *_releases(tenant_id), *_purges(tenant_id)]
            found += [*_erasures(tenant_id, erasures), *_people(tenant_id, people)]
        yield from found


def _keys(tenant_id: UUID) -> Iterator[Entry]:
    destroyed = EncryptionKey.objects.filter(state=KeyState.DESTROYED).order_by("pk")
    lost = _lost_keys()
    for pk, scope_id in destroyed.values_list("pk", "scope_id"):
        yield Entry(KEY, str(tenant_id), str(pk), {"scope": str(scope_id), "lost": lost.get(pk, [])})


def _lost_keys() -> dict[UUID, list[str]]:
    """By destroyed KEK, the keys that went with it because it still wrapped them."""
    orphans = EncryptionKey.objects.filter(wrapped_by__state=KeyState.DESTROYED).exclude(state=KeyState.DESTROYED)
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    for key in orphans.order_by("pk"):
        assert key.wrapped_by_id is not None
        found[key.wrapped_by_id].append(str(key.pk))
    return found


def _releases(tenant_id: UUID) -> Iterator[Entry]:
    """Holds that keep nothing any more: those who let them go have answered for it."""
    for hold in LegalHold.objects.filter(released_at__isnull=False).order_by("pk"):
        assert hold.release_requested_at is not None
        assert hold.released_at is not None
        facts = {
            "release_requested_by": str(hold.release_requested_by),
            "release_requested_at": hold.release_requested_at.isoformat(),
            "released_by": str(hold.released_by),
            "released_at": hold.released_at.isoformat(),
        }
        yield Entry(RELEASE, str(tenant_id), str(hold.pk), facts)


def _purges(tenant_id: UUID) -> Iterator[Entry]:
    """Datasets whose purge has begun: their keys are gone, whether or not their rows are."""
    waiting = Dataset.objects.filter(purged_at=None).values("pk")
    begun = Purge.objects.exclude(dataset_id__in=waiting).order_by("pk")
    for dataset_id in dict.fromkeys(begun.values_list("dataset_id", flat=True)):
        yield Entry(PURGE, str(tenant_id), str(dataset_id))


def _erasures(tenant_id: UUID, known: Collection[str]) -> Iterator[Entry]:
    for erasure_id, facts in erasures_asked_for(known):
        yield Entry(ERASURE, str(tenant_id), str(erasure_id), facts.as_json())
    for erasure_id in erasures_refused():
        yield Entry(REFUSAL, str(tenant_id), str(erasure_id))


def _people(tenant_id: UUID, known: Collection[str]) -> Iterator[Entry]:
    for erasure_id, person in people_erased(known):
        yield Entry(PERSON, str(tenant_id), str(erasure_id), person.as_json())
