"""The one place where a request is counted: once its principal is known, or once it is clear that none will be."""

from functools import cache

from django.conf import settings
from django.http import HttpRequest

from access.limits.bucket import Bucket, Level
from access.limits.errors import TooManyRequests
from access.limits.limiter import Limiter
from access.limits.rules import TOKEN_PATHS, Caller, address_buckets, buckets_of
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.principal import PLATFORM_TENANT_ID, Principal
from vaultsite.kernel.tenancy.scope import tenant_scope


@cache
def limiter() -> Limiter:
    """This process's."""
    return Limiter(settings.REDIS_URL)


def levels_of(request: HttpRequest) -> tuple[Level, ...]:
    """What the request was counted against; empty when it was not counted yet."""
    return getattr(request, "vault_levels", ())


def admit(request: HttpRequest, caller: Caller) -> None:
    """Count a request of a principal. Raises TooManyRequests."""
    facts = facts_of(request)
    buckets = buckets_of(caller, method=facts.method, path=facts.path, address=facts.ip_address)
    _count(request, buckets, caller.principal)


def admit_refused(request: HttpRequest) -> None:
    """Count a request whose credential was refused. Raises TooManyRequests when there are many from one address."""
    _admit_address(request, "refused")


def admit_unknown(request: HttpRequest) -> None:
    """Count a request that nobody's credential is asked for. Raises TooManyRequests."""
    _admit_address(request, "token" if request.path.startswith(TOKEN_PATHS) else "")


def admit_sign_in(request: HttpRequest) -> None:
    """Count a request on the way to or from an identity provider. Raises TooManyRequests."""
    _admit_address(request, "sign_in")


def admit_form(request: HttpRequest) -> None:
    """Count a form that is sent by somebody who proves nothing. Raises TooManyRequests."""
    _admit_address(request, "form")


def _admit_address(request: HttpRequest, policy: str) -> None:
    address = facts_of(request).ip_address
    own = address_buckets(address, policy=policy) if policy else []
    _count(request, [*own, *address_buckets(address)], Principal.nobody(PLATFORM_TENANT_ID))


def _count(request: HttpRequest, buckets: list[Bucket], principal: Principal) -> None:
    if not buckets:
        return
    verdict = limiter().take(buckets)
    request.vault_levels = verdict.levels  # type: ignore[attr-defined]
    short = verdict.short
    if short is None:
        return
    refusal = TooManyRequests(policy=short.bucket.policy, seconds=short.wait_seconds)
    if verdict.is_first:
        _record(request, principal, refusal)
    raise refusal


def _record(request: HttpRequest, principal: Principal, refusal: TooManyRequests) -> None:
    """Once a minute for a bucket: a flood must not be able to fill the audit."""
    event = Event(
        type=EventType.RATE_EXCEEDED,
        operation="read",
        resource=ResourceRef("credential", principal.credential),
        metadata={"policy": refusal.extra["policy"]},
    )
    with tenant_scope(principal.tenant_id, principal, facts_of(request)):
        emit(event.ended_by(refusal), primary=True)
