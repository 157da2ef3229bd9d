"""The keys of one dataset, fetched inside a scope and usable outside one."""

from dataclasses import dataclass, field
from uuid import UUID

from access.services.keyring import KeyPurpose, current_key, key_by_id
from datasets.errors.residency import RowsOutsideRegion
from datasets.services.residency import Home, home_of
from vaultsite.kernel.crypto.aead import Context, Sealed, object_key, open_sealed, read_key_id, seal
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id, tenant_scope


@dataclass
class DatasetKeys:
    """What seals and opens the objects of one dataset, matches its contents and cuts its chunks."""

    tenant_id: UUID
    dataset_id: UUID
    key_id: UUID
    content: SecretKey
    boundary: SecretKey
    index: SecretKey
    _data: dict[UUID, SecretKey] = field(repr=False)
    #: Where its objects lie, and nowhere else.
    home: Home = field(default_factory=Home)

    @property
    def store(self) -> str:
        """The alias of the store of the dataset's region."""
        return self.home.store

    def seal(self, kind: str, object_id: bytes, secret: bytes, plaintext: bytes) -> bytes:
        """Seal one chunk-like object under the current data key and its own ``secret`` (32 bytes)."""
        key = object_key(self._data[self.key_id], secret)
        return seal(key, key_id=self.key_id, context=self._context(kind, object_id), plaintext=plaintext)

    def seal_row(self, kind: str, object_id: bytes, secret: bytes, plaintext: bytes) -> bytes:
        """As ``seal``, for what is kept in a row of the database. Raises RowsOutsideRegion."""
        if not self.home.takes_rows:
            raise RowsOutsideRegion
        return self.seal(kind, object_id, secret, plaintext)

    def open(self, kind: str, object_id: bytes, secret: bytes, sealed: Sealed) -> bytes:
        """Open what ``seal`` made, whichever version of the data key sealed it. Raises IntegrityFailure."""
        key = object_key(self._data_key(read_key_id(sealed)), secret)
        return open_sealed(key, context=self._context(kind, object_id), sealed=sealed)

    def _context(self, kind: str, object_id: bytes) -> Context:
        return Context(tenant_id=self.tenant_id, scope_id=self.dataset_id, kind=kind, object_id=object_id)

    def _data_key(self, key_id: UUID) -> SecretKey:
        if key_id not in self._data:
            with tenant_scope(self.tenant_id, Principal.system(self.tenant_id)):
                self._data[key_id] = key_by_id(key_id)
        return self._data[key_id]


def load_keys(dataset_id: UUID) -> DatasetKeys:
    """The keys of a dataset of the current tenant, made on first use.

    Raises KeyUnavailable, KeyDestroyed, RegionNotServed: who may not process the dataset here gets no keys of it.
    """
    home = home_of(dataset_id)
    data = current_key(KeyPurpose.DATASET, dataset_id)
    return DatasetKeys(
        tenant_id=current_tenant_id(),
        dataset_id=dataset_id,
        key_id=data.id,
        content=current_key(KeyPurpose.CONTENT, dataset_id).key,
        boundary=current_key(KeyPurpose.BOUNDARY, dataset_id).key,
        index=current_key(KeyPurpose.INDEX).key,
        _data={data.id: data.key},
        home=home,
    )
