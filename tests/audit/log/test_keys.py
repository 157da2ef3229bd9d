"""Rules of the signing keys' file: made once, whole, and nobody else's to read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from audit.log.errors import SigningKeyUnavailable
from audit.log.keys import create_keys, load_keys, save_keys

CREATE = """
import django; django.setup()
from audit.log.keys import create_keys
print(create_keys().verifiers("log")[0])
"""


@pytest.fixture
def key_file(tmp_path, settings) -> Path:
    path = tmp_path / "folder" / "audit-keys.pem"
    settings.VAULT = {**settings.VAULT, "AUDIT_KEY_FILE": path}
    return path


def test_the_key_is_made_at_first_use_and_stays(key_file) -> None:
    with pytest.raises(SigningKeyUnavailable, match=r"audit-keys\.pem: No such file"):
        load_keys()
    ring = create_keys()
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert [str(one) for one in create_keys().verifiers("log")] == [str(one) for one in ring.verifiers("log")]
    assert [path.name for path in key_file.parent.iterdir()] == [key_file.name]


def test_processes_that_start_at_once_have_one_key(key_file) -> None:
    environment = {**os.environ, "VAULT_AUDIT_KEY_FILE": os.fspath(key_file)}
    starting = [
        subprocess.Popen([sys.executable, "-c", CREATE], env=environment, stdout=subprocess.PIPE) for _ in range(3)
    ]
    told = {process.communicate()[0] for process in starting}
    assert told == {f"{create_keys().verifiers('log')[0]}\n".encode()}


def test_a_rotation_keeps_the_old_public_key(key_file) -> None:
    old = create_keys()
    both = old.with_new_key()
    save_keys(both)
    assert [str(one) for one in load_keys().verifiers("log")] == [str(one) for one in both.verifiers("log")]
    save_keys(load_keys().with_newest_only())
    after = load_keys()
    assert len(after.signing) == 1
    assert [one.public for one in after.verifiers("log")] == [one.public for one in both.verifiers("log")]
    assert key_file.read_text().count("PRIVATE KEY") == 2  # one block
    assert "PRIVATE" not in repr(after)


def test_a_file_that_others_may_read_is_refused(key_file) -> None:
    create_keys()
    key_file.chmod(0o640)
    with pytest.raises(SigningKeyUnavailable, match="may be read by others"):
        load_keys()


def pem(key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no key",
        pem(Ed25519PrivateKey.generate())[:-40],
        pem(Ed25519PrivateKey.generate()) + b"and more",
        pem(generate_private_key(SECP256R1())),
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ],
    ids=["empty", "no key", "cut off", "something behind it", "another curve", "no key in its block"],
)
def test_a_damaged_file_is_refused_without_telling_its_content(key_file, content) -> None:
    key_file.parent.mkdir()
    key_file.write_bytes(content)
    key_file.chmod(0o600)
    with pytest.raises(SigningKeyUnavailable, match="holds no signing key") as caught:
        load_keys()
    assert caught.value.__cause__ is None


def test_a_folder_that_cannot_be_written_is_an_error_of_its_own(tmp_path, settings) -> None:
    (tmp_path / "file").write_text("")
    settings.VAULT = {**settings.VAULT, "AUDIT_KEY_FILE": tmp_path / "file" / "keys.pem"}
    with pytest.raises(SigningKeyUnavailable):
        create_keys()
