"""Calls of the vault to addresses that somebody typed in: public ones, over TLS, bounded in time and size.

The address that was looked at is the address that is connected to, so a name that means something else a moment later
(DNS rebinding) leads nowhere. Nothing is redirected and no proxy is asked.
"""

import http.client
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Thread, Timer
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

Address = IPv4Address | IPv6Address
_NAT64: Final = ip_network("64:ff9b::/96")
#: Public by some registry, and yet nobody's server: addresses of protocols, carrier-grade NAT, relays of 6to4, local
#: NAT64, IPv6 site-local, IPv4 as IPv6 spelled it before and as translators do (SIIT), addresses of examples and of
#: segments of a route, Azure's host.
_INNER: Final = tuple(
    map(
        ip_network,
        (
            *("192.0.0.0/24", "192.88.99.0/24", "100.64.0.0/10", "168.63.129.16/32"),
            *("64:ff9b:1::/48", "fec0::/10", "::/96", "::ffff:0:0:0/96", "3fff::/20", "5f00::/16"),
        ),
    )
)
_PORTS: Final = {"http": 80, "https": 443}
#: Seconds that a name is looked up where no call follows.
LOOK_UP: Final = 3.0
#: Addresses of a host that a connection is tried to.
_TRIED: Final = 8


class AddressRefused(Exception):
    """The vault does not call this address. Its message may be empty."""


class CallFailed(Exception):
    """A call ended without an answer. ``reason`` is one word: name, tls, late or silent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Limits:
    """``seconds`` for one call, from the look-up of the name to the last byte, and the ``biggest`` body in bytes."""

    seconds: float
    biggest: int


@dataclass(frozen=True)
class Answer:
    """What a peer answered; of a body that is too big (``is_cut``) the beginning. Names of headers are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    is_cut: bool = False


def require_allowed_url(url: str) -> SplitResult:
    """The parts of an absolute URL that the vault may call, as far as the URL itself tells.

    Raises AddressRefused: not https (http: for loopback addresses that are allowed, outside of production), with a
    user, a fragment, a control character or a port that is none, or a literal address that is not allowed.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise AddressRefused from None
    is_odd = not url.isascii() or not url.isprintable() or " " in url or "\\" in url
    if is_odd or parts.scheme not in _PORTS or not host or "@" in parts.netloc or parts.fragment or port == 0:
        raise AddressRefused
    literal = _literal(host)
    if literal is not None:
        _require_allowed(literal)
    if parts.scheme == "http" and (settings.VAULT["IS_PRODUCTION"] or not _is_allowed_loopback(host)):
        raise AddressRefused("Only https is called")
    return parts


def reachable_addresses(host: str, port: int, *, seconds: float = LOOK_UP) -> list[str]:
    """The addresses of a host, every one of them allowed: connect to these, not to the name.

    Raises AddressRefused, CallFailed (there is no such host, as far as ``seconds`` tell).
    """
    addresses = _look_up(host, port, seconds)
    for address in addresses:
        _require_allowed(ip_address(address.partition("%")[0]))
    return addresses


def call(method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None, limits: Limits) -> Answer:
    """One request. Open no scope around it: it takes up to ``limits.seconds``.

    Certificates are judged by the machine's trust store. A redirect is an answer like any other. Raises AddressRefused,
    CallFailed (no answer, a late one, a certificate that does not hold).
    """
    parts = require_allowed_url(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    deadline = time.monotonic() + limits.seconds
    try:
        with _connected(parts, deadline) as connection:
            connection.request(method, path, body=body, headers={"User-Agent": "llm-data-vault", **headers})
            with connection.getresponse() as response:
                content = response.read(limits.biggest + 1)
    except ssl.SSLCertVerificationError:
        raise CallFailed("tls") from None
    except (OSError, http.client.HTTPException, ValueError) as exc:
        is_late = time.monotonic() >= deadline or isinstance(exc, TimeoutError)
        raise CallFailed("late" if is_late else "tls" if isinstance(exc, ssl.SSLError) else "silent") from None
    if time.monotonic() >= deadline:  # cut off in the middle of a body that has no length
        raise CallFailed("late")
    told = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, told, content[: limits.biggest], is_cut=len(content) > limits.biggest)


@contextmanager
def _connected(parts: SplitResult, deadline: float) -> Iterator[http.client.HTTPConnection]:
    """A connection to the first address of the host that answers. A peer that drips is cut off at the deadline."""
    host, port = str(parts.hostname), parts.port or _PORTS[parts.scheme]
    connection = http.client.HTTPConnection(host, port)
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, port)
    sock = _first_open(reachable_addresses(host, port, seconds=_left(deadline))[:_TRIED], port, deadline)
    if parts.scheme == "https":
        # The handshake comes later: a peer may drip there as well, and is cut off by the socket that it goes through.
        context = ssl.create_default_context()
        sock = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    late = Timer(_left(deadline), _cut, [sock])
    late.daemon = True
    late.start()
    try:
        if isinstance(sock, ssl.SSLSocket):
            sock.do_handshake()
        connection.sock = sock
        yield connection
    finally:
        late.cancel()
        connection.close()
        sock.close()


def _look_up(host: str, port: int, seconds: float) -> list[str]:
    """In a thread of its own, because the system waits for a name server as long as it likes."""
    found: list[str] = []

    def ask() -> None:
        with suppress(OSError, UnicodeError):
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(entry[4][0]) for entry in entries))

    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    addresses = list(found)
    if not addresses:
        raise CallFailed("name")
    return addresses


def _first_open(addresses: list[str], port: int, deadline: float) -> socket.socket:
    for number, address in enumerate(addresses):
        with suppress(OSError):
            sock = socket.create_connection((address, port), timeout=_left(deadline) / (len(addresses) - number))
            sock.settimeout(_left(deadline))
            return sock
    raise ConnectionRefusedError


def _left(deadline: float) -> float:
    return max(0.01, deadline - time.monotonic())


def _cut(sock: socket.socket) -> None:
    """End the connection below TLS, which would wait for the peer."""
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _require_allowed(address: Address) -> None:
    for one in (address, *_embedded(address)):
        if not _is_public(one) and not _is_named(one):
            raise AddressRefused


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
    given = address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
    return any(given in ip_network(network) for network in settings.VAULT["OUTGOING_NETWORKS"])


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
