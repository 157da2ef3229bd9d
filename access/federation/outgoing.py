"""Calls of the vault to addresses that somebody typed in: public ones, over TLS, bounded in time and size.

The address that was looked at is the address that is connected to, so a name that means something else a moment later
(DNS rebinding) leads nowhere. Nothing is redirected and no proxy is asked.
"""

import http.client
import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Timer
from typing import Any, Final
from urllib.parse import SplitResult, urlencode, urlsplit

from django.conf import settings

from access.auth.networks import is_allowed_address
from access.federation.errors import OutgoingAddressRefused, ProviderUnavailable

#: Seconds for one call, from the look-up of the name to the last byte.
TIMEOUT: Final = 10.0
#: The biggest answer that is read.
BIGGEST: Final = 1024 * 1024

Address = IPv4Address | IPv6Address
_NAT64: Final = ip_network("64:ff9b::/96")
#: Public by some registry, and yet nobody's server: carrier-grade NAT, local NAT64, IPv6 site-local, Azure's host.
_INNER: Final = tuple(map(ip_network, ("100.64.0.0/10", "64:ff9b:1::/48", "fec0::/10", "168.63.129.16/32")))
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Answer:
    """What a peer answered."""

    status: int
    content_type: str
    body: bytes = field(repr=False)

    def json(self) -> dict[str, Any]:
        """The object that the body is; raises ProviderUnavailable."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise ProviderUnavailable("It did not answer with a JSON object", reason="answer")
        return found


def require_allowed_url(url: str) -> SplitResult:
    """The parts of an absolute URL that the vault may call, as far as the URL itself tells.

    Raises OutgoingAddressRefused: not https (http: for loopback addresses that are allowed, outside of production),
    with a user, a fragment, a control character or a port that is none, or a literal address that is not allowed.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise OutgoingAddressRefused from None
    is_odd = not url.isascii() or not url.isprintable() or " " in url or "\\" in url
    if is_odd or parts.scheme not in _PORTS or not host or "@" in parts.netloc or parts.fragment or port == 0:
        raise OutgoingAddressRefused
    literal = _literal(host)
    if literal is not None:
        _require_allowed(literal)
    if parts.scheme == "http" and (settings.VAULT["IS_PRODUCTION"] or not _is_allowed_loopback(host)):
        raise OutgoingAddressRefused("Only https is called")
    return parts


def reachable_addresses(host: str, port: int) -> list[str]:
    """The addresses of a host, every one of them allowed: connect to these, not to the name.

    Raises OutgoingAddressRefused, ProviderUnavailable (there is no such host).
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ProviderUnavailable("Its host name is not known", reason="name") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        _require_allowed(ip_address(address.partition("%")[0]))
    return addresses


def call(
    method: str, url: str, *, headers: Mapping[str, str] | None = None, form: Mapping[str, str] | None = None
) -> Answer:
    """One request, with ``form`` as its body. Open no scope around it: it takes up to TIMEOUT seconds.

    Raises OutgoingAddressRefused, ProviderUnavailable (no answer, a late one, a redirect, one that is too big).
    """
    parts = require_allowed_url(url)
    body = urlencode(form).encode() if form is not None else None
    sent = {"Accept": "application/json", "User-Agent": "llm-data-vault", **(headers or {})}
    if body is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with _connected(parts) as connection:
            connection.request(method, path, body=body, headers=sent)
            response = connection.getresponse()
            content = response.read(BIGGEST + 1)
    except ssl.SSLError:
        raise ProviderUnavailable("Its certificate does not hold", reason="tls") from None
    except (OSError, http.client.HTTPException, ValueError):
        raise ProviderUnavailable("It did not answer", reason="silent") from None
    if len(content) > BIGGEST or 300 <= response.status < 400:  # noqa: PLR2004 - redirects
        raise ProviderUnavailable("It answered with too much, or from elsewhere", reason="answer")
    return Answer(response.status, response.headers.get_content_type(), content)


@contextmanager
def _connected(parts: SplitResult) -> Iterator[http.client.HTTPConnection]:
    """A connection to the first address of the host that answers. A peer that drips is cut off at the timeout."""
    host, port = str(parts.hostname), parts.port or _PORTS[parts.scheme]
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT)
    sock = _first_open(reachable_addresses(host, port), port)
    late = Timer(TIMEOUT, _cut, [sock])
    late.daemon = True
    late.start()
    try:
        if parts.scheme == "https":
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
            late.args = [sock]
        connection.sock = sock
        yield connection
    finally:
        late.cancel()
        connection.close()
        sock.close()


def _first_open(addresses: list[str], port: int) -> socket.socket:
    for address in addresses:
        with suppress(OSError):
            return socket.create_connection((address, port), timeout=TIMEOUT / len(addresses))
    raise ConnectionRefusedError


def _cut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _require_allowed(address: Address) -> None:
    for one in (address, *_embedded(address)):
        if not _is_public(one) and not _is_named(one):
            raise OutgoingAddressRefused


def _is_public(address: Address) -> bool:
    is_inner = any(address in network for network in _INNER)
    return address.is_global and not address.is_multicast and not is_inner


def _embedded(address: Address) -> Iterator[Address]:
    """IPv4 addresses that a translator on the way would make of an IPv6 one."""
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64:
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def _is_named(address: Address) -> bool:
    """Whether the installation lets the vault call an address that is not public. No network named is none allowed."""
    networks: tuple[str, ...] = tuple(settings.VAULT["OUTGOING_NETWORKS"])
    return bool(networks) and is_allowed_address(networks, str(address))


def _is_allowed_loopback(host: str) -> bool:
    literal = _literal("127.0.0.1" if host == "localhost" else host)
    return literal is not None and literal.is_loopback and _is_named(literal)


def _literal(host: str) -> Address | None:
    """The address that a host spells out, in any spelling that the look-up takes (``127.1``, ``0x7f000001``)."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError, UnicodeError):
        return None
