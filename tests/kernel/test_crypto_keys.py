import copy
import json
import os
import pickle
import subprocess
import sys
import traceback
import uuid

import kombu.serialization
import orjson
import pytest

from vaultsite.kernel.crypto.aead import Context, object_key, open_sealed, seal
from vaultsite.kernel.crypto.envelope import unwrap_key, unwrap_with_kms, wrap_key, wrap_with_kms
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.crypto.kms.local import LocalKMS
from vaultsite.kernel.errors import KeyUnavailable, VaultError

SECRET = b"only-this-test-knows-these-bytes"
ALIEN = Context(uuid.UUID(int=1), uuid.UUID(int=2), "chunk", b"elsewhere")
HOME = Context(uuid.UUID(int=1), uuid.UUID(int=2), "chunk", b"here")
KEY_ID = uuid.UUID(int=7)


@pytest.fixture
def key():
    return SecretKey(SECRET)


def _shows(text):
    return any(form in text for form in (SECRET.decode(), SECRET.hex(), "b25seS10aGlzLXRlc3", str(list(SECRET))[1:-1]))


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{:s}".format, "%s".__mod__, "%r".__mod__, ascii])
def test_a_key_is_not_shown(key, show):
    try:
        text = show(key)
    except TypeError:
        text = ""
    assert not _shows(text)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_key_is_not_pickled(key, protocol):
    with pytest.raises(TypeError):
        pickle.dumps(key, protocol)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_key_is_not_copied(key, duplicate):
    with pytest.raises(TypeError):
        duplicate(key)


@pytest.mark.parametrize("take", [bytes, bytearray, memoryview, list, vars, hash])
def test_a_key_is_not_taken_for_its_bytes(key, take):
    with pytest.raises(TypeError):
        take(key)


@pytest.mark.parametrize("dump", [json.dumps, orjson.dumps])
def test_a_key_is_not_json(key, dump):
    with pytest.raises(TypeError):
        dump({"args": [key]})


def test_a_key_is_no_argument_of_a_task(key):
    with pytest.raises(kombu.exceptions.EncodeError):
        kombu.serialization.dumps([[key], {}], serializer="json")


@pytest.mark.parametrize("material", [b"", b"x" * 31, b"x" * 33, b"x" * 64, "x" * 32, None, 32])
def test_only_32_bytes_are_a_key(material):
    with pytest.raises((KeyUnavailable, TypeError)):
        SecretKey(material)


def test_keys_compare_by_their_bytes(key):
    assert key == SecretKey(bytearray(SECRET))
    assert key != SecretKey(bytes(32))
    assert key != SECRET


def test_a_key_is_independent_of_the_buffer_it_was_made_from():
    buffer = bytearray(SECRET)
    key = SecretKey(buffer)
    buffer[0] ^= 1
    assert key.reveal() == SECRET


def test_derived_keys_differ_by_label(key):
    assert key.derive(b"content") == SecretKey(SECRET).derive(b"content")
    assert key.derive(b"content") != key.derive(b"pseudonym")
    assert key.derive(b"content") != key


@pytest.mark.parametrize(
    "use",
    [SecretKey.reveal, lambda key: key.derive(b""), lambda key: key.mac(b""), lambda key: key == SecretKey(bytes(32))],
    ids=["reveal", "derive", "mac", "compare"],
)
def test_a_destroyed_key_is_of_no_use(key, use):
    key.destroy()
    key.destroy()
    with pytest.raises(KeyUnavailable):
        use(key)


def test_a_destroyed_key_is_overwritten(key):
    material = key._material
    key.destroy()
    assert bytes(material) == bytes(32)


def test_a_dropped_key_is_overwritten():
    key = SecretKey(SECRET)
    material = key._material
    del key
    assert bytes(material) == bytes(32)


def _rendered(call):
    """The traceback of a failing call as an error collector renders it: with the locals of every frame below ours."""
    with pytest.raises(VaultError) as caught:
        call()
    return "".join(
        "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
        for error in _chain(caught.value)
    )


def _chain(error):
    while error is not None:
        error.__traceback__ = error.__traceback__ and _below(error.__traceback__)
        yield error
        error = error.__cause__ or error.__context__


def _below(trace):
    while trace.tb_next is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return trace


def test_tracebacks_with_locals_do_not_show_keys(key, tmp_path):
    wrapping, kms = SecretKey(os.urandom(32)), LocalKMS(tmp_path / "kms")
    sealed = seal(key, key_id=KEY_ID, context=HOME, plaintext=b"data")
    wrapped = wrap_key(wrapping, wrapping_key_id=KEY_ID, context=HOME, key=key)
    kms_wrapped = wrap_with_kms(kms, key_id=KEY_ID, context=HOME, key=key)
    (tmp_path / "in the way").touch()
    broken = LocalKMS(tmp_path / "in the way" / "kms")
    failing = [
        lambda: open_sealed(key, context=ALIEN, sealed=sealed),
        lambda: open_sealed(key, context=HOME, sealed=sealed[:-1] + bytes([sealed[-1] ^ 1])),
        lambda: unwrap_key(wrapping, wrapping_key_id=KEY_ID, context=ALIEN, wrapped=wrapped),
        lambda: unwrap_with_kms(kms, key_id=KEY_ID, context=ALIEN, wrapped=kms_wrapped),
        lambda: unwrap_with_kms(
            kms, key_id=KEY_ID, context=HOME, wrapped=kms_wrapped[:16] + bytes(32) + kms_wrapped[48:]
        ),
        lambda: wrap_with_kms(broken, key_id=KEY_ID, context=HOME, key=key),
        lambda: object_key(key, b"short"),
        lambda: SecretKey(SECRET + b"!"),
    ]
    for call in failing:
        rendered = _rendered(call)
        assert "kernel/crypto" in rendered
        assert not _shows(rendered)


def test_a_traceback_in_a_damaged_kms_file_does_not_show_its_key(tmp_path):
    LocalKMS(tmp_path).describe()
    path = tmp_path / "v000001.json"
    members = orjson.loads(path.read_bytes())
    path.write_bytes(orjson.dumps(members | {"check": "00"}))
    assert members["key"][:12] not in _rendered(lambda: LocalKMS(tmp_path).wrap(SECRET, b""))


def test_core_dumps_are_forbidden():
    script = (
        "import ctypes, resource; from vaultsite.kernel.crypto.keys import forbid_core_dumps; forbid_core_dumps();"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    expected = "(0, 0) 0" if sys.platform == "linux" else "(0, 0)"
    assert run.stdout.startswith(expected)
