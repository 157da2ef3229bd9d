"""JSON Lines: one record a line."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from datasets.errors import MalformedRecord, RefusedLine
from datasets.formats.ids import IdRule
from datasets.formats.lines import MAX_RECORD_BYTES, numbered_lines
from datasets.formats.rows import RawRecord, Rejected
from datasets.formats.strict_json import parse_canonical

DEFAULT_IDS: Final = IdRule()
ENVELOPE_MEMBERS: Final = frozenset({"id", "data", "metadata"})


def read_jsonl(
    blocks: Iterable[bytes],
    *,
    ids: IdRule = DEFAULT_IDS,
    envelope: bool = False,
    max_record_bytes: int = MAX_RECORD_BYTES,
) -> Iterator[RawRecord | Rejected]:
    """The records of decoded JSONL ``blocks`` in file order; a bad line comes as Rejected and reading goes on.

    Without ``envelope`` the whole line is ``data`` and ``ids`` says where the id is. With it each line is an object of
    ``id`` (optional), ``data`` and ``metadata`` (optional) and nothing else. Blank lines are skipped but counted.
    Raises RefusedFile and WrongEncoding as ``numbered_lines`` does.
    """
    if envelope:
        ids = IdRule("id", ids.required, ids.hash_key, ids.key)
    for item in numbered_lines(blocks, max_record_bytes):
        if isinstance(item, Rejected):
            yield item
            continue
        number, line = item
        if not line or line.isspace():
            continue
        try:
            value, canonical = parse_canonical(line, number)
            if envelope:
                record = _opened(value, ids, number)
            else:
                record = RawRecord(number, ids.id_of(value, number), value, {}, canonical)
        except RefusedLine as error:
            yield Rejected.of(error, line)
        else:
            yield record


def _opened(value: dict[str, Any], ids: IdRule, number: int) -> RawRecord:
    data, metadata = value.get("data"), value.get("metadata", {})
    if not (isinstance(data, dict) and isinstance(metadata, dict) and value.keys() <= ENVELOPE_MEMBERS):
        rule = "an envelope has the objects data and metadata, an id, and nothing else"
        raise MalformedRecord(rule, reason="envelope", line=number)
    canonical = orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    return RawRecord(number, ids.id_of(data if ids.key else value, number), data, metadata, canonical)
