"""Names of blobs: generated here, random, and never made of anything a user wrote."""

import re
import secrets
from typing import Final

_KIND: Final = re.compile(r"[a-z][a-z-]{0,30}", re.ASCII)
_NAME: Final = re.compile(r"[a-z][a-z-]{0,30}/([0-9a-f]{2})/\1[0-9a-f]{30}", re.ASCII)


def new_blob_name(kind: str) -> str:
    """A name nobody has: ``pack/ab/ab..`` with 128 random bits in hex, spread over 256 folders.

    Raises ValueError unless ``kind`` is one to 31 small letters and hyphens.
    """
    if not _KIND.fullmatch(kind):
        raise ValueError("a kind of blob is a short word of small letters")
    unique = secrets.token_hex(16)
    return f"{kind}/{unique[:2]}/{unique}"


def is_blob_name(name: str) -> bool:
    """Whether ``name`` has the shape new_blob_name gives: no other reaches a storage."""
    return _NAME.fullmatch(name) is not None
