import gzip
import hmac
import json
import re
from hashlib import sha256, sha512
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from vaultsite.kernel.crypto import aead
from vaultsite.kernel.crypto.aead import Context, object_key, open_sealed, read_key_id
from vaultsite.kernel.crypto.envelope import unwrap_with_kms, wrap_with_kms
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.crypto.kms.local import LocalKMS

PROJECT = Path(__file__).parents[2]
FROZEN = json.loads((PROJECT / "tests/vectors/sealing.json").read_bytes())
REFERENCE = PROJECT / "docs/reference/sealing-format.md"
WYCHEPROOF = PROJECT.parent / "shared/data/vectors/wycheproof"

sealing_cases = pytest.mark.parametrize("case", FROZEN["sealing"], ids=lambda case: case["name"])
needs_wycheproof = pytest.mark.skipif(not WYCHEPROOF.is_dir(), reason=f"no Wycheproof vectors in {WYCHEPROOF}")


def _context(case):
    object_id = bytes.fromhex(case["object_id"])
    return Context(UUID(case["tenant_id"]), UUID(case["scope_id"]), case["kind"], object_id)


def _plaintext(case):
    if "plaintext" in case:
        return bytes.fromhex(case["plaintext"])
    size = case["plaintext_pattern_bytes"]
    blocks = (sha256(b"plaintext" + index.to_bytes(4, "big")).digest() for index in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def _key(case):
    return SecretKey(bytes.fromhex(case["key"]))


def _sealed(case):
    salt = bytes.fromhex(case["salt"])
    return aead._seal(_key(case), UUID(case["key_id"]), _context(case), _plaintext(case), salt)


@sealing_cases
def test_frozen_plaintexts_seal_to_the_frozen_bytes(case):
    sealed = _sealed(case)
    assert sha256(sealed).hexdigest() == case["sealed_sha256"]
    assert sealed.hex() == case.get("sealed", sealed.hex())


@pytest.mark.parametrize("case", [c for c in FROZEN["sealing"] if "sealed" in c], ids=lambda case: case["name"])
def test_frozen_bytes_open(case):
    sealed = bytes.fromhex(case["sealed"])
    assert read_key_id(sealed) == UUID(case["key_id"])
    assert open_sealed(_key(case), context=_context(case), sealed=sealed) == _plaintext(case)


def test_the_frozen_object_key():
    case = FROZEN["object_key"]
    assert (
        object_key(SecretKey(bytes.fromhex(case["dek"])), bytes.fromhex(case["secret"])).reveal().hex() == case["key"]
    )


def test_the_frozen_derived_key():
    case = FROZEN["derive"]
    assert _key(case).derive(bytes.fromhex(case["label"])).reveal().hex() == case["derived"]


def test_the_frozen_head_of_a_key_wrapped_by_a_kms(tmp_path):
    case, kms = FROZEN["kms"], LocalKMS(tmp_path)
    key_id, head = UUID(case["key_id"]), bytes.fromhex(case["head"])
    assert wrap_with_kms(kms, key_id=key_id, context=_context(case), key=_key(case)).startswith(head)
    wrapped = head + kms.wrap(_key(case).reveal(), bytes.fromhex(case["kms_context"]))
    assert unwrap_with_kms(kms, key_id=key_id, context=_context(case), wrapped=wrapped) == _key(case)


@sealing_cases
def test_the_reader_printed_in_the_reference_opens_what_we_seal(case):
    """It uses none of our code, so it fails when the text and the product part ways."""
    (source,) = re.findall(r"^```python\n(.*?)^```$", REFERENCE.read_text(), re.DOTALL | re.MULTILINE)
    reader: dict = {}
    exec(compile(source, REFERENCE.name, "exec"), reader)
    context = (
        UUID(case["tenant_id"]).bytes,
        UUID(case["scope_id"]).bytes,
        case["kind"],
        bytes.fromhex(case["object_id"]),
    )
    assert "vaultsite" not in source
    assert reader["open_sealed"](bytes.fromhex(case["key"]), *context, _sealed(case)) == _plaintext(case)


def test_the_worked_example_of_the_reference_is_the_frozen_vector():
    (case,) = (case for case in FROZEN["sealing"] if case["name"] == "short")
    printed = re.findall(r"^ +\d+  ([0-9a-f]+)  ", REFERENCE.read_text(), re.MULTILINE)
    assert "".join(printed) == case["sealed"]


def _tests(name, **group):
    document = json.loads(gzip.decompress((WYCHEPROOF / name).read_bytes()))
    chosen = [g for g in document["testGroups"] if group.items() <= g.items()]
    return [test for g in chosen for test in g["tests"]]


@needs_wycheproof
def test_wycheproof_aes_gcm():
    tests = _tests("aes_gcm_test.json.gz", keySize=256, ivSize=96, tagSize=128)
    for test in tests:
        key, iv, aad, msg, ct, tag = (bytes.fromhex(test[name]) for name in ("key", "iv", "aad", "msg", "ct", "tag"))
        if test["result"] == "valid":
            assert AESGCM(key).encrypt(iv, msg, aad) == ct + tag, test["tcId"]
            assert AESGCM(key).decrypt(iv, ct + tag, aad) == msg, test["tcId"]
        else:
            with pytest.raises(InvalidTag):
                AESGCM(key).decrypt(iv, ct + tag, aad)
    assert {test["result"] for test in tests} == {"valid", "invalid"}


@needs_wycheproof
@pytest.mark.parametrize(("name", "algorithm", "digest"), [("sha256", SHA256, sha256), ("sha512", SHA512, sha512)])
def test_wycheproof_hkdf(name, algorithm, digest):
    tests = _tests(f"hkdf_{name}_test.json.gz")
    for test in tests:
        ikm, salt, info = (bytes.fromhex(test[member]) for member in ("ikm", "salt", "info"))
        extracted = hmac.new(salt, ikm, digest).digest()
        if test["result"] == "valid":
            assert HKDFExpand(algorithm(), test["size"], info).derive(extracted).hex() == test["okm"], test["tcId"]
        else:
            with pytest.raises(ValueError, match="larger"):
                HKDFExpand(algorithm(), test["size"], info).derive(extracted)
    assert {test["result"] for test in tests} == {"valid", "invalid"}
