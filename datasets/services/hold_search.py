"""Find the records that a legal hold keeps by a filter: in every version there is, then in each that comes."""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Final
from uuid import UUID

import orjson

from access.services.keyring import open_column
from datasets.models import Dataset, HoldKind, HoldMark, Version
from datasets.query import Filter, parse_filter
from datasets.services.holds import QUERY_KIND, is_behind, keep_records
from datasets.services.keys import load_keys
from datasets.services.pack_reader import PackReader
from datasets.tree.diff import diff
from datasets.tree.digests import EMPTY_ROOT
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import Scope, tenant_scope

logger = logging.getLogger("vault.holds")
_BATCH: Final = 500


@dataclass(frozen=True)
class _Step:
    """One version to look into: what it has that the one before has not."""

    mark: HoldMark
    filter: Filter
    reader: PackReader
    before: bytes
    version: Version


def find_held_records() -> int:
    """As vault_system, over all tenants: look into what is new; returns into how many versions.

    A version that cannot be read is tried again with the next run; until then all of its dataset counts as held.
    """
    queries = HoldMark.objects.using("system").filter(kind=HoldKind.QUERY).order_by("pk")
    found = 0
    for tenant_id, mark_id in queries.values_list("tenant_id", "pk"):
        try:
            found += find_records_of(tenant_id, mark_id)
        except VaultError as error:
            logger.warning("hold mark %s: its records were not looked for: %s", mark_id, error.code)
    return found


def find_records_of(tenant_id: UUID, mark_id: UUID) -> int:
    """Look for the records of one mark in the versions that came since. Raises what damaged objects raise.

    Can stop anywhere: a version counts once all of its records are listed.
    """
    looked_into = 0
    while (step := _next(tenant_id, mark_id)) is not None:
        matching = _matching(step)
        while batch := list(islice(matching, _BATCH)):
            with _scope(tenant_id):
                if not HoldMark.objects.select_for_update(no_key=True).filter(pk=mark_id).exists():
                    return looked_into
                keep_records(step.mark, batch)
        with _scope(tenant_id):
            HoldMark.objects.filter(pk=mark_id, found_upto__lt=step.version.sequence).update(
                found_upto=step.version.sequence
            )
        looked_into += 1
    return looked_into


def _next(tenant_id: UUID, mark_id: UUID) -> _Step | None:
    with _scope(tenant_id):
        mark = HoldMark.objects.filter(pk=mark_id, kind=HoldKind.QUERY).first()
        if mark is None or mark.query is None or not is_behind(mark):
            return None
        if not Dataset.objects.filter(pk=mark.dataset_id, purged_at=None).exists():
            return None
        versions = Version.objects.filter(dataset_id=mark.dataset_id)
        version = versions.filter(sequence__gt=mark.found_upto).order_by("sequence").first()
        before = versions.filter(sequence__lte=mark.found_upto).order_by("-sequence").first()
        if version is None:
            return None
        wanted = parse_filter(orjson.loads(open_column(QUERY_KIND, mark.pk.bytes, bytes(mark.query))))
        reader = PackReader(load_keys(mark.dataset_id))
    return _Step(mark, wanted, reader, bytes(before.root) if before else EMPTY_ROOT, version)


def _matching(step: _Step) -> Iterator[str]:
    for change in diff(step.reader, step.before, bytes(step.version.root)):
        if change.after is not None and step.filter.matches(orjson.loads(change.after.record.canonical)):
            yield change.id


def _scope(tenant_id: UUID) -> AbstractContextManager[Scope]:
    return tenant_scope(tenant_id, Principal.system(tenant_id))
