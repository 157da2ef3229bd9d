"""The report of lines an ingest rejected: sealed at rest, released to readers of raw data."""

from collections.abc import Iterator
from uuid import UUID

from access.services.authorize import authorize
from datasets.errors import NoRejectReport, UnmetObligation
from datasets.models import Blob
from datasets.selectors import get_ingest, resource_of
from datasets.services.keys import load_keys
from datasets.services.temporary import read_frames
from vaultsite.kernel.tenancy.principal import Principal


def open_rejects(principal: Principal, *, ingest_id: UUID) -> Iterator[bytes]:
    """Decide, in the open scope; the lines of JSON that are returned are read outside of it.

    No detector has seen the lines, so no policy can be carried out on them: where one binds, nothing is released.
    Raises IngestNotFound, AccessDenied, PurposeRequired, UnknownPurpose, UnmetObligation, NoRejectReport.
    """
    ingest = get_ingest(principal, ingest_id)
    decision = authorize(principal, "ingest.rejects.read", resource_of(ingest.dataset))
    if decision.obligations:
        raise UnmetObligation
    names = ingest.checkpoint.get("reports", [])
    if not names:
        raise NoRejectReport
    found = {str(blob.pk): blob for blob in Blob.objects.filter(pk__in=names)}
    keys = load_keys(ingest.dataset_id)
    return (frame for name in names for frame in read_frames(keys, found[name]))
