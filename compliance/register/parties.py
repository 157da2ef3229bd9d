"""The parties of the register: the controller, processors, recipients and clients, each with what covers transfers."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
from django.utils import timezone

from access.services.authorize import authorize, may
from access.services.keyring import open_column, seal_column
from compliance.errors.register import PartyNotFound
from compliance.models import Party, PartyRole, Safeguard
from datasets.services.descriptions import refuse_personal_data
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

MOST: Final = 1000
_COLUMN: Final = "party"
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_LONGEST: Final = {"name": 200, "contact": 500, "contract_reference": 200, "does": 500}
#: Member states of the EEA (ISO 3166): processing elsewhere is a transfer that needs a safeguard.
EEA: Final = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class PartyFacts:
    """What is said of a party. ``country``: ISO 3166, where it processes."""

    role: str
    name: str
    contact: str = ""
    country: str = ""
    safeguard: str = Safeguard.NONE
    contract_reference: str = ""
    does: str = ""


@dataclass(frozen=True)
class KnownParty:
    """A party as the register shows it."""

    id: UUID
    facts: PartyFacts
    added_at: datetime
    ended_at: datetime | None = None

    @property
    def is_transfer(self) -> bool:
        """Whether personal data leaves the EEA to it."""
        return bool(self.facts.country) and self.facts.country not in EEA

    @property
    def lacks_safeguard(self) -> bool:
        """Whether nothing is said to cover that (GDPR Art. 44)."""
        return self.is_transfer and self.facts.safeguard == Safeguard.NONE


def list_parties(principal: Principal) -> list[KnownParty]:
    """Every party that has not ended, by role. Raises AccessDenied."""
    authorize(principal, "register.read", ResourceRef("party"))
    return known_parties()


def list_ended_parties(principal: Principal) -> list[KnownParty]:
    """Parties that take part no more, the last to end first. Raises AccessDenied."""
    authorize(principal, "register.read", ResourceRef("party"))
    return [_known(row) for row in Party.objects.exclude(ended_at=None).order_by("-ended_at")[:MOST]]


def find_party(principal: Principal, *, party_id: UUID) -> KnownParty:
    """One that has not ended. Raises AccessDenied, PartyNotFound."""
    authorize(principal, "register.read", ResourceRef("party", str(party_id)))
    row = Party.objects.filter(pk=party_id, ended_at=None).first()
    if row is None:
        raise PartyNotFound
    return _known(row)


def known_parties() -> list[KnownParty]:
    """For who has decided already."""
    return [_known(row) for row in Party.objects.filter(ended_at=None).order_by("role", "pk")[:MOST]]


def add_party(principal: Principal, *, facts: PartyFacts) -> KnownParty:
    """Raises AccessDenied, InvalidInput, PersonalDataInText."""
    pk = uuid7()
    authorize(principal, "register.manage", ResourceRef("party", str(pk)), facts={"role": facts.role[:16]})
    _require_sound(facts)
    row = Party(id=pk, details=_sealed(pk, facts), added_by=principal.id, **_open_columns(facts))
    row.save(force_insert=True)
    row.refresh_from_db()
    return _known(row)


def change_party(principal: Principal, *, party_id: UUID, facts: PartyFacts) -> KnownParty:
    """Say anew what a party is; the event names what changed, never how it was or is called.

    Raises AccessDenied, PartyNotFound, InvalidInput, PersonalDataInText.
    """
    row = Party.objects.select_for_update().filter(pk=party_id, ended_at=None).first()
    before = _known(row).facts if row and may(principal, "register.manage") else facts  # opened for who may alone
    changed = [name for name, value in vars(facts).items() if value != getattr(before, name)]
    authorize(principal, "register.manage", ResourceRef("party", str(party_id)), facts={"changed": " ".join(changed)})
    if row is None:
        raise PartyNotFound
    _require_sound(facts)
    row.details = _sealed(row.pk, facts)
    for name, value in _open_columns(facts).items():
        setattr(row, name, value)
    row.save()
    return _known(row)


def _sealed(pk: UUID, facts: PartyFacts) -> bytes:
    return seal_column(_COLUMN, pk.bytes, orjson.dumps([facts.name, facts.contact]))


def _open_columns(facts: PartyFacts) -> dict[str, str]:
    return {name: getattr(facts, name) for name in ("role", "country", "safeguard", "contract_reference", "does")}


def end_party(principal: Principal, *, party_id: UUID) -> None:
    """The party takes part no more. Raises AccessDenied, PartyNotFound."""
    authorize(principal, "register.manage", ResourceRef("party", str(party_id)))
    if not Party.objects.filter(pk=party_id, ended_at=None).update(ended_at=timezone.now()):
        raise PartyNotFound


def _require_sound(facts: PartyFacts) -> None:
    if problems := _problems(facts):
        raise InvalidInput(errors=problems)
    refuse_personal_data(contract_reference=facts.contract_reference, does=facts.does)


def _problems(facts: PartyFacts) -> list[FieldProblem]:
    problems = [
        FieldProblem(f"/{name}", f"at most {most} characters")
        for name, most in _LONGEST.items()
        if len(getattr(facts, name)) > most
    ]
    if facts.role not in PartyRole.values:
        problems.append(FieldProblem("/role", f"one of {', '.join(PartyRole.values)}"))
    if facts.safeguard not in Safeguard.values:
        problems.append(FieldProblem("/safeguard", f"one of {', '.join(Safeguard.values)}"))
    if not facts.name.strip():
        problems.append(FieldProblem("/name", "a name"))
    if facts.country and not _COUNTRY.fullmatch(facts.country):
        problems.append(FieldProblem("/country", "two capitals of ISO 3166"))
    return problems


def name_of(row: Party) -> str:
    """The name alone, opened."""
    return str(orjson.loads(open_column(_COLUMN, row.pk.bytes, bytes(row.details)))[0])


def _known(row: Party) -> KnownParty:
    name, contact = orjson.loads(open_column(_COLUMN, row.pk.bytes, bytes(row.details)))
    facts = PartyFacts(row.role, name, contact, row.country, row.safeguard, row.contract_reference, row.does)
    return KnownParty(row.pk, facts, row.added_at, row.ended_at)
