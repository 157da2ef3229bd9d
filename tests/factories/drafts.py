"""Drafts as the services make them."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from access.models import Tenant
from datasets.models import Dataset, Draft, Publication, StagedRecord
from datasets.services.drafts.body import read_document, read_ids, read_incoming
from datasets.services.drafts.open import DraftFacts, open_draft
from datasets.services.drafts.publication import run_publication
from datasets.services.drafts.publish import PublishOptions, request_publication
from datasets.services.drafts.read import open_draft_release, read_draft_records
from datasets.services.drafts.scan import Prepared, scan_incoming
from datasets.services.drafts.stage import begin_staging, stage
from datasets.services.read import ReadRecord
from tests.factories.access import acting
from tests.factories.datasets import someone
from vaultsite.kernel.tenancy.scope import tenant_scope


def make_draft(tenant: Tenant, dataset: Dataset, **facts: Any) -> Draft:
    steward = someone(tenant, "data_steward")
    with tenant_scope(tenant.pk, steward):
        return open_draft(steward, dataset_id=dataset.pk, facts=DraftFacts(**facts))


def put(tenant: Tenant, draft: Draft, records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Stage records; the result of each."""
    steward, body = someone(tenant, "data_steward"), orjson.dumps({"records": list(records)})
    with tenant_scope(tenant.pk, steward):
        staging = begin_staging(steward, dataset_id=draft.dataset_id, name=str(draft.pk))
    return stage(
        steward,
        staging,
        body,
        lambda: scan_incoming(staging.keys, staging.rules, read_incoming(read_document(body).records)),
    )


def leave_out(tenant: Tenant, draft: Draft, ids: Iterable[str]) -> list[dict[str, Any]]:
    """Stage deletions; the result of each."""
    steward = someone(tenant, "data_steward")
    with tenant_scope(tenant.pk, steward):
        staging = begin_staging(steward, dataset_id=draft.dataset_id, name=str(draft.pk))
    changes = [Prepared(item.index, item.id, error=item.error) for item in read_ids(list(ids))]
    return stage(steward, staging, b"", lambda: changes)


def ask_to_publish(tenant: Tenant, draft: Draft, **options: Any) -> Publication:
    """A publication that waits for a worker, whatever its size."""
    steward = someone(tenant, "data_steward")
    with tenant_scope(tenant.pk, steward):
        return request_publication(
            steward, dataset_id=draft.dataset_id, name=str(draft.pk), options=PublishOptions(**options)
        )


def publish(tenant: Tenant, draft: Draft, **options: Any) -> Publication:
    publication = ask_to_publish(tenant, draft, **options)
    run_publication(tenant.pk, publication.pk)
    return reloaded(tenant, publication)


def reloaded(tenant: Tenant, publication: Publication) -> Publication:
    with acting(tenant):
        rows = Publication.objects.select_related("version", "version__parent", "draft", "dataset")
        return rows.get(pk=publication.pk)


def read_draft(tenant: Tenant, draft: Draft, role: str = "data_steward", **options: Any) -> list[ReadRecord]:
    reader = someone(tenant, role)
    with tenant_scope(tenant.pk, reader):
        opened = open_draft_release(reader, dataset_id=draft.dataset_id, name=str(draft.pk))
    return list(read_draft_records(opened, **options))


def staged_kinds(tenant: Tenant, draft: Draft) -> dict[str, str]:
    with acting(tenant):
        return dict(StagedRecord.objects.filter(draft=draft).values_list("record_id", "kind"))
