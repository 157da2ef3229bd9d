"""Where a broker is and how to speak to it, read from VAULT_BROKER_URL."""

import ssl
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_TLS_FILES: Final = ("ca", "cert", "key")
_PORTS: Final = {"amqp": 5672, "amqps": 5671, "redis": 6379, "rediss": 6379, "unix": 0}


@dataclass(frozen=True)
class BrokerAddress:
    """The parts of a URL; secrets stay out of its repr.

    ``scheme://user:password@host:port/path?ca=..&cert=..&key=..&maxlen=..``; with ``amqps`` or ``rediss`` the server's
    certificate is always verified, against the certificates in the file ``ca`` or else those the system trusts.
    """

    scheme: str
    host: str = field(repr=False)
    port: int = field(repr=False)
    user: str = field(repr=False)
    password: str = field(repr=False)
    path: str = field(repr=False)
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    #: How many entries a stream keeps, roughly.
    maxlen: int = 1_000_000

    @property
    def is_encrypted(self) -> bool:
        return self.scheme in {"amqps", "rediss"}


def read_address(url: str) -> BrokerAddress:
    """Raises ImproperlyConfigured, which never quotes the URL."""
    parts = urlsplit(url)
    given = parse_qs(parts.query)
    if parts.scheme not in _PORTS or set(given) - {*_TLS_FILES, "maxlen"}:
        raise ImproperlyConfigured("VAULT_BROKER_URL has a scheme or a parameter that is not known")
    try:
        return BrokerAddress(
            scheme=parts.scheme,
            host=parts.hostname or "localhost",
            port=parts.port or _PORTS[parts.scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            path=unquote(parts.path),
            maxlen=int(given.get("maxlen", ["1000000"])[-1]),
            **{name: given[name][-1] for name in _TLS_FILES if name in given},
        )
    except ValueError:
        raise ImproperlyConfigured("VAULT_BROKER_URL has a port or a number that is none") from None


#: The oldest version of TLS that is spoken.
TLS_MINIMUM: Final = ssl.TLSVersion.TLSv1_2
