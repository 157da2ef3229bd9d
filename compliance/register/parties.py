"""The parties of the register: the controller, processors, recipients and clients, each with what covers transfers."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
from django.utils import timezone

from access.services.authorize import authorize
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

    @property
    def is_transfer(self) -> bool:
        """Whether personal data leaves the EEA to it."""
        return bool(self.facts.country) and self.facts.country not in EEA


def list_parties(principal: Principal) -> list[KnownParty]:
    """Every party that has not ended, by role. Raises AccessDenied."""
    authorize(principal, "register.read", ResourceRef("party"))
    return known_parties()


def known_parties() -> list[KnownParty]:
    """For who has decided already."""
    return [_known(row) for row in Party.objects.filter(ended_at=None).order_by("role", "pk")[:MOST]]


def add_party(principal: Principal, *, facts: PartyFacts) -> KnownParty:
    """Raises AccessDenied, InvalidInput, PersonalDataInText."""
    pk = uuid7()
    authorize(principal, "register.manage", ResourceRef("party", str(pk)), facts={"role": facts.role[:16]})
    if problems := _problems(facts):
        raise InvalidInput(errors=problems)
    refuse_personal_data(contract_reference=facts.contract_reference, does=facts.does)
    sealed = seal_column(_COLUMN, pk.bytes, orjson.dumps([facts.name, facts.contact]))
    said = {name: getattr(facts, name) for name in ("role", "country", "safeguard", "contract_reference", "does")}
    row = Party(id=pk, details=sealed, added_by=principal.id, **said)
    row.save(force_insert=True)
    row.refresh_from_db()
    return _known(row)


def end_party(principal: Principal, *, party_id: UUID) -> None:
    """The party takes part no more. Raises AccessDenied, PartyNotFound."""
    authorize(principal, "register.manage", ResourceRef("party", str(party_id)))
    if not Party.objects.filter(pk=party_id, ended_at=None).update(ended_at=timezone.now()):
        raise PartyNotFound


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
    return KnownParty(row.pk, facts, row.added_at)
