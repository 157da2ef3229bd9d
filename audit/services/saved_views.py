"""Searches of the audit that people keep, for themselves or for everybody who reads the audit."""

from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import QueryDict

from access.services.authorize import authorize
from audit.exports.errors import SavedViewExists, SavedViewNotFound
from audit.models import SavedView
from audit.services.criteria import read_criteria
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

MOST: Final = 100
LONGEST_NAME: Final = 80
LONGEST_QUERY: Final = 4000


def list_views(principal: Principal) -> list[SavedView]:
    """The principal's own and the shared ones, by name; the page that shows them has decided."""
    return list(_visible(principal).order_by("name", "id")[: 2 * MOST])


def save_view(principal: Principal, *, name: str, query: str, is_shared: bool) -> SavedView:
    """Keep a search under a name. Raises AccessDenied, InvalidInput, SavedViewExists."""
    authorize(principal, "audit.read", ResourceRef("audit"), facts={"saved_view": "save", "is_shared": is_shared})
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidInput(errors=[FieldProblem("name", f"One to {LONGEST_NAME} characters.")])
    if len(query) > LONGEST_QUERY:
        raise InvalidInput(errors=[FieldProblem("query", "The search is too long to be kept.")])
    read_criteria(QueryDict(query).dict())
    mine = SavedView.objects.filter(owner_id=principal.id)
    if mine.filter(name=name).exists():
        raise SavedViewExists
    if mine.count() >= MOST:
        raise InvalidInput(errors=[FieldProblem("name", f"You have {MOST} saved searches; remove one first.")])
    try:
        with transaction.atomic():
            return SavedView.objects.create(owner_id=principal.id, name=name, query=query, is_shared=is_shared)
    except IntegrityError:  # the form was sent twice
        raise SavedViewExists from None


def remove_view(principal: Principal, view_id: UUID) -> None:
    """Remove one's own. Raises AccessDenied, SavedViewNotFound."""
    authorize(principal, "audit.read", ResourceRef("audit"), facts={"saved_view": "remove"})
    deleted, _ = SavedView.objects.filter(pk=view_id, owner_id=principal.id).delete()
    if not deleted:
        raise SavedViewNotFound


def _visible(principal: Principal) -> QuerySet[SavedView]:
    return SavedView.objects.filter(Q(owner_id=principal.id) | Q(is_shared=True))
