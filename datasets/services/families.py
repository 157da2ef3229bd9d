"""Families: datasets whose records are about the same people, because one came from the other or both from one source.

A privacy budget and a release ledger belong to a family, not to a dataset.
"""

from uuid import UUID


def family_of(dataset_id: UUID) -> UUID:
    """The family of a dataset of the scope's tenant, in the open scope."""
    return dataset_id
