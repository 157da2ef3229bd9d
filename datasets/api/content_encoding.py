"""The Content-Encoding of an upload: the file's own compression, once, or nothing."""

from typing import Final

from rest_framework.request import Request

from datasets.errors import UnsupportedEncoding

_KNOWN: Final = frozenset({"", "identity", "gzip", "x-gzip", "zstd"})


def require_known_encoding(request: Request) -> None:
    """The body is stored as it comes and told by its first bytes, so the header only may not promise anything else.

    Several encodings on top of each other, and those that are not undone, are refused: raises UnsupportedEncoding.
    """
    if request.headers.get("Content-Encoding", "").strip().lower() not in _KNOWN:
        raise UnsupportedEncoding
