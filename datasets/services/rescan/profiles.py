"""How many findings a version has by a later set of detectors: counted anew for the heads of branches."""

from collections import Counter
from collections.abc import Callable

from access.services.keyring import seal_column
from anonymization.findings import ACT_FROM, decode_findings, profile
from datasets.models import Branch, Rescan, Version, VersionProfile
from datasets.services.commit import Profile, encode_profile
from datasets.services.pack_store import PackWriter
from datasets.tree.digests import EMPTY_ROOT
from datasets.tree.reader import chunk_digests
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.jobs import Claim


def store_profiles(held: Claim, reader: PackWriter, row: Rescan, *, beat: Callable[[], None]) -> None:
    """Write a profile of each branch head by the rescan's set of detectors, unless it has one."""
    with held.scope():
        counted = VersionProfile.objects.filter(detector=bytes(row.detector)).values("version_id")
        heads = Version.objects.filter(pk__in=Branch.objects.filter(dataset_id=row.dataset_id).values("head_id"))
        versions = list(heads.exclude(pk__in=counted))
    for version in versions:
        counts = _count(reader, bytes(version.root), beat)
        with held.scope():
            made = VersionProfile(id=uuid7(), version=version, detector=bytes(row.detector))
            made.profile = seal_column("version-profile", made.id.bytes, encode_profile(counts))
            VersionProfile.objects.bulk_create([made], ignore_conflicts=True)


def _count(reader: PackWriter, root: bytes, beat: Callable[[], None]) -> Profile:
    counts: Profile = Counter()
    if root == EMPTY_ROOT:
        return counts
    for digest in chunk_digests(reader, root):
        beat()
        encoded = reader.own_findings(digest)
        if encoded is not None:
            counts.update(profile(decode_findings(encoded), ACT_FROM))
    return counts
