"""API keys: shown once, stored as a hash, short-lived."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from access.auth.api_keys import Token
from access.errors import ApiKeyNotFound
from access.models import ApiKey, RoleBinding
from access.policy.builtin import RULES
from access.selectors import is_known_purpose
from access.services.authorize import authorize
from access.services.grants import find_roles, grant_facts, grant_roles
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id

LONGEST_DAYS: Final = 90
_LONGEST_NAME: Final = 100


def create_api_key(
    principal: Principal,
    *,
    name: str,
    roles: Sequence[str],
    scopes: Sequence[str] = (),
    default_purpose: str = "",
    days: int = LONGEST_DAYS,
) -> tuple[ApiKey, str]:
    """A new key that holds ``roles`` (codes), narrowed to the actions in ``scopes`` if any, and its token.

    The token is returned here and never again. Raises AccessDenied, GrantTooWide (the key could do more than
    the principal), InvalidInput (an unknown role, scope or purpose, or days outside 1-90).
    """
    token = Token.generate(current_tenant_id(), uuid7())
    expires_at = timezone.now() + timedelta(days=min(max(days, 0), LONGEST_DAYS))
    facts = grant_facts(roles, scopes=set(scopes) & set(RULES), expires_at=expires_at)
    authorize(principal, "apikey.manage", ResourceRef("api_key", str(token.key_id)), facts=facts)
    _refuse_misfits(name, roles, scopes, default_purpose, days)
    found = find_roles(roles)
    key = ApiKey.objects.create(
        id=token.key_id,
        name=name,
        secret_hash=token.secret_hash(),
        scopes=sorted(set(scopes)),
        default_purpose=default_purpose,
        expires_at=expires_at,
        created_by=principal.id,
    )
    grant_roles(principal, found, api_key=key)
    return key, token.reveal()


def revoke_api_key(principal: Principal, *, key_id: UUID) -> None:
    """The key stops working with the next request; revoking again changes nothing.

    Raises AccessDenied, ApiKeyNotFound.
    """
    key = ApiKey.objects.filter(pk=key_id).first()
    facts: dict[str, Any] = {}
    if key is not None:
        held = RoleBinding.objects.live().filter(api_key_id=key_id).values_list("role__code", flat=True)
        facts = grant_facts(list(held), scopes=key.scopes, expires_at=key.expires_at)
    authorize(principal, "apikey.manage", ResourceRef("api_key", str(key_id)), facts=facts)
    if key is None:
        raise ApiKeyNotFound
    ApiKey.objects.filter(pk=key_id, revoked_at__isnull=True).update(revoked_at=timezone.now())


def _refuse_misfits(name: str, roles: Sequence[str], scopes: Sequence[str], default_purpose: str, days: int) -> None:
    problems = []
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        problems.append(FieldProblem("name", f"1 to {_LONGEST_NAME} printable characters"))
    if not roles:
        problems.append(FieldProblem("roles", "At least one role"))
    if not set(scopes) <= set(RULES):
        problems.append(FieldProblem("scopes", "There is no such action"))
    if default_purpose and not is_known_purpose(default_purpose):
        problems.append(FieldProblem("default_purpose", "Not in the registry of this tenant"))
    if not 1 <= days <= LONGEST_DAYS:
        problems.append(FieldProblem("days", f"1 to {LONGEST_DAYS}"))
    if problems:
        raise InvalidInput(errors=problems)
