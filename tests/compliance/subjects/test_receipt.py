"""A receipt is checked without the vault, and no changed byte of it passes."""

import shutil
import subprocess
import sys

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.log.note import verifier_of
from audit.proofs.bundle import public_keys
from compliance.models import SubjectErasure
from compliance.subjects import verify_receipt
from compliance.subjects.receipt import NOT_COVERED, digest_of, open_note, read_receipt
from tests.factories.access import acting
from tests.factories.subjects import ADA, erase_person, search_for


@pytest.fixture
def receipt(tenant, dataset, tmp_path):
    """The files that an outsider is given."""
    erasure = erase_person(tenant, search_for(tenant, ADA[:1]))
    with acting(tenant):
        stored = SubjectErasure.objects.get(pk=erasure.pk)
        note = open_note(stored)
        assert digest_of(note) == stored.receipt_sha256
        (tmp_path / "keys.txt").write_text(public_keys(tenant.pk))
    (tmp_path / "one.receipt").write_text(note)
    shutil.copy(verify_receipt.__file__, tmp_path / "verify_receipt.py")
    return tmp_path / "one.receipt"


def verify(path):
    command = [sys.executable, "-I", "verify_receipt.py", "--keys", "keys.txt", path.name]
    return subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=False)


def test_a_receipt_holds_without_the_vault(receipt):
    done = verify(receipt)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 tombstones in 1 datasets, 0 refused, 0 places left" in done.stdout


@pytest.mark.parametrize(
    ("old", "new"),
    [('"records":1', '"records":9'), ("art17-1-b", "art17-1-a"), ('"remaining":{}', '"remaining":{"x":1}')],
)
def test_a_changed_receipt_is_refused(receipt, old, new):
    text = receipt.read_text()
    assert old in text
    receipt.write_text(text.replace(old, new, 1))
    done = verify(receipt)
    assert (done.returncode, done.stdout) == (1, "")
    assert "a signature is wrong" in done.stderr


def test_a_receipt_of_another_key_is_refused(receipt):
    keys = (receipt.parent / "keys.txt").read_text().splitlines()
    name = keys[0].split("+")[0]
    other = make_verifier_key(name)
    (receipt.parent / "keys.txt").write_text(f"{other}\n")
    assert "no given key has signed the receipt" in verify(receipt).stderr


def make_verifier_key(name):
    return str(verifier_of(name, Ed25519PrivateKey.generate()))


def test_a_receipt_names_each_place_with_its_state_and_what_is_not_covered(tenant, dataset, receipt):
    told = orjson.loads(receipt.read_text().partition("\n")[0])
    assert told["not_covered"] == list(NOT_COVERED)
    assert told["backups"]["beyond_use_until"] > told["finished_at"][:10]
    assert [(part["dataset"], part["state"]) for part in told["datasets"]] == [(str(dataset.pk), "erased")]
    assert told["detectors"]
    assert told["method"].startswith("Records are cut out of every version")
    assert told["scope"]["identifier_types"] == [["EMAIL_ADDRESS", 1]]
    with acting(tenant):
        assert read_receipt(SubjectErasure.objects.get(pk=told["erasure"])) == told
