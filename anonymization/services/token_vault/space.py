"""Scopes of tokens with their keys; made at the first use."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction

from access.services.keyring import KeyHandle, KeyPurpose, current_key, key_by_id
from anonymization.models import TokenGeneration, TokenSpace
from anonymization.tokens.form import TokenScope
from vaultsite.kernel.crypto.aead import Context, open_sealed, read_key_id, seal
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.errors import IntegrityFailure, KeyUnavailable
from vaultsite.kernel.tenancy.scope import active_alias, current_tenant_id

#: Bytes of a blind index: enough that no two of any number of values meet.
INDEX_BYTES: Final = 16
#: Sealed texts are lengthened to a multiple of this, so that their length says little of the value.
_PADDING: Final = 32
_LENGTH_BYTES: Final = 2
_ATTEMPTS: Final = 3


class Generation:
    """The keys of a scope between two rotations, fetched when they are needed: a retired one may be destroyed.

    They are this space's alone, derived from those it shares with the other spaces of its dataset.
    """

    def __init__(self, space: TokenSpace, row: TokenGeneration) -> None:
        self._row = row
        self._label = b"token-space\0" + space.pk.bytes + row.number.to_bytes(2, "big")
        self.number: int = row.number

    @cached_property
    def index(self) -> SecretKey:
        return key_by_id(self._row.index_key).derive(self._label)

    @cached_property
    def format(self) -> SecretKey:
        """Raises KeyUnavailable for a scope too wide to have one."""
        if self._row.format_key is None:
            raise KeyUnavailable("The scope has no key for formats")
        return key_by_id(self._row.format_key).derive(self._label)

    def value_index(self, value: bytes) -> bytes:
        return self.index.mac(b"value\0" + value)[:INDEX_BYTES]


@dataclass
class OpenSpace:
    """A scope at work: its row, its generations (oldest first), and what seals and opens its tokens."""

    row: TokenSpace
    generations: list[Generation]
    _keys: dict[UUID, SecretKey] = field(default_factory=dict)
    _handle: KeyHandle | None = None

    @property
    def current(self) -> Generation:
        return self.generations[-1]

    def token_index(self, token: bytes) -> bytes:
        """The same in all generations, so that no token of one is another value's in the next."""
        return self.generations[0].index.mac(b"token\0" + token)[:INDEX_BYTES]

    def seal(self, row_id: UUID, token: bytes, value: bytes) -> bytes:
        """Token and value, padded and bound to the row."""
        self._handle = self._handle or current_key(KeyPurpose.TOKEN, self.row.dataset_id)
        plain = len(token).to_bytes(_LENGTH_BYTES, "big") + token + value + b"\x80"
        plain += bytes(-len(plain) % _PADDING)
        return seal(self._handle.key, key_id=self._handle.id, context=self._context(row_id), plaintext=plain)

    def open(self, row_id: UUID, sealed: bytes) -> tuple[bytes, bytes]:
        """What seal() was given; raises IntegrityFailure, KeyDestroyed, KeyUnavailable."""
        key_id = read_key_id(sealed)
        if key_id not in self._keys:
            self._keys[key_id] = key_by_id(key_id)
        plain = open_sealed(self._keys[key_id], context=self._context(row_id), sealed=sealed).rstrip(b"\0")
        token_end = _LENGTH_BYTES + int.from_bytes(plain[:_LENGTH_BYTES], "big")
        if not plain.endswith(b"\x80") or token_end >= len(plain):
            raise IntegrityFailure
        return plain[_LENGTH_BYTES:token_end], plain[token_end:-1]

    def _context(self, row_id: UUID) -> Context:
        return token_context(self.row, row_id)


def token_context(space: TokenSpace, row_id: UUID) -> Context:
    """What the sealing of a token's row is bound to."""
    tenant_id = current_tenant_id()
    return Context(tenant_id, space.dataset_id or tenant_id, "token", space.pk.bytes + row_id.bytes)


def open_space(scope: TokenScope) -> OpenSpace:
    """The scope's space, made when there is none. Raises KeyUnavailable, KeyDestroyed, IntegrityFailure."""
    for _ in range(_ATTEMPTS):
        found = find_space(scope)
        if found is not None:
            return found
        try:
            with transaction.atomic(using=active_alias()):
                space = TokenSpace.objects.create(dataset_id=scope.dataset_id, purpose=scope.purpose)
                add_generation(space, number=1)
        except IntegrityError:  # somebody else made it meanwhile
            continue
    raise KeyUnavailable("The scope's keys could not be made")


def find_space(scope: TokenScope) -> OpenSpace | None:
    """The scope's space if there is one; raises as open_space."""
    space = TokenSpace.objects.filter(dataset_id=scope.dataset_id, purpose=scope.purpose).first()
    return load_space(space) if space else None


def load_space(space: TokenSpace) -> OpenSpace:
    """The space with its keys; raises as open_space."""
    rows = space.generations.order_by("number")
    return OpenSpace(space, [Generation(space, row) for row in rows])


def add_generation(space: TokenSpace, *, number: int) -> TokenGeneration:
    """The next keys of a space: those of its dataset, or of the tenant, that are current now."""
    narrow = TokenScope(space.dataset_id, space.purpose).is_narrow
    return TokenGeneration.objects.create(
        space=space,
        number=number,
        index_key=current_key(KeyPurpose.TOKEN_INDEX, space.dataset_id).id,
        format_key=current_key(KeyPurpose.FORMAT, space.dataset_id).id if narrow else None,
    )
