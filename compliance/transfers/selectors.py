"""What the log of transfers is read for."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Sum

from access.selectors import people_named
from access.services.authorize import authorize
from compliance.models import Party, Safeguard, Transfer, TransferOutcome
from compliance.register.parties import name_of
from datasets.models import Dataset
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal


@dataclass(frozen=True)
class TransferFilter:
    """Which transfers are asked for; empty members ask nothing."""

    outcome: str = ""
    country: str = ""
    dataset: UUID | None = None
    party: UUID | None = None


def list_transfers(
    principal: Principal, *, wanted: TransferFilter, limit: int, after: UUID | None = None
) -> list[Transfer]:
    """At most ``limit`` transfers, the newest first, following the one of id ``after``. Raises AccessDenied."""
    authorize(principal, "register.read", ResourceRef("transfer"))
    asked = {
        "outcome": wanted.outcome,
        "country": wanted.country,
        "dataset": wanted.dataset,
        "party": wanted.party,
        "pk__lt": after,
    }
    rows = Transfer.objects.filter(**{name: value for name, value in asked.items() if value})
    return list(rows.order_by("-pk")[:limit])


@dataclass(frozen=True)
class ShownTransfer:
    """A transfer with names: of who took it out, of the dataset and of the party; empty where nobody may know them."""

    row: Transfer
    by: str
    dataset_name: str
    party_name: str


def with_names(principal: Principal, rows: list[Transfer]) -> list[ShownTransfer]:
    """For who has decided already. Names of datasets are those that the principal may see."""
    people = people_named(principal, {row.principal for row in rows})
    seen = Dataset.objects.visible_to(principal).filter(pk__in={row.dataset for row in rows})
    datasets = dict(seen.values_list("pk", "name"))
    parties = party_names({row.party for row in rows if row.party})
    return [
        ShownTransfer(
            row,
            people.get(row.principal, ""),
            datasets.get(row.dataset, ""),
            parties.get(row.party, "") if row.party else "",
        )
        for row in rows
    ]


def transfers_made(purpose: str) -> list[dict[str, Any]]:
    """What the log has of a purpose, by recipient, country and safeguard; for who has decided already."""
    rows = Transfer.objects.filter(purpose=purpose, outcome=TransferOutcome.MADE).order_by()
    grouped = rows.values("party", "country", "safeguard").annotate(
        count=Count("pk"), records=Sum("record_count"), last=Max("created_at")
    )
    found = list(grouped.order_by("party", "country", "safeguard"))
    names, labels = party_names({one["party"] for one in found if one["party"]}), dict(Safeguard.choices)
    return [
        {
            "to": names.get(one["party"], "") if one["party"] else "",
            "country": one["country"],
            "safeguard": labels[one["safeguard"]],
            "downloads": one["count"],
            "records": one["records"],
            "last_at": one["last"].isoformat(),
        }
        for one in found
    ]


def party_names(ids: set[UUID]) -> dict[UUID, str]:
    """Also of parties that have ended."""
    return {row.pk: name_of(row) for row in Party.objects.filter(pk__in=ids)}
