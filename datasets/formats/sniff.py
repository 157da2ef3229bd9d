"""Tell the format of a file from how it begins."""

import codecs
from typing import Final

_PARQUET: Final = (b"PAR1", b"PARE")


def recognize_format(head: bytes) -> str:
    """``parquet``, ``jsonl`` or ``csv``, from the first decoded bytes: a mark, an opening bracket, or neither."""
    if head.startswith(_PARQUET):
        return "parquet"
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    return "jsonl" if text.startswith((b"{", b"[")) else "csv"
