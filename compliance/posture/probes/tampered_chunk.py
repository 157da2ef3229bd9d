"""Tampered chunk: what lies in the object store opens where it was written, and not once it was changed or moved."""

import secrets
from dataclasses import replace
from typing import Final
from uuid import UUID, uuid4

from django.core.files.storage import InMemoryStorage

from compliance.posture.outcome import Outcome, Untried, judged
from compliance.posture.sandbox import actor, probe_dataset, sandbox
from datasets.services.keys import DatasetKeys, load_keys
from datasets.services.places import FAULTS, Place, open_place
from datasets.tree.store import ObjectKind
from vaultsite.kernel.blobs import BlobStore, new_blob_name

_BODY: Final = b"a probe's own chunk"
_SIDECAR: Final = b"a probe's own sidecar"


def probe(tenant_id: UUID) -> Outcome:
    """The store is one in memory: objects of the real one are not undone by a rollback."""
    steward, breaches = actor(tenant_id, "data_steward"), list[str]()
    blobs = BlobStore(InMemoryStorage())
    with sandbox(tenant_id, steward):
        keys, other = (load_keys(probe_dataset(steward).pk) for _ in range(2))
        place, stored = _write(keys, blobs)
        if open_place(keys, blobs, place).body != _BODY:
            raise Untried("a chunk did not open where it was written")
        changes = {
            "changed in its body": _flipped(stored, place.length // 2),
            "changed in its sidecar": _flipped(stored, place.sidecar_offset + place.sidecar_length - 1),
            "cut off": stored[:-1],
        }
        for name, changed in changes.items():
            if _opens(keys, blobs, _put(blobs, place, changed)):
                breaches.append(f"a chunk that was {name} was opened")
        moves = {
            "under another digest": replace(place, digest=secrets.token_bytes(32)),
            "as another kind": replace(place, kind=ObjectKind.NODE),
            "with another object's secret": replace(place, secret=secrets.token_bytes(32)),
        }
        breaches += [f"a chunk was opened {name}" for name, moved in moves.items() if _opens(keys, blobs, moved)]
        if _opens(other, blobs, replace(place, key_id=other.key_id)):
            breaches.append("a chunk was opened in another dataset")
    return judged(breaches, attempts=len(changes) + len(moves) + 1)


def _write(keys: DatasetKeys, blobs: BlobStore) -> tuple[Place, bytes]:
    digest, secret = secrets.token_bytes(32), secrets.token_bytes(32)
    body = keys.seal(ObjectKind.CHUNK, digest, secret, _BODY)
    sidecar = keys.seal(f"{ObjectKind.CHUNK}-sidecar", digest, secret, _SIDECAR)
    place = Place(
        pk=uuid4(),
        digest=digest,
        kind=ObjectKind.CHUNK,
        blob_id=uuid4(),
        name="",
        store=blobs.alias,
        offset=0,
        length=len(body),
        sidecar_offset=len(body),
        sidecar_length=len(sidecar),
        key_id=keys.key_id,
        secret=secret,
        is_damaged=False,
    )
    return _put(blobs, place, body + sidecar), body + sidecar


def _put(blobs: BlobStore, place: Place, stored: bytes) -> Place:
    name = new_blob_name("probe")
    blobs.put(name, stored)
    return replace(place, name=name)


def _flipped(stored: bytes, index: int) -> bytes:
    changed = bytearray(stored)
    changed[index] ^= 1
    return bytes(changed)


def _opens(keys: DatasetKeys, blobs: BlobStore, place: Place) -> bool:
    """Whether anything is given out, be it what was written or not."""
    try:
        open_place(keys, blobs, place)
    except FAULTS:
        return False
    return True
