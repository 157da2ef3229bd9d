"""Purposes and what makes processing for them lawful."""

import re
from dataclasses import dataclass
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Case, Count, Q, When
from django.db.models.functions import Now

from access.models import NEEDS_CONSENT, LawfulBasis, Purpose, SpecialCondition
from access.services.authorize import authorize
from access.services.policies_in_force import policies_changed
from compliance.errors.consent import PurposeNotFound, PurposeTaken
from compliance.models import Consent, PurposeTerms, WithdrawalEffect
from datasets.services.descriptions import refuse_personal_data
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

_CODE: Final = re.compile(r"[a-z][a-z0-9_-]{1,62}")
_LONGEST: Final = {"description": 300, "subjects": 500, "time_limit": 500, "note": 1000}


@dataclass(frozen=True)
class Terms:
    """What is said of a purpose. ``note`` says why the basis is the right one, and why it changed where it did."""

    description: str = ""
    lawful_basis: str = ""
    special_condition: str = ""
    on_withdrawal: str = WithdrawalEffect.RESTRICT
    subjects: str = ""
    time_limit: str = ""
    note: str = ""
    is_active: bool = True


@dataclass(frozen=True)
class KnownPurpose:
    """A purpose with its terms, whether it needs consent, and how many consents count, have lapsed, were withdrawn."""

    code: str
    terms: Terms
    needs_consent: bool
    live: int = 0
    lapsed: int = 0
    withdrawn: int = 0

    def as_json(self) -> dict[str, Any]:
        counts = {"given": self.live, "expired": self.lapsed, "withdrawn": self.withdrawn}
        return {"code": self.code, **vars(self.terms), "needs_consent": self.needs_consent, "consents": counts}


def list_purposes(principal: Principal) -> list[KnownPurpose]:
    """Every purpose of the tenant by code, with the state of its consents. Raises AccessDenied."""
    authorize(principal, "purpose.read", ResourceRef("purpose"))
    return known_purposes()


def known_purposes(*codes: str) -> list[KnownPurpose]:
    """All, or those of the codes; for who has decided already. Three queries."""
    rows = Purpose.objects.annotate(needs=Case(When(NEEDS_CONSENT, then=True), default=False)).order_by("code")
    rows = rows.filter(code__in=codes) if codes else rows
    terms = {row.purpose_id: row for row in PurposeTerms.objects.filter(purpose__in=rows)}
    counted = _counts()
    return [_known(row, terms.get(row.pk), counted.get(row.pk, {})) for row in rows]


def find_purpose(principal: Principal, code: str) -> KnownPurpose:
    """Raises AccessDenied, PurposeNotFound."""
    authorize(principal, "purpose.read", ResourceRef("purpose", code[:63]))
    found = known_purposes(code[:63])
    if not found:
        raise PurposeNotFound
    return found[0]


def _counts() -> dict[Any, dict[str, int]]:
    ended = Q(withdrawals__isnull=False)
    lapsed = Q(withdrawals=None, expires_at__lte=Now())
    rows = Consent.objects.values("purpose_id").annotate(
        live=Count("pk", filter=~ended & ~Q(expires_at__lte=Now(), expires_at__isnull=False)),
        lapsed=Count("pk", filter=lapsed),
        withdrawn=Count("pk", filter=ended),
    )
    return {row["purpose_id"]: {name: row[name] for name in ("live", "lapsed", "withdrawn")} for row in rows}


def _known(row: Any, terms: PurposeTerms | None, counts: dict[str, int]) -> KnownPurpose:
    stated = Terms(
        description=row.description,
        lawful_basis=row.lawful_basis,
        special_condition=row.special_condition,
        is_active=row.is_active,
        **{name: getattr(terms, name) for name in ("on_withdrawal", "subjects", "time_limit", "note")} if terms else {},
    )
    return KnownPurpose(row.code, stated, row.needs, **counts)


def create_purpose(principal: Principal, *, code: str, terms: Terms) -> KnownPurpose:
    """A purpose that can be stated from now on. Raises AccessDenied, InvalidInput, PersonalDataInText, PurposeTaken."""
    authorize(principal, "purpose.manage", ResourceRef("purpose", code[:63]))
    _require_sound(code, terms)
    try:
        with transaction.atomic():
            row = Purpose.objects.create(code=code)
    except IntegrityError:
        raise PurposeTaken from None
    return _state(principal, row, terms, before="")


def change_purpose(principal: Principal, *, code: str, terms: Terms) -> KnownPurpose:
    """Say anew what a purpose is; decisions ask for consent, or cease to, from the next one on.

    Raises AccessDenied, PurposeNotFound, InvalidInput (also where a basis changes and nothing says why),
    PersonalDataInText.
    """
    authorize(principal, "purpose.manage", ResourceRef("purpose", code[:63]))
    row = Purpose.objects.select_for_update(no_key=True).filter(code=code[:63]).first()
    if row is None:
        raise PurposeNotFound
    _require_sound(code, terms)
    before = row.lawful_basis
    if before and before != terms.lawful_basis and not terms.note.strip():
        raise InvalidInput(errors=[FieldProblem("/note", "why the lawful basis is another one now")])
    return _state(principal, row, terms, before=before)


def _require_sound(code: str, terms: Terms) -> None:
    choices = {
        "lawful_basis": ("", *LawfulBasis.values),
        "special_condition": ("", *SpecialCondition.values),
        "on_withdrawal": tuple(WithdrawalEffect.values),
    }
    problems = [
        FieldProblem(f"/{name}", f"one of {', '.join(filter(None, offered))}")
        for name, offered in choices.items()
        if getattr(terms, name) not in offered
    ]
    problems += [
        FieldProblem(f"/{name}", f"at most {most} characters")
        for name, most in _LONGEST.items()
        if len(getattr(terms, name)) > most
    ]
    if not _CODE.fullmatch(code):
        problems.append(FieldProblem("/code", "2 to 63 lower-case letters, digits, hyphens and underscores"))
    if terms.special_condition and not terms.lawful_basis:
        problems.append(FieldProblem("/lawful_basis", "a condition of Art. 9 needs a basis of Art. 6 beside it"))
    if problems:
        raise InvalidInput(errors=problems)
    refuse_personal_data(code=code, **{name: getattr(terms, name) for name in _LONGEST})


def _state(principal: Principal, row: Purpose, terms: Terms, *, before: str) -> KnownPurpose:
    for name in ("description", "lawful_basis", "special_condition", "is_active"):
        setattr(row, name, getattr(terms, name))
    row.save()
    PurposeTerms.objects.update_or_create(
        purpose=row,
        defaults={
            **{name: getattr(terms, name) for name in ("on_withdrawal", "subjects", "time_limit", "note")},
            "changed_by": principal.id,
            "changed_at": Now(),
        },
    )
    policies_changed()
    facts = {"before": before, "lawful_basis": row.lawful_basis, "special_condition": row.special_condition}
    emit(
        Event(
            type=EventType.PURPOSE_CHANGED,
            operation="update",
            resource=ResourceRef("purpose", row.code),
            purpose=row.code,
            metadata=facts,
        )
    )
    return known_purposes(row.code)[0]
