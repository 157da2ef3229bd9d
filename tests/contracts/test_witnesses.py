"""What every witness of the audit promises, whatever it is."""

from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from django.core.files.storage import InMemoryStorage

from audit.log.errors import WitnessConflict, WitnessUnavailable
from audit.log.witnesses.base import Witness
from audit.log.witnesses.enlisted import enlisted_witnesses
from audit.log.witnesses.stored import BlobStoreWitness, FolderWitness, StorageWitness
from audit.log.witnesses.webhook import WebhookWitness


class Receiver(BaseHTTPRequestHandler):
    """Somebody's witness: remembers one note of each origin and size, and answers as the port's document says."""

    held: ClassVar[dict[tuple[str, ...], bytes]] = {}

    def do_POST(self) -> None:
        note = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/broken":
            self.send_response(HTTPStatus.INTERNAL_SERVER_ERROR)
        else:
            key = tuple(note.decode().split("\n")[:2])
            is_same = self.held.setdefault(key, note) == note
            self.send_response(HTTPStatus.NO_CONTENT if is_same else HTTPStatus.CONFLICT)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class MemoryWitness(StorageWitness):
    name = "memory"


@pytest.fixture(params=["blob store", "folder", "webhook", "another storage"])
def witness(request, tmp_path, settings) -> Witness:
    if request.param == "webhook":
        settings.VAULT = {**settings.VAULT, "OUTGOING_NETWORKS": ("127.0.0.1/32",)}
        return WebhookWitness(f"{request.getfixturevalue('receiver')}/checkpoints")
    return {
        "blob store": lambda: BlobStoreWitness(3650),
        "folder": lambda: FolderWitness(tmp_path / "not" / "made" / "yet"),
        "another storage": lambda: MemoryWitness(InMemoryStorage(), prefix="checkpoints"),
    }[request.param]()


@pytest.fixture
def log() -> str:
    return f"vault.example.org/{uuid4()}"


def note(log: str, size: int, root: str = "root") -> str:
    return f"{log}\n{size}\n{root}\n\n— {log} signature\n"


def test_a_checkpoint_is_held_and_given_back(witness, log) -> None:
    sizes = (1, 999, 1_000, 1_001, 1_234_567, 999_999)
    places = {witness.hold(log, size, note(log, size)).place for size in sizes}
    if not witness.is_readable:
        assert (witness.newest(log), witness.read(log, 1)) == (None, None)
        return
    assert len(places) == len(sizes)
    assert [witness.read(log, size) for size in sizes] == [note(log, size) for size in sizes]
    assert witness.newest(log) == note(log, 1_234_567)


def test_the_same_checkpoint_again_changes_nothing(witness, log) -> None:
    first = witness.hold(log, 7, note(log, 7))
    assert witness.hold(log, 7, note(log, 7)).place == first.place


def test_another_checkpoint_of_one_size_is_refused_and_the_first_one_kept(witness, log) -> None:
    witness.hold(log, 7, note(log, 7))
    with pytest.raises(WitnessConflict):
        witness.hold(log, 7, note(log, 7, root="forged"))
    assert witness.read(log, 7) in {note(log, 7), None}
    witness.hold(log, 7, note(log, 7))


def test_of_a_log_it_does_not_know_it_holds_nothing(witness, log) -> None:
    assert (witness.newest(log), witness.read(log, 7)) == (None, None)
    witness.hold(log, 7, note(log, 7))
    assert witness.read(log, 8) is None
    assert witness.newest(f"vault.example.org/{uuid4()}") is None


def test_without_a_lock_it_says_so(witness, log) -> None:
    assert not witness.locks()
    assert witness.hold(log, 7, note(log, 7)).locked_until is None


def test_a_folder_that_a_killed_writer_left_empty_is_passed_over(tmp_path, log) -> None:
    witness = FolderWitness(tmp_path)
    witness.hold(log, 7, note(log, 7))
    (tmp_path / log / "000/000/000/001/").mkdir(parents=True)
    (tmp_path / log / "000/000/000/000/007.tmp").write_text("")
    assert witness.newest(log) == note(log, 7)


def test_a_storage_that_fails_and_a_receiver_that_refuses_are_unavailable(tmp_path, receiver, settings, log) -> None:
    (tmp_path / "file").write_text("")
    settings.VAULT = {**settings.VAULT, "OUTGOING_NETWORKS": ("127.0.0.1/32",)}
    failing = [
        FolderWitness(tmp_path / "file"),
        WebhookWitness(f"{receiver}/broken"),
        WebhookWitness("http://[::1]:1/"),
    ]
    for witness in failing:
        with pytest.raises(WitnessUnavailable) as caught:
            witness.hold(log, 7, note(log, 7))
        assert caught.value.extra["witness"] == witness.name


class LockingClient:
    """The two answers of an S3 client that the witness asks for."""

    class exceptions:  # noqa: N801 - as in boto3
        ClientError = RuntimeError

    def __init__(self, *, is_locking: bool) -> None:
        self.is_locking = is_locking

    def get_object_lock_configuration(self, *, Bucket: str) -> dict[str, Any]:  # noqa: N803
        if not self.is_locking:
            raise RuntimeError(Bucket)
        return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}


class BucketStorage(InMemoryStorage):
    """A storage with the members of django-storages' S3Storage that locking needs; remembers how it was written."""

    bucket_name = "evidence"

    def __init__(self, *, is_locking: bool) -> None:
        super().__init__()
        self.object_parameters = {"StorageClass": "STANDARD"}
        self.written: list[dict[str, Any]] = []
        client = LockingClient(is_locking=is_locking)
        self.connection = type("Connection", (), {"meta": type("Meta", (), {"client": client})})

    def _save(self, name: str, content: Any) -> str:
        self.written.append(self.object_parameters)
        return super()._save(name, content)


@pytest.mark.parametrize(("is_locking", "days", "locks"), [(True, 30, True), (True, 0, False), (False, 30, False)])
def test_a_bucket_that_can_lock_objects_locks_checkpoints(log, is_locking, days, locks) -> None:
    storage = BucketStorage(is_locking=is_locking)
    witness = MemoryWitness(storage, lock_days=days)
    held = witness.hold(log, 7, note(log, 7))
    assert (witness.locks(), held.locked_until is not None) == (locks, locks)
    locked = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": held.locked_until} if locks else {}
    assert storage.written == [{"StorageClass": "STANDARD", **locked}]
    assert storage.object_parameters == {"StorageClass": "STANDARD"}


def test_the_configuration_enlists_witnesses(settings, tmp_path) -> None:
    assert [witness.name for witness in enlisted_witnesses()] == ["blob store"]
    settings.VAULT = {**settings.VAULT, "AUDIT_WITNESS_FOLDER": tmp_path, "AUDIT_WITNESS_URL": "https://example.org/"}
    assert [witness.name for witness in enlisted_witnesses()] == ["blob store", "folder", "webhook"]
