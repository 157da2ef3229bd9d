"""What covers the way of records out of the region of their dataset (GDPR Art. 44 to 49), and the log of it."""

from dataclasses import dataclass
from uuid import UUID

from compliance.errors.transfers import RecipientMissing, TransferRefused
from compliance.models import Party, RefusedBecause, Safeguard, Transfer, TransferOutcome
from compliance.register.parties import known_parties, name_of
from datasets.ports import Recipient, Shipment, TransferRule
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.regions import Region, region_of
from vaultsite.kernel.tenancy.scope import current_scope, durable_effect


@dataclass(frozen=True)
class Way:
    """From a region to a party; ``region`` is None where none is declared, and then nothing is a transfer."""

    region: Region | None
    party: Party | None

    @property
    def has_borders(self) -> bool:
        return self.region is not None and bool(self.region.countries)

    @property
    def leaves(self) -> bool:
        """Whether it ends outside of the countries of the region."""
        return self.region is not None and self.has_borders and self._country not in self.region.countries

    @property
    def _country(self) -> str:
        return self.party.country if self.party else ""

    def lack(self) -> RefusedBecause:
        """What the way lacks to be taken."""
        if not self.leaves or self.party is None:
            return RefusedBecause.NOTHING
        if not self.party.country:
            return RefusedBecause.NO_COUNTRY
        if self.party.safeguard == Safeguard.NONE:
            return RefusedBecause.NO_SAFEGUARD
        if self.party.safeguard == Safeguard.DEROGATION and not self.party.contract_reference.strip():
            return RefusedBecause.NO_GROUND
        return RefusedBecause.NOTHING


class RegisteredParties(TransferRule):
    """The parties of the register say where they are and what covers transfers to them.

    Where a region covers countries, whoever takes records out of it names the party that receives them. Within those
    countries nothing more is asked; beyond them the party needs a safeguard, and a derogation its ground.
    """

    def require_cover(self, shipment: Shipment) -> None:
        """Raises RecipientMissing, TransferRefused; the refusal is logged and stays logged."""
        way = _way(shipment)
        if shipment.recipient is None:
            if way.has_borders:
                _refuse(shipment, way, RefusedBecause.NO_RECIPIENT, RecipientMissing())
            return
        if way.party is None:
            _refuse(shipment, way, RefusedBecause.UNKNOWN_PARTY, _refused(RefusedBecause.UNKNOWN_PARTY))
        elif lack := way.lack():
            _refuse(shipment, way, lack, _refused(lack))

    def record(self, shipment: Shipment, *, size: int, records: int) -> None:
        """Only what has left the countries of the region is a transfer."""
        way = _way(shipment)
        if not way.leaves:
            return
        event = _event(EventType.TRANSFER_MADE, shipment, way, bytes_transferred=size, records_accessed=records)
        _row(shipment, way, event, outcome=TransferOutcome.MADE, size=size, record_count=records).save()
        emit(event)

    def recipients(self, region: str) -> list[Recipient]:
        found = region_of(region)
        if found is None or not found.countries:
            return []
        return [Recipient(one.id, one.facts.name, one.facts.country) for one in known_parties()]

    def name_of(self, recipient: UUID) -> str:
        """Opened from the register."""
        row = Party.objects.filter(pk=recipient).first()
        return name_of(row) if row else ""


def _way(shipment: Shipment) -> Way:
    parties = Party.objects.filter(pk=shipment.recipient, ended_at=None) if shipment.recipient else Party.objects.none()
    return Way(region_of(shipment.resource.residency), parties.first())


def _refused(reason: RefusedBecause) -> TransferRefused:
    return TransferRefused(reason.label, reason=reason.value)


def _refuse(shipment: Shipment, way: Way, reason: RefusedBecause, error: VaultError) -> None:
    """Raises ``error`` once it is logged: neither row nor event goes with the transaction that it ends."""
    event = _event(EventType.TRANSFER_REFUSED, shipment, way, reason=reason.value)
    row = _row(shipment, way, event, outcome=TransferOutcome.REFUSED, reason=reason)
    with durable_effect():
        row.save()
    emit(event, lasting=True)
    raise error


def _row(shipment: Shipment, way: Way, event: Event, **told: object) -> Transfer:
    resource, party = shipment.resource, way.party
    return Transfer(
        principal=current_scope().principal.id,
        dataset=shipment.dataset_id,
        version=resource.version,
        export=shipment.export_id,
        region=resource.residency,
        party=party.pk if party else None,
        country=party.country if party else "",
        safeguard=party.safeguard if party else Safeguard.NONE,
        purpose=shipment.purpose,
        event=event.id,
        **told,
    )


def _event(kind: EventType, shipment: Shipment, way: Way, **told: object) -> Event:
    is_made, party = kind == EventType.TRANSFER_MADE, way.party
    return Event(
        type=kind,
        operation="export",
        status="success" if is_made else "denied",
        severity="info" if is_made else "warning",
        resource=shipment.resource,
        purpose=shipment.purpose,
        metadata={
            "export": str(shipment.export_id),
            "region": shipment.resource.residency,
            "party": str(party.pk) if party else "",
            "country": party.country if party else "",
            "safeguard": party.safeguard if party else "",
        }
        | told,
    )
