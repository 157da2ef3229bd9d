"""Turn a finished tree into a version, or take everything of a failed ingest back."""

import secrets

from datasets.models import Blob, BlobKind, BlobState, Ingest, Version, VersionKind
from datasets.services.commit import NewVersion, commit_version, discard_packs, keep_packs
from datasets.services.ingest.build import Built
from datasets.services.record_quarantine import drop_unscanned, release_unscanned
from datasets.services.suppression import flag_returns_of
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.jobs import Claim


def commit_ingest(
    ingest: Ingest, claim: Claim, head: Version | None, built: Built, *, epoch: int, seed: SecretKey
) -> Version | None:
    """Commit the version and finish the job in one transaction; None when it must be built again.

    Nothing of it is visible before; after it the job's seed is gone and its temporary objects are marked dead.
    """
    new = NewVersion(
        dataset_id=ingest.dataset_id,
        branch=ingest.branch,
        kind=VersionKind.INGEST,
        head=head,
        epoch=epoch,
        tree=built.tree,
        sealed_bytes=built.sealed_bytes,
        profile_change=built.profile_change,
        author=ingest.requested_by,
        created_at=ingest.created_at,
        seed=seed,
        label=ingest.label,
        message=ingest.message,
        purpose=ingest.purpose,
        facts={"ingest": str(ingest.pk), "rejected": ingest.rejected_count},
    )
    with claim.scope():
        version = commit_version(new)
        if version is None:
            return None
        keep_packs(ingest.pk)
        flag_returns_of(ingest.pk, version.dataset, cause=version.kind)
        release_unscanned(ingest)
        _end_temporaries(ingest)
        claim.finish(version=version, seed=None, progress={"stage": "done", "records": version.record_count})
    return version


def discard(ingest: Ingest) -> None:
    """Inside a scope: remove every row a failed ingest left in the tree and mark its objects dead."""
    discard_packs(ingest.pk)
    drop_unscanned(ingest)
    _end_temporaries(ingest)


def _end_temporaries(ingest: Ingest) -> None:
    """Parts and runs have done their work; of the reports those stay that the ingest names."""
    mine = Blob.objects.filter(job=ingest.pk)
    mine.filter(kind__in=(BlobKind.PART, BlobKind.RUN)).update(state=BlobState.DEAD)
    named = ingest.checkpoint.get("reports", [])
    mine.filter(kind=BlobKind.REPORT).exclude(pk__in=named).update(state=BlobState.DEAD)


def new_seed() -> SecretKey:
    return SecretKey(secrets.token_bytes(32))
