"""The records of processing activities (GDPR Art. 30), made of what the vault knows when it is asked."""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from access.services.authorize import authorize
from compliance.consents.purposes import known_purposes
from compliance.models import PartyRole
from compliance.register.parties import KnownParty, known_parties
from compliance.register.transfers import MISSING, transfers_to
from compliance.transfers.selectors import transfers_made
from datasets.models import Dataset, DatasetUse, Export, GuaranteedExport
from datasets.services.inventory import every_holding
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: What the vault does to everything in it, whatever the purpose (GDPR Art. 32(1)).
MEASURES: Final = (
    "Records are sealed with a secret per chunk under keys of the dataset, wrapped by a key of the tenant.",
    "PostgreSQL keeps tenants apart by row-level security.",
    "Every read is decided on for a stated purpose and recorded in a tamper-evident log.",
    "Personal data is detected at ingest and hidden from who may not see it.",
    "Whoever may not see personal data is shown it masked or cut out.",
)


def controller_register(principal: Principal) -> dict[str, Any]:
    """Art. 30(1): one activity for each purpose under which data is, or may be, used. Raises AccessDenied."""
    authorize(principal, "register.read", ResourceRef("register", "controller"))
    return controller_facts(principal)


def controller_facts(principal: Principal) -> dict[str, Any]:
    """The same for who has decided already; it names the datasets that the principal may see."""
    parties = known_parties()
    activities = list(_activities(principal, parties))
    return _head("GDPR Art. 30(1)", parties) | {"activities": activities, "security_measures": list(MEASURES)}


def processor_register(principal: Principal) -> dict[str, Any]:
    """Art. 30(2): what is processed on behalf of others. Raises AccessDenied."""
    authorize(principal, "register.read", ResourceRef("register", "processor"))
    return processor_facts()


def processor_facts() -> dict[str, Any]:
    """The same for who has decided already."""
    parties = known_parties()
    clients = [one for one in parties if one.facts.role == PartyRole.CLIENT]
    mandates = [
        {
            "controller": _shown(client),
            "categories_of_processing": client.facts.does or MISSING,
            "sub_processors": _of(parties, PartyRole.PROCESSOR),
            "transfers": transfers_to([client, *_rows(parties, PartyRole.PROCESSOR)]),
        }
        for client in clients
    ]
    return _head("GDPR Art. 30(2)", parties) | {"mandates": mandates, "security_measures": list(MEASURES)}


def as_csv(register: dict[str, Any]) -> str:
    """The activities or mandates of a register, one a line; cells that a spreadsheet would run are quoted."""
    rows = register.get("activities", register.get("mandates", []))
    out = io.StringIO()
    names = list(rows[0]) if rows else ["activities"]
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([[_cell(row[name]) for name in names] for row in rows])
    return out.getvalue()


def _cell(value: Any) -> str:
    items = value if isinstance(value, list) else [value]
    text = "; ".join(", ".join(map(str, one.values())) if isinstance(one, dict) else str(one) for one in items)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _head(law: str, parties: list[KnownParty]) -> dict[str, Any]:
    return {
        "law": law,
        "generated_at": timezone.now().isoformat(),
        "controller": _of(parties, PartyRole.CONTROLLER) or MISSING,
        "representative": _of(parties, PartyRole.REPRESENTATIVE),
        "data_protection_officer": _of(parties, PartyRole.DPO) or MISSING,
        "joint_controllers": _of(parties, PartyRole.JOINT_CONTROLLER),
    }


def _activities(principal: Principal, parties: list[KnownParty]) -> Iterator[dict[str, Any]]:
    used = _datasets_by_purpose()
    found: dict[UUID, Counter[str]] = defaultdict(Counter)
    names: dict[UUID, str] = {}
    for one in every_holding(principal):
        names[one.dataset.pk] = one.dataset.name
        if one.entity_type:
            found[one.dataset.pk][one.entity_type] += one.findings
    takers = [one for one in parties if one.facts.role in {PartyRole.PROCESSOR, PartyRole.RECIPIENT}]
    for purpose in known_purposes():
        datasets = sorted((one for one in used.get(purpose.code, set()) if one in names), key=str)
        kinds = sorted({kind for one in datasets for kind in found[one]})
        exports = sum(model.objects.filter(purpose=purpose.code).count() for model in (Export, GuaranteedExport))
        yield {
            "purpose": purpose.code,
            "description": purpose.terms.description,
            "lawful_basis": purpose.terms.lawful_basis or MISSING,
            "special_condition": purpose.terms.special_condition,
            "categories_of_people": purpose.terms.subjects or MISSING,
            "categories_of_data": kinds,
            "datasets": [names[one] for one in datasets],
            "recipients": [_shown(one) for one in takers],
            "exports": exports,
            "transfers": transfers_to(takers),
            "transfers_made": transfers_made(purpose.code),
            "time_limits": purpose.terms.time_limit or MISSING,
        }


def _datasets_by_purpose() -> dict[str, set[UUID]]:
    used: dict[str, set[UUID]] = defaultdict(set)
    live = Dataset.objects.filter(deleted_at=None)
    for purpose, dataset_id in DatasetUse.objects.filter(dataset__in=live).values_list("purpose", "dataset_id"):
        used[purpose].add(dataset_id)
    return used


def _rows(parties: list[KnownParty], role: PartyRole) -> list[KnownParty]:
    return [one for one in parties if one.facts.role == role]


def _of(parties: list[KnownParty], role: PartyRole) -> list[dict[str, str]]:
    return [_shown(one) for one in _rows(parties, role)]


def _shown(one: KnownParty) -> dict[str, str]:
    return {"name": one.facts.name, "contact": one.facts.contact, "country": one.facts.country}
