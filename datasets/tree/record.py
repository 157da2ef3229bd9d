"""A record of the tree, its canonical bytes, and how its parts are read back from them."""

from typing import Any, Final, NamedTuple

import orjson

from datasets.tree.digests import leaf_digest

_OPENING: Final = b'{"data":'
_EMPTY_METADATA: Final = b"{}"


class TreeRecord(NamedTuple):
    """One record as the tree keeps it.

    ``id`` is ASCII (see datasets.formats.ids); ``nonce`` and ``content_key`` have 16 bytes; ``canonical`` is
    ``canonical_record`` of id, data and metadata.
    """

    id: str
    nonce: bytes
    content_key: bytes
    canonical: bytes

    @property
    def leaf(self) -> bytes:
        return leaf_digest(self.nonce, self.canonical)

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = orjson.loads(data_bytes(self.canonical, self.id))
        return data

    @property
    def metadata(self) -> dict[str, Any]:
        metadata: dict[str, Any] = orjson.loads(self.canonical)["metadata"]
        return metadata


def canonical_record(record_id: str, data: dict[str, Any], metadata: dict[str, Any]) -> bytes:
    """``{"data":..,"id":..,"metadata":..}`` as orjson writes it with sorted keys: the bytes that a leaf commits to.

    Raises orjson.JSONEncodeError for values that strict parsing would have refused.
    """
    return assembled_record(
        record_id,
        orjson.dumps(data, option=orjson.OPT_SORT_KEYS),
        orjson.dumps(metadata, option=orjson.OPT_SORT_KEYS) if metadata else _EMPTY_METADATA,
    )


def assembled_record(record_id: str, data: bytes, metadata: bytes = _EMPTY_METADATA) -> bytes:
    """``canonical_record`` from parts that are canonical already. Allowed ids need no escaping."""
    return b"".join((_OPENING, data, b',"id":"', record_id.encode(), b'","metadata":', metadata, b"}"))


def data_bytes(canonical: bytes, record_id: str) -> bytes:
    """The canonical bytes of ``data``, sliced out of a canonical record without parsing it.

    The seam ``,"id":"..","metadata":`` cannot stand inside a string (its quotes would be escaped); where a nested
    object happens to spell it too, the record is parsed after all.
    """
    seam = b',"id":"%b","metadata":' % record_id.encode()
    end = canonical.find(seam)
    if end < 0:
        raise ValueError("these are not the canonical bytes of a record with this id")
    if canonical.find(seam, end + 1) < 0:
        return canonical[len(_OPENING) : end]
    return orjson.dumps(orjson.loads(canonical)["data"], option=orjson.OPT_SORT_KEYS)
