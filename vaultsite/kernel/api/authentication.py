"""The bridge between DRF's authentication and the principal that the view already resolved."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal


class ResolvedPrincipal(BaseAuthentication):
    """``request.user`` is the Principal; there is no anonymous one."""

    def authenticate(self, request: Request) -> tuple[Principal, str]:
        principal = resolve_principal(request._request)  # noqa: SLF001 - DRF's handle on Django's request
        return principal, principal.credential

    def authenticate_header(self, request: Any) -> str:  # noqa: ARG002 - DRF's signature
        return 'Bearer realm="vault"'
