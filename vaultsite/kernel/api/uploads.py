"""Uploads read from the raw request stream: never parsed by Django, never spooled to a file."""

from collections.abc import Iterator
from typing import Any, Final

from django.http import HttpRequest
from gunicorn.http.errors import ParseException

from vaultsite.kernel.errors import BodyTooLarge, LengthRequired

BLOCK: Final = 256 * 1024


def read_body(request: HttpRequest, *, limit: int) -> Iterator[bytes]:
    """The request's body in blocks of at most 256 KiB, whatever its Content-Type, with or without Content-Length.

    Raises BodyTooLarge past ``limit`` bytes and LengthRequired when the client hung up before its declared length.
    """
    declared = _declared_length(request)
    if declared is not None and declared > limit:
        raise BodyTooLarge(limit_bytes=limit)
    stream: Any = request.META["wsgi.input"]
    received = 0
    while declared is None or received < declared:
        block = _read(stream, BLOCK if declared is None else min(BLOCK, declared - received))
        if not block:
            break
        received += len(block)
        if received > limit:
            raise BodyTooLarge(limit_bytes=limit)
        yield block
    if declared is not None and received < declared:
        raise LengthRequired


def _read(stream: Any, size: int) -> bytes:
    """The server raises when a chunked body breaks off, which must not look like its end."""
    try:
        block: bytes = stream.read(size)
    except (OSError, ParseException) as exc:
        raise LengthRequired from exc
    return block


def _declared_length(request: HttpRequest) -> int | None:
    raw = request.META.get("CONTENT_LENGTH") or ""
    if raw.isdecimal():
        return int(raw)
    return None if "chunked" in request.headers.get("Transfer-Encoding", "").lower() else 0
