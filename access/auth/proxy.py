"""What a reverse proxy says of a connection, believed only of the one proxy that proves it is ours."""

import hmac
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], HttpResponse]

SECRET: Final = "HTTP_X_VAULT_PROXY_SECRET"  # noqa: S105 - the name of a header
ADDRESS: Final = "HTTP_X_VAULT_CLIENT_ADDRESS"
CERTIFICATE: Final = "HTTP_CLIENT_CERT"
#: Headers by which somebody could claim another address or certificate. WSGI knows no difference between ``-`` and
#: ``_``, so these names stand for every spelling.
_CLAIMS: Final = frozenset(
    {SECRET, ADDRESS, CERTIFICATE, "HTTP_CLIENT_CERT_CHAIN", "HTTP_X_CLIENT_CERTIFICATE", "HTTP_X_CLIENT_CERT"}
    | {"HTTP_X_SSL_CLIENT_CERT", "HTTP_SSL_CLIENT_CERT", "HTTP_X_FORWARDED_CLIENT_CERT"}
    | {"HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_TRUE_CLIENT_IP", "HTTP_CF_CONNECTING_IP"}
)


class TrustedProxyMiddleware:
    """Takes every such claim off a request; of our own proxy it keeps two, as ``REMOTE_ADDR`` and in the request.

    A proxy is ours when it sends the configured secret, or when it came over a unix socket that only it can reach.
    Goes before whatever reads an address.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        claims = {name: request.META.pop(name) for name in _CLAIMS if name in request.META}
        request.__dict__.pop("headers", None)  # a cached view of what was there before
        if _is_ours(request, claims.get(SECRET, "")):
            request.META["REMOTE_ADDR"] = _address(claims.get(ADDRESS, "")) or request.META.get("REMOTE_ADDR", "")
            request.vault_client_certificate = claims.get(CERTIFICATE)  # type: ignore[attr-defined]
        elif settings.VAULT["PROXY_SECRET"] or settings.VAULT["PROXY_SOCKET"]:
            # Where a proxy is set up, only it says whether the client came over TLS.
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        return self.get_response(request)


def presented_certificate(request: HttpRequest) -> str | None:
    """The ``Client-Cert`` header that our proxy set, None when there is none."""
    return getattr(request, "vault_client_certificate", None) or None


def _is_ours(request: HttpRequest, secret: str) -> bool:
    wanted: str = settings.VAULT["PROXY_SECRET"]
    if wanted:
        return hmac.compare_digest(secret.encode(), wanted.encode())
    # A connection over a unix socket has no address, and no client can take its own away.
    return bool(settings.VAULT["PROXY_SOCKET"]) and not request.META.get("REMOTE_ADDR")


def _address(text: str) -> str:
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return ""
