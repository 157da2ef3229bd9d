"""Which buckets a request takes from."""

import re
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from access.auth.networks import reached_from
from access.limits.bucket import Bucket
from vaultsite.kernel.tenancy.principal import Principal

#: Ways to a token, by address alone: nobody is known yet.
TOKEN_PATHS: Final = "/api/v1/auth/"  # noqa: S105 - a path
#: What moves or searches many records.
_BULK: Final = re.compile(
    r"/(data|records|exports?|export/[^/]+/download.*|download|query|search|statistics|detect-pii|tokenize|detokenize)$"
)
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
#: Requests a minute of one principal, by what they do; what is in none is bounded by the principal's own limit.
CLASSES: Final = {"bulk": 300, "write": 600}
#: Requests a minute of one address that were refused for their credential, and that ask for a token.
REFUSED_QUOTA: Final = 120
TOKEN_QUOTA: Final = 60
#: Requests a minute of one address on the ways to and from identity providers; an office may share one.
SIGN_IN_QUOTA: Final = 600


#: Forms a minute that one address sends without being anybody.
FORM_QUOTA: Final = 20


@dataclass(frozen=True)
class Caller:
    """Who is counted: the principal, and the quota of the credential it came with."""

    principal: Principal
    quota: int | None = None


def route_class(method: str, path: str) -> str:
    """``bulk``, ``write`` or ``read``."""
    if _BULK.search(path):
        return "bulk"
    return "read" if method in _SAFE else "write"


def buckets_of(caller: Caller, *, method: str, path: str, address: str) -> list[Bucket]:
    """Of a request whose principal is known, the narrowest meaning first. Tenants share no bucket but the address's."""
    principal = caller.principal
    kind, _, credential_id = principal.credential.partition(":")
    whose = f"{principal.tenant_id}:{principal.id}"
    usual: int = settings.RATE_PRINCIPAL
    quota = caller.quota or usual
    buckets = [Bucket("principal", whose, max(quota, usual))]
    if kind == "api_key":
        buckets.insert(0, Bucket("key", f"{principal.tenant_id}:{credential_id}", quota))
    group = route_class(method, path)
    if group in CLASSES:
        buckets.append(Bucket(group, whose, CLASSES[group] * max(1, quota // usual)))
    return [*buckets, *address_buckets(address)]


def address_buckets(address: str, *, policy: str = "address") -> list[Bucket]:
    """Of an address, an IPv6 /64 being one; none where the server knows no address, as over a unix socket."""
    quotas = {
        "address": settings.RATE_ADDRESS,
        "refused": REFUSED_QUOTA,
        "token": TOKEN_QUOTA,
        "sign_in": SIGN_IN_QUOTA,
        "form": FORM_QUOTA,
    }
    return [Bucket(policy, reached_from(address), quotas[policy])] if address else []
