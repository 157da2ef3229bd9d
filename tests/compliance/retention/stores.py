"""One thing of each store, made as its own service makes it, and time that passes for it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone

from access.models import Tenant
from access.terms import Store
from anonymization.models import Token, TokenSpace
from anonymization.services.tokens import TokenScope, tokenize_values
from audit.exports.request import create_export
from audit.exports.work import run_export
from audit.log.checkpoints import sign_checkpoint
from audit.log.sealer import seal_tenant
from audit.models import AuditExport, AuditExportFormat
from audit.selectors import EventFilter
from compliance.models import StoreTerm
from compliance.retention.store_terms import Terms, set_term
from compliance.retention.stores import SHELVES
from datasets.models import Dataset
from tests.factories.access import acting, principal_with
from tests.factories.datasets import jsonl, make_dataset, rows_of, someone, upload
from tests.factories.drafts import make_draft, put
from tests.factories.exports import export
from tests.factories.guaranteed import guaranteed, people
from tests.factories.retention import officer

PURPOSE: Final = "evaluation"


def set_days(tenant: Tenant, store: Store, days: int, *, grace_days: int = 0) -> StoreTerm:
    terms = Terms(days=days, grace_days=grace_days, legal_basis="Storage limitation (GDPR, article 5)")
    with acting(tenant, officer(tenant)) as scope:
        return set_term(scope.principal, name=store.value, terms=terms)


def filled(tenant: Tenant) -> Dataset:
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(5)))
    return dataset


def _export(tenant: Tenant) -> Any:
    return export(tenant, filled(tenant))


def _table(tenant: Tenant) -> Any:
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(people(40)))
    return guaranteed(tenant, dataset)


def _audit_export(tenant: Tenant) -> Any:
    make_dataset(tenant)
    seal_tenant(tenant.pk, window=None)
    sign_checkpoint(tenant.pk)
    auditor = principal_with(tenant, "auditor")
    with acting(tenant, auditor):
        made = create_export(auditor, format=AuditExportFormat.JSONL, criteria=EventFilter())
    run_export(tenant.pk, made.pk)
    with acting(tenant):
        return AuditExport.objects.get(pk=made.pk)


def _draft(tenant: Tenant) -> Any:
    draft = make_draft(tenant, make_dataset(tenant))
    put(tenant, draft, rows_of(3))
    return draft


def make_token(tenant: Tenant, dataset: Dataset | None = None) -> Token:
    """Of one dataset, or of the whole organization."""
    privacy = someone(tenant, "privacy_officer")
    with acting(tenant, privacy):
        tokenize_values(TokenScope(dataset.pk if dataset else None, PURPOSE), ["Ada Lovelace"])
        space = TokenSpace.objects.get(dataset_id=dataset.pk if dataset else None)
        return Token.objects.filter(space=space).order_by("-pk")[0]


MAKERS: Final[dict[Store, Callable[[Tenant], Any]]] = {
    Store.EXPORTS: _export,
    Store.ANALYTICS: _table,
    Store.AUDIT_EXPORTS: _audit_export,
    Store.DRAFTS: _draft,
    Store.TOKENS: make_token,
}


def aged(tenant: Tenant, store: Store, thing: Any, days: int) -> Any:
    """The thing, as if it had been made so many days ago; its end stays where it was."""
    then = timezone.now() - timedelta(days=days)
    rows = type(thing)._base_manager.using("owner").filter(pk=thing.pk)
    assert rows.update(**{SHELVES[store].start: then}) == 1
    return thing


def stands(tenant: Tenant, store: Store, thing: Any) -> bool:
    with acting(tenant):
        return SHELVES[store].rows().filter(pk=thing.pk).exists()


def end_of(tenant: Tenant, thing: Any) -> Any:
    with acting(tenant):
        return type(thing).objects.values_list("expires_at", flat=True).get(pk=thing.pk)
