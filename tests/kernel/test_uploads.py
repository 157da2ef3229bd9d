"""Rules of uploads: raw bytes in bounded blocks, whatever the client calls them, and never a file of ours."""

import io
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import RequestFactory

from vaultsite.kernel.api.uploads import BLOCK, read_body
from vaultsite.kernel.errors import BodyTooLarge, LengthRequired

LIMIT = 1 << 20


class Wire:
    """What a server hands to an application: bytes in pieces of the network's choosing."""

    def __init__(self, data: bytes, piece: int = 1 << 30) -> None:
        self._data = io.BytesIO(data)
        self._piece = piece
        self.asked: list[int] = []

    def read(self, size: int = -1) -> bytes:
        self.asked.append(size)
        return self._data.read(min(size, self._piece) if size >= 0 else -1)


def request(wire, **environ):
    made = RequestFactory().post("/", content_type="application/octet-stream")
    made.META.pop("CONTENT_LENGTH", None)
    made.META |= {"wsgi.input": wire, **environ}
    return made


def declared(wire, length):
    return request(wire, CONTENT_LENGTH=str(length))


def chunked(wire):
    return request(wire, HTTP_TRANSFER_ENCODING="chunked")


@pytest.mark.parametrize("piece", [1, 7, 4096, 1 << 30])
@pytest.mark.parametrize("make", [declared, lambda wire, _: chunked(wire)], ids=["declared", "chunked"])
def test_the_bytes_arrive_as_they_were_sent(make, piece):
    data = bytes(range(256)) * 40
    assert b"".join(read_body(make(Wire(data, piece), len(data)), limit=LIMIT)) == data


def test_blocks_are_bounded():
    wire = Wire(bytes(3 * BLOCK + 5))
    assert [len(block) for block in read_body(declared(wire, 3 * BLOCK + 5), limit=1 << 30)] == [BLOCK, BLOCK, BLOCK, 5]
    assert max(wire.asked) == BLOCK


def test_no_more_is_read_than_was_declared():
    """What follows on the connection is the next request."""
    wire = Wire(b"body" + b"GET / HTTP/1.1")
    assert b"".join(read_body(declared(wire, 4), limit=LIMIT)) == b"body"
    assert wire.read(3) == b"GET"


def test_a_body_that_ends_early_is_no_body():
    blocks = read_body(declared(Wire(b"half"), 8), limit=LIMIT)
    assert next(blocks) == b"half"
    with pytest.raises(LengthRequired):
        next(blocks)


def test_a_body_declared_too_large_is_refused_before_a_byte_is_read():
    wire = Wire(bytes(10))
    with pytest.raises(BodyTooLarge) as refused:
        next(read_body(declared(wire, LIMIT + 1), limit=LIMIT))
    assert wire.asked == []
    assert refused.value.extra == {"limit_bytes": LIMIT}


@pytest.mark.parametrize("make", [chunked, lambda wire: declared(wire, LIMIT)], ids=["chunked", "lying"])
def test_a_body_may_have_exactly_the_limit(make):
    assert sum(map(len, read_body(make(Wire(bytes(LIMIT))), limit=LIMIT))) == LIMIT


def test_a_chunked_body_too_large_is_cut_off_at_the_limit():
    wire = Wire(bytes(100 * LIMIT))
    given = 0
    blocks = read_body(chunked(wire), limit=LIMIT)
    with pytest.raises(BodyTooLarge):
        for block in blocks:
            given += len(block)
    assert given <= LIMIT
    assert sum(wire.asked) <= LIMIT + BLOCK


@pytest.mark.parametrize("length", ["", "-5", "abc", "0x10", "1_0", "+4"])
def test_without_a_length_and_not_chunked_there_is_no_body(length):
    wire = Wire(b"left over")
    assert list(read_body(request(wire, CONTENT_LENGTH=length), limit=LIMIT)) == []
    assert wire.asked == []


KINDS = [
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "application/json",
    "application/x-ndjson",
    "text/csv; charset=latin-1",
    "application/gzip",
    "",
    "nonsense",
]
#: A form with a file: Django's own parser would take it apart, and put a large one into a temporary file.
FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="../../a"\r\n\r\n%b\r\n--x--\r\n'


@pytest.mark.urls("tests.kernel.views")
@pytest.mark.parametrize("kind", KINDS)
def test_a_body_of_any_type_is_just_bytes(client, kind):
    body = FORM % (b"x" * 500_000)
    answer = client.generic("POST", "/upload", body, content_type=kind)
    assert answer.json() == {"bytes": len(body), "largest": BLOCK, "form": False}


@pytest.mark.urls("tests.kernel.views")
def test_a_body_too_large_is_refused_in_the_usual_form(client):
    answer = client.generic("POST", "/upload", bytes(LIMIT + 1), content_type="multipart/form-data; boundary=x")
    assert (answer.status_code, answer.json()["code"]) == (413, "VAULT_VALID_3006")


@pytest.mark.urls("tests.kernel.views")
def test_no_file_appears_in_the_temporary_folder(client, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert settings.FILE_UPLOAD_TEMP_DIR is None
    with watched(tmp_path) as seen:
        for kind in KINDS:
            answer = client.generic("POST", "/upload", FORM % (b"canary" * 150_000), content_type=kind)
            assert answer.status_code == 200, answer.content
        with tempfile.NamedTemporaryFile():
            pass
    assert len(seen) == 1, "the watch sees files, and saw its own alone"


class watched:  # noqa: N801 - reads as a verb
    """The names that are opened in a folder, however shortly they live (by the interpreter's own audit hook)."""

    _hooked: "watched | None" = None

    def __init__(self, folder: Path) -> None:
        self.folder = f"{folder}/"
        self.seen: set[str] = set()

    def __enter__(self) -> set[str]:
        install_hook()
        watched._hooked = self
        return self.seen

    def __exit__(self, *_: object) -> None:
        watched._hooked = None


_installed = threading.Event()


def install_hook():
    """Audit hooks stay for the life of the process: one is installed, and asks whether anybody watches."""

    def hook(event, arguments):
        watching = watched._hooked
        if watching and event == "open" and str(arguments[0]).startswith(watching.folder):
            watching.seen.add(str(arguments[0]))

    if not _installed.is_set():
        _installed.set()
        sys.addaudithook(hook)


def test_djangos_handlers_keep_nothing_in_files_either():
    """For what is posted to a form of the admin."""
    handlers = settings.FILE_UPLOAD_HANDLERS
    assert f"{TemporaryFileUploadHandler.__module__}.{TemporaryFileUploadHandler.__name__}" not in handlers
    assert handlers == ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
