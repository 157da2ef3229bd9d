"""The passport of an export: what was read, under which decision, and which files came of it."""

from collections import Counter
from typing import Any, Final

import orjson

from access.models import EncryptionKey
from access.models.encryption_key import KeyState
from access.services.keyring import KeyPurpose, current_key, key_by_id
from anonymization.services.detect import detector_hash
from datasets.models import Export, Version
from datasets.passport.signature import Signer
from datasets.passport.statement import ExportedFile, RowProof, Source, Statement
from datasets.services.commit import read_profile
from datasets.services.exports.options import ExportOptions
from datasets.services.exports.progress import Pick
from datasets.services.read import Release
from datasets.tree.reader import find, prove
from vaultsite.kernel.errors import IntegrityFailure

#: How decisions name anonymization policies.
_POLICY: Final = "anonymization:"
#: Versions of the parents' chain that a passport lists.
ANCESTORS: Final = 100
_FRESH_IDS: Final = (
    "Rows carry fresh random ids in an order of their own within each part; no id, nonce or leaf of the source leaves."
)


def current_signer() -> Signer:
    """The tenant's signing key, in the open scope; made at its first use."""
    handle = current_key(KeyPurpose.SIGNING)
    return Signer.of(handle.id, handle.key)


def public_keys() -> list[dict[str, str]]:
    """Every key that may have signed a passport of this tenant, newest first, in the open scope."""
    rows = EncryptionKey.objects.filter(purpose=KeyPurpose.SIGNING).exclude(state=KeyState.DESTROYED)
    found = [(row, Signer.of(row.pk, key_by_id(row.pk))) for row in rows.order_by("-version")]
    return [
        {
            "key_id": str(signer.key_id),
            "algorithm": "Ed25519",
            "public_key": signer.public_key,
            "state": row.state,
            "created_at": row.created_at.isoformat(),
        }
        for row, signer in found
    ]


def source_of(version: Version) -> Source:
    """In the open scope."""
    ancestors: list[tuple[str, str]] = []
    above = version.parent
    while above is not None and len(ancestors) < ANCESTORS:
        ancestors.append((above.label, bytes(above.digest).hex()))
        above = above.parent
    return Source(
        dataset_id=str(version.dataset_id),
        version=version.label,
        version_id=bytes(version.digest).hex(),
        root=bytes(version.root).hex(),
        record_count=version.record_count,
        ancestors=ancestors,
    )


def scan_of(version: Version) -> dict[str, Any]:
    """Findings of the source version by type, in the open scope: kinds and counts, never places or values."""
    found: Counter[str] = Counter()
    for (_, entity_type), count in read_profile(version).items():
        found[entity_type] += count
    return {"findings": dict(sorted(found.items())), "detectors": detector_hash().hex(), "of": "source version"}


def decision_of(export: Export) -> dict[str, Any]:
    return {
        "purpose": export.purpose,
        "policies": export.policies,
        "obligations": export.obligations,
        "anonymization_policies": _policies_of(export),
        "shown": export.operator or "raw",
        "requested_by": str(export.requested_by),
    }


def _policies_of(export: Export) -> list[dict[str, str]]:
    """The versions of anonymization policies it was made under, each with the SHA-256 of its document."""
    named = [policy.removeprefix(_POLICY) for policy in export.policies if policy.startswith(_POLICY)]
    return [{"policy": one.partition("#")[0], "sha256": one.rpartition("=")[2]} for one in named]


def make_statement(
    export: Export,
    options: ExportOptions,
    *,
    source: Source,
    scan: dict[str, Any],
    files: list[ExportedFile],
    rows_salt: bytes,
    proofs: list[RowProof] | None,
    withheld: dict[str, Any],
) -> Statement:
    return Statement(
        export_id=str(export.pk),
        created_at=export.created_at,
        source=source,
        files=files,
        rows_salt=rows_salt,
        decision=decision_of(export) | withheld,
        selection=options.as_json(),
        scan=scan,
        proofs=proofs,
        notes=() if export.is_raw else (_FRESH_IDS,),
    )


def prove_rows(release: Release, options: ExportOptions, picks: list[Pick]) -> list[RowProof] | None:
    """Proofs for the picked rows of a raw export whose rows are whole records; None for every other."""
    if not release.is_raw or options.fields or options.format != "jsonl":
        return None
    return [_proof(release, options, pick) for pick in sorted(picks, key=lambda pick: (pick.file, pick.row))]


def _proof(release: Release, options: ExportOptions, pick: Pick) -> RowProof:
    root = bytes(release.version.root)
    record, proof = find(release.store, root, pick.source_id), prove(release.store, root, pick.source_id)
    if record is None or proof is None:
        raise IntegrityFailure("A record that was exported is not in its version")
    return RowProof(
        file=pick.file,
        row=pick.row,
        id=record.id,
        form="record" if options.envelope else "data",
        metadata=orjson.dumps(record.metadata, option=orjson.OPT_SORT_KEYS).decode(),
        nonce=record.nonce,
        proof=proof,
    )
