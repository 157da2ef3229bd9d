"""Calls to identity providers, through the guard that all calls to addresses of others go through."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import SplitResult, urlencode

from access.federation.errors import OutgoingAddressRefused, ProviderUnavailable
from vaultsite.kernel import outgoing

#: One call takes at most so long, and its answer is at most so big.
LIMITS: Final = outgoing.Limits(seconds=10.0, biggest=1024 * 1024)
_TOLD: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "name": ("Its host name is not known", "name"),
        "tls": ("Its certificate does not hold", "tls"),
        "late": ("It did not answer", "silent"),
        "silent": ("It did not answer", "silent"),
    }
)


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
    """The parts of a URL that the vault may call, see the kernel's guard. Raises OutgoingAddressRefused."""
    with _our_errors():
        return outgoing.require_allowed_url(url)


def reachable_addresses(host: str, port: int) -> list[str]:
    """The addresses of a host: connect to these. Raises OutgoingAddressRefused, ProviderUnavailable (no such host)."""
    with _our_errors():
        return outgoing.reachable_addresses(host, port)


def call(
    method: str, url: str, *, headers: Mapping[str, str] | None = None, form: Mapping[str, str] | None = None
) -> Answer:
    """One request, with ``form`` as its body. Open no scope around it: it takes up to LIMITS.seconds.

    Raises OutgoingAddressRefused, ProviderUnavailable (no answer, a late one, a redirect, one that is too big).
    """
    sent = {"Accept": "application/json", **(headers or {})}
    if form is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    with _our_errors():
        body = urlencode(form).encode() if form is not None else None
        answer = outgoing.call(method, url, headers=sent, body=body, limits=LIMITS)
    if answer.is_cut or 300 <= answer.status < 400:  # noqa: PLR2004 - redirects
        raise ProviderUnavailable("It answered with too much, or from elsewhere", reason="answer")
    return Answer(answer.status, _content_type(answer.headers), answer.body)


def _content_type(headers: Mapping[str, str]) -> str:
    read = Message()
    read["Content-Type"] = headers.get("content-type", "text/plain")
    return read.get_content_type()


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except outgoing.AddressRefused as refusal:
        raise OutgoingAddressRefused(str(refusal)) from None
    except outgoing.CallFailed as failure:
        detail, reason = _TOLD[failure.reason]
        raise ProviderUnavailable(detail, reason=reason) from None
