"""The anonymizer: everything a decision obliges to, made ready once and applied to record after record."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from access.services.authorize import Obligation
from access.services.keyring import KeyPurpose, current_key
from anonymization.errors import ObligationUnmet
from anonymization.findings import Finding
from anonymization.operators.registry import OPERATORS
from anonymization.services.anonymize import apply
from vaultsite.kernel.crypto.keys import SecretKey


@dataclass(frozen=True)
class Anonymizer:
    """Shows records as the obligations of one decision allow. Needs no open scope.

    ``operator`` is the one every finding is shown under; None shows records raw.
    """

    operator: str | None
    hash_key: SecretKey | None = None

    @property
    def is_raw(self) -> bool:
        return self.operator is None

    @property
    def content_hash(self) -> bytes:
        """SHA-256 of what the result depends on beside record, findings and keys."""
        return hashlib.sha256((self.operator or "raw").encode()).digest()

    def show(self, record: Mapping[str, Any], findings: Sequence[Finding]) -> dict[str, Any]:
        """A copy of ``{"data": .., "metadata": ..}`` as it may be seen. Raises FindingMismatch."""
        if self.operator is None:
            return dict(record)
        return apply(record, findings, operator=self.operator, hash_key=self.hash_key)


def build_anonymizer(obligations: Sequence[Obligation], *, dataset_id: UUID | None, purpose: str | None) -> Anonymizer:
    """What discharges the obligations, in the open scope. Raises ObligationUnmet when one of them cannot be."""
    del dataset_id, purpose
    operator: str | None = None
    for obligation in obligations:
        if obligation.type != "anonymize" or obligation.operator not in OPERATORS:
            raise ObligationUnmet(obligation=str(obligation))
        operator = obligation.operator
    return Anonymizer(operator, current_key(KeyPurpose.PSEUDONYM).key if operator == "hash" else None)
