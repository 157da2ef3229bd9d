"""The keys operators work with, by the scope in which surrogates are consistent."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final
from uuid import UUID

from access.services.keyring import KeyPurpose, current_key
from anonymization.operators.base import Keys
from anonymization.operators.replace import label_of
from anonymization.services.tokens import TokenScope, tokenize_values
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id, tenant_scope

_SEALING: Final = b"llm-data-vault/operators/sealing/v1"
_PURPOSE: Final = b"llm-data-vault/operators/purpose/v1\0"
_TEXTS: Final = b"playground"
#: Shown where the token vault refuses a value (its domain is too small, or too many records share it).
UNTOKENIZED: Final = label_of("TOKEN_REFUSED")


@dataclass
class KeySource:
    """Gives keys in the open scope; what it gave needs none. Keys of a dataset end with the dataset's.

    They do not rotate: a rotated key would give everybody another surrogate, and what left sealed would not open.
    """

    dataset_id: UUID | None
    purpose: str
    _made: dict[str, SecretKey] = field(default_factory=dict)

    def keys(self, scope: str, locale: str) -> Keys:
        """For ``scope`` tenant, dataset or purpose. Raises KeyUnavailable, KeyDestroyed."""
        sealing = current_key(KeyPurpose.PSEUDONYM, self.dataset_id)
        return Keys(
            key=self.key(scope),
            sealing_key=sealing.key.derive(_SEALING),
            sealing_key_id=sealing.id.bytes,
            locale=locale,
            this_year=datetime.now(UTC).year,
            tokenize=partial(_tokens, current_tenant_id(), TokenScope(self.dataset_id, self.purpose)),
        )

    def key(self, scope: str) -> SecretKey:
        if scope not in self._made:
            self._made[scope] = self._key(scope)
        return self._made[scope]

    def _key(self, scope: str) -> SecretKey:
        tenant = current_key(KeyPurpose.PSEUDONYM).key
        if self.dataset_id is None:
            # A key of its own: whoever may send texts could otherwise find out by guessing what stands in a dataset.
            return tenant.derive(_TEXTS)
        if scope == "dataset":
            return current_key(KeyPurpose.PSEUDONYM, self.dataset_id).key
        return tenant if scope == "tenant" else tenant.derive(_PURPOSE + self.purpose.encode())


def sealing_key(key: SecretKey) -> SecretKey:
    """What the encrypt operator seals under, of the key whose id its results carry."""
    return key.derive(_SEALING)


def _tokens(tenant_id: UUID, scope: TokenScope, values: Sequence[str]) -> list[str]:
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        return tokenize_values(scope, values, refused=UNTOKENIZED)
