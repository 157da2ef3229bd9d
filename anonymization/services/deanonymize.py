"""Turning back what reversible operators made: for those who may reveal tokens, for a purpose, and counted."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from access.models import EncryptionKey
from access.models.encryption_key import KeyPurpose
from access.services.authorize import authorize
from access.services.keyring import key_by_id
from anonymization.errors import NotReversible
from anonymization.operators.encrypt import SEALED, key_id_of, opened_text
from anonymization.ports import find_dataset
from anonymization.services.operator_keys import sealing_key
from anonymization.services.tokens import TokenScope, detokenize_values
from anonymization.tokens.text import is_token
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.errors import KeyDestroyed, KeyUnavailable, VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id

_TEXT: Final = ResourceRef(type="text")
_TOKEN: Final = re.compile(r"(?<![0-9A-Za-z_])[a-z][a-z0-9]{1,15}_[1-9][0-9]{0,4}_[0-9A-Za-z]{20,60}(?![0-9A-Za-z_])")


@dataclass(frozen=True)
class TurnedBack:
    """The content with what could be turned back, and how much that was."""

    content: Any
    encrypted: int
    tokens: int


def deanonymize(
    principal: Principal, content: Any, *, dataset_id: UUID | None = None, purpose: str | None = None
) -> TurnedBack:
    """JSON, or a text, with everything reversible in it turned back: what was encrypted, and tokens of the scope.

    A string that is nothing but the code of a number becomes the number again. Tokens are those of ``dataset_id`` and
    the purpose; unknown ones stay as they are. What was encrypted in other datasets takes a decision on each of them.
    Raises AccessDenied, PurposeRequired, UnknownPurpose, the not-found error of datasets, and NotReversible when one of
    the codes was not made here, its key is gone, or its dataset cannot be seen.
    """
    resource = find_dataset(principal, dataset_id, action="token.reveal") if dataset_id else _TEXT
    decision = authorize(principal, "token.reveal", resource, purpose=purpose)
    for other in sorted(_datasets_of(content) - {dataset_id}):
        _decide_on(principal, other, purpose)
    reverse = _Reverse(_revealed(content, TokenScope(dataset_id, decision.purpose or "")))
    turned = TurnedBack(reverse.value(content), reverse.opened, reverse.revealed)
    emit(
        Event(
            type=EventType.DEANONYMIZED,
            operation="read",
            resource=resource,
            purpose=decision.purpose or "",
            metadata={"encrypted": turned.encrypted, "tokens": turned.tokens},
        )
    )
    return turned


def _datasets_of(content: Any) -> set[UUID]:
    """The datasets under whose keys something in the content was encrypted."""
    codes = {code for text in _strings(content) for code in SEALED.findall(text)}
    keys = {UUID(bytes=key_id_of(code)) for code in codes}
    scopes = EncryptionKey.objects.filter(pk__in=keys, purpose=KeyPurpose.PSEUDONYM).values_list("pk", "scope_id")
    found = dict(scopes)
    if keys - set(found):
        raise NotReversible
    return set(found.values()) - {current_tenant_id()}


def _decide_on(principal: Principal, dataset_id: UUID, purpose: str | None) -> None:
    """A dataset that cannot be seen is none: its codes are like those that were made elsewhere."""
    try:
        resource = find_dataset(principal, dataset_id, action="token.reveal")
    except VaultError:
        raise NotReversible from None
    authorize(principal, "token.reveal", resource, purpose=purpose)


def _revealed(content: Any, scope: TokenScope) -> dict[str, str]:
    """The values of every token in the content, asked for at once."""
    tokens = sorted({word for text in _strings(content) for word in _TOKEN.findall(text) if is_token(word)})
    values = detokenize_values(scope, tokens) if tokens else []
    return {token: value for token, value in zip(tokens, values, strict=True) if value is not None}


def _strings(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for name, inner in content.items():
            yield name
            yield from _strings(inner)
    elif isinstance(content, list):
        for inner in content:
            yield from _strings(inner)


@dataclass
class _Reverse:
    """Turns codes back in the open scope, and counts them."""

    tokens: Mapping[str, str]
    opened: int = 0
    revealed: int = 0
    _keys: dict[bytes, SecretKey] = field(default_factory=dict)

    def value(self, content: Any) -> Any:
        if isinstance(content, str):
            return self._leaf(content)
        if isinstance(content, Mapping):
            return {self._text(name): self.value(inner) for name, inner in content.items()}
        return [self.value(inner) for inner in content] if isinstance(content, list) else content

    def _leaf(self, text: str) -> Any:
        match = SEALED.fullmatch(text)
        if match is None:
            return self._text(text)
        opened, is_number = self._opened(match.group(1))
        return json.loads(opened) if is_number else opened

    def _text(self, text: str) -> str:
        for match in reversed(list(SEALED.finditer(text))):
            opened, is_number = self._opened(match.group(1))
            start, end = match.span()
            # In JSON text a number stood without the quotes that its code needs.
            if is_number and text[start - 1 : start] == text[end : end + 1] == '"':
                start, end = start - 1, end + 1
            text = text[:start] + opened + text[end:]
        return _TOKEN.sub(self._token, text) if self.tokens else text

    def _token(self, match: re.Match[str]) -> str:
        value = self.tokens.get(match.group())
        self.revealed += value is not None
        return match.group() if value is None else value

    def _opened(self, code: str) -> tuple[str, bool]:
        self.opened += 1
        return opened_text(self._key(key_id_of(code)), code)

    def _key(self, key_id: bytes) -> SecretKey:
        if key_id not in self._keys:
            try:
                self._keys[key_id] = sealing_key(key_by_id(UUID(bytes=key_id)))
            except (KeyUnavailable, KeyDestroyed):
                raise NotReversible from None
        return self._keys[key_id]
