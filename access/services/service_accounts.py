"""Service accounts: programs with a name of their own, known by keys and certificates."""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from access.auth.errors import CertificateNotFound, ServiceAccountNotFound
from access.errors import NameTaken
from access.models import AccountKind, CertificateName, ClientCertificate, RoleBinding, ServiceAccount
from access.models.service_account import LONGEST_NAME
from access.services.authorize import authorize
from access.services.grants import find_roles, grant_facts, grant_roles, refuse_wider_key
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

MOST_ATTRIBUTES: Final = 20
#: Accounts that one list shows.
LISTED: Final = 1000
_LONGEST_TEXT: Final = 300
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    CertificateName.FINGERPRINT: re.compile(r"[0-9a-f]{64}"),
    CertificateName.DNS: re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9-]{1,63}"),
    CertificateName.URI: re.compile(r"[a-z][a-z0-9+.-]*:[\x21-\x7e]{1,280}"),
}


def create_service_account(
    principal: Principal,
    *,
    name: str,
    description: str = "",
    kind: str = AccountKind.PROGRAM,
    roles: Sequence[str] = (),
    attributes: Mapping[str, str] | None = None,
) -> ServiceAccount:
    """A new account that holds ``roles`` (codes); it opens nothing until it has a key or a certificate.

    ``kind`` is one of AccountKind. Raises AccessDenied, GrantTooWide (it could do more than the principal),
    InvalidInput, NameTaken, ExternalSystemTooWide.
    """
    account_id = uuid7()
    authorize(principal, "serviceaccount.manage", _resource(account_id), facts=grant_facts(roles))
    _refuse_misfits(name, description, attributes or {})
    if kind not in AccountKind.values:
        raise InvalidInput(errors=[FieldProblem("kind", f"One of {', '.join(AccountKind.values)}")])
    found = find_roles(roles)
    try:
        with transaction.atomic():
            account = ServiceAccount.objects.create(
                id=account_id,
                name=name,
                description=description,
                kind=kind,
                attributes=dict(attributes or {}),
                created_by=principal.id,
            )
    except IntegrityError:
        raise NameTaken("There is a service account with this name") from None
    grant_roles(principal, found, service_account=account)
    return account


def disable_service_account(principal: Principal, *, account_id: UUID) -> None:
    """Every key, certificate and token of it stops with the next request.

    Raises AccessDenied, ServiceAccountNotFound.
    """
    _set_active(principal, account_id, is_active=False)


def enable_service_account(principal: Principal, *, account_id: UUID) -> None:
    """Undo disable_service_account. Raises AccessDenied, ServiceAccountNotFound, GrantTooWide."""
    _set_active(principal, account_id, is_active=True)


def list_service_accounts(principal: Principal) -> list[ServiceAccount]:
    """The accounts of the tenant by name. Raises AccessDenied."""
    authorize(principal, "serviceaccount.read", ResourceRef("service_account"))
    rows = ServiceAccount.objects.prefetch_related("bindings__role", "certificates", "api_keys")
    return list(rows.order_by("name")[:LISTED])


def get_service_account(principal: Principal, *, account_id: UUID) -> ServiceAccount:
    """Raises AccessDenied, ServiceAccountNotFound."""
    authorize(principal, "serviceaccount.read", _resource(account_id))
    return _find(account_id)


def enroll_certificate(principal: Principal, *, account_id: UUID, kind: str, value: str) -> ClientCertificate:
    """Let a client certificate speak for the account: see ClientCertificate for ``kind`` and ``value``.

    Raises AccessDenied, ServiceAccountNotFound, GrantTooWide (the account may do more than the principal), NameTaken
    (the name is enrolled already), InvalidInput.
    """
    facts = {"account_id": str(account_id), "kind": kind if kind in _SHAPES else ""}
    certificate_id = uuid7()
    resource = ResourceRef("client_certificate", str(certificate_id))
    authorize(principal, "serviceaccount.manage", resource, facts=facts)
    account = _find(account_id)
    shape = _SHAPES.get(kind)
    if shape is None:
        raise InvalidInput(errors=[FieldProblem("kind", f"One of {', '.join(sorted(_SHAPES))}")])
    if shape.fullmatch(value) is None:
        raise InvalidInput(errors=[FieldProblem("value", "64 lower-case hex digits, a host name, or a URI")])
    refuse_wider_key(principal, _permissions_of(account), ())
    try:
        with transaction.atomic():
            return ClientCertificate.objects.create(
                id=certificate_id, service_account=account, kind=kind, value=value, created_by=principal.id
            )
    except IntegrityError:
        raise NameTaken("This certificate or name is enrolled already") from None


def withdraw_certificate(principal: Principal, *, account_id: UUID, certificate_id: UUID) -> None:
    """The certificate speaks for nobody from the next request on. Raises AccessDenied, CertificateNotFound."""
    resource = ResourceRef("client_certificate", str(certificate_id))
    authorize(principal, "serviceaccount.manage", resource, facts={"account_id": str(account_id)})
    rows = ClientCertificate.objects.filter(pk=certificate_id, service_account_id=account_id)
    if not rows.exists():
        raise CertificateNotFound
    rows.filter(revoked_at=None).update(revoked_at=timezone.now())


def _set_active(principal: Principal, account_id: UUID, *, is_active: bool) -> None:
    authorize(principal, "serviceaccount.manage", _resource(account_id), facts={"is_active": is_active})
    account = _find(account_id)
    if is_active:
        refuse_wider_key(principal, _permissions_of(account), ())
    ServiceAccount.objects.filter(pk=account.pk).update(is_active=is_active)


def _permissions_of(account: ServiceAccount) -> frozenset[str]:
    held = RoleBinding.objects.live().filter(service_account=account).values_list("role__permissions", flat=True)
    return frozenset().union(*held)


def _find(account_id: UUID) -> ServiceAccount:
    account = ServiceAccount.objects.filter(pk=account_id).first()
    if account is None:
        raise ServiceAccountNotFound
    return account


def _resource(account_id: UUID) -> ResourceRef:
    return ResourceRef("service_account", str(account_id))


def _refuse_misfits(name: str, description: str, attributes: Mapping[str, str]) -> None:
    problems = []
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        problems.append(FieldProblem("name", f"1 to {LONGEST_NAME} printable characters"))
    if len(description) > _LONGEST_TEXT or not description.isprintable():
        problems.append(FieldProblem("description", f"At most {_LONGEST_TEXT} printable characters"))
    is_fit = len(attributes) <= MOST_ATTRIBUTES and all(
        _CODE.fullmatch(key) and len(value) <= _LONGEST_TEXT and value.isprintable()
        for key, value in attributes.items()
    )
    if not is_fit:
        problems.append(FieldProblem("attributes", f"At most {MOST_ATTRIBUTES} names with printable texts"))
    if problems:
        raise InvalidInput(errors=problems)
