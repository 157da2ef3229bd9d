"""Canary through a writer: a record is written as usual; what is stored does not show it, and cannot be moved."""

from typing import Final
from uuid import UUID

import orjson

from compliance.posture.outcome import Outcome, Untried, judged
from compliance.posture.sandbox import actor, probe_dataset, sandbox
from datasets.models import StagedRecord
from datasets.services.drafts.body import read_incoming
from datasets.services.drafts.open import DraftFacts, open_draft
from datasets.services.drafts.scan import scan_incoming
from datasets.services.drafts.stage import put_changes
from datasets.services.drafts.staged import open_staged
from datasets.services.keys import DatasetKeys, load_keys
from datasets.services.schemas import rules_for
from vaultsite.kernel.errors import IntegrityFailure

_ID: Final = "probe"
_CANARY: Final = "canary.of.a.probe@example.com"


def probe(tenant_id: UUID) -> Outcome:
    steward, breaches = actor(tenant_id, "data_steward"), list[str]()
    with sandbox(tenant_id, steward):
        dataset = probe_dataset(steward)
        keys = load_keys(dataset.pk)
        draft = open_draft(steward, dataset_id=dataset.pk, facts=DraftFacts())
        line = orjson.dumps({"id": _ID, "data": {"text": f"Write to {_CANARY}."}})
        prepared = scan_incoming(keys, rules_for(dataset.pk), read_incoming([line]))
        results = put_changes(keys, draft, prepared, {}, by=steward.id, blind=False)
        row = StagedRecord.objects.filter(draft=draft, record_id=_ID).first()
        if row is None or [one.status for one in results] != ["created"]:
            raise Untried("the record was not written")
        entry = open_staged(keys, row)
        if entry is None or _CANARY.encode() not in entry.canonical:
            raise Untried("what was written did not come back")
        if not entry.findings:
            breaches.append("the canary was not found by the detectors")
        if any(part in bytes(row.body or b"") for part in (_CANARY.encode(), b"canary", b"text")):
            breaches.append("the canary stands in the clear in the database")
        body = bytearray(row.body or b"")
        body[-1] ^= 1
        row.body = bytes(body)
        if _opens(keys, row):
            breaches.append("a changed row was opened")
        body[-1] ^= 1
        row.body, row.record_id = bytes(body), "moved"
        if _opens(keys, row):
            breaches.append("a row was opened in another place")
    return judged(breaches, attempts=4)


def _opens(keys: DatasetKeys, row: StagedRecord) -> bool:
    try:
        return open_staged(keys, row) is not None
    except IntegrityFailure:
        return False
