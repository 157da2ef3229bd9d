import dataclasses
import uuid

import pytest

from tests.faults import FaultyKMS
from vaultsite.kernel.crypto.aead import Context
from vaultsite.kernel.crypto.envelope import generate_key, unwrap_key, unwrap_with_kms, wrap_key, wrap_with_kms
from vaultsite.kernel.crypto.kms.base import KMS
from vaultsite.kernel.crypto.kms.local import LocalKMS
from vaultsite.kernel.errors import IntegrityFailure, KeyUnavailable

KEY_ID = uuid.UUID(int=7)
CONTEXT = Context(uuid.UUID(int=1), uuid.UUID(int=2), "dek", KEY_ID.bytes)
ELSEWHERE = [
    dataclasses.replace(CONTEXT, tenant_id=uuid.UUID(int=9)),
    dataclasses.replace(CONTEXT, scope_id=uuid.UUID(int=9)),
    dataclasses.replace(CONTEXT, kind="kek"),
    dataclasses.replace(CONTEXT, object_id=b"9"),
]


@pytest.fixture
def kms(tmp_path):
    return LocalKMS(tmp_path / "kms")


class CarelessKMS(KMS):
    """A KMS that ignores the context and mixes up whose key it returns."""

    def __init__(self):
        self.kept = []

    def wrap(self, key, context):  # noqa: ARG002 - that it ignores it is the point
        self.kept.append(key)
        return len(self.kept).to_bytes(2, "big")

    def unwrap(self, wrapped, context):  # noqa: ARG002 - that it ignores them is the point
        return self.kept[-1]

    def describe(self):
        raise NotImplementedError


def test_generated_keys_differ():
    assert generate_key() != generate_key()


def test_a_wrapped_key_unwraps():
    kek, dek = generate_key(), generate_key()
    wrapped = wrap_key(kek, wrapping_key_id=KEY_ID, context=CONTEXT, key=dek)
    assert dek.reveal() not in wrapped
    assert unwrap_key(kek, wrapping_key_id=KEY_ID, context=CONTEXT, wrapped=wrapped) == dek


@pytest.mark.parametrize("context", ELSEWHERE, ids=["tenant", "scope", "kind", "object"])
def test_a_key_wrapped_for_another_place_is_refused(context):
    kek = generate_key()
    wrapped = wrap_key(kek, wrapping_key_id=KEY_ID, context=CONTEXT, key=generate_key())
    with pytest.raises(IntegrityFailure):
        unwrap_key(kek, wrapping_key_id=KEY_ID, context=context, wrapped=wrapped)


def test_a_key_wrapped_under_another_key_is_refused():
    kek = generate_key()
    wrapped = wrap_key(kek, wrapping_key_id=KEY_ID, context=CONTEXT, key=generate_key())
    with pytest.raises(IntegrityFailure):
        unwrap_key(generate_key(), wrapping_key_id=KEY_ID, context=CONTEXT, wrapped=wrapped)
    with pytest.raises(IntegrityFailure):
        unwrap_key(kek, wrapping_key_id=uuid.UUID(int=8), context=CONTEXT, wrapped=wrapped)


def test_a_key_wrapped_by_the_kms_unwraps(kms):
    kek = generate_key()
    wrapped = wrap_with_kms(kms, key_id=KEY_ID, context=CONTEXT, key=kek)
    assert kek.reveal() not in wrapped
    assert unwrap_with_kms(kms, key_id=KEY_ID, context=CONTEXT, wrapped=wrapped) == kek


def test_the_key_of_another_tenant_returned_by_the_kms_is_refused():
    kms, kek = CarelessKMS(), generate_key()
    wrapped = wrap_with_kms(kms, key_id=KEY_ID, context=CONTEXT, key=kek)
    assert unwrap_with_kms(kms, key_id=KEY_ID, context=CONTEXT, wrapped=wrapped) == kek
    wrap_with_kms(kms, key_id=uuid.UUID(int=8), context=ELSEWHERE[0], key=generate_key())
    with pytest.raises(IntegrityFailure, match="another key"):
        unwrap_with_kms(kms, key_id=KEY_ID, context=CONTEXT, wrapped=wrapped)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_the_wrong_length_returned_by_the_kms_is_refused(length):
    kms = CarelessKMS()
    wrapped = wrap_with_kms(kms, key_id=KEY_ID, context=CONTEXT, key=generate_key())
    kms.kept.append(b"s" * length)
    with pytest.raises(KeyUnavailable):
        unwrap_with_kms(kms, key_id=KEY_ID, context=CONTEXT, wrapped=wrapped)


@pytest.mark.parametrize("context", ELSEWHERE, ids=["tenant", "scope", "kind", "object"])
def test_the_place_is_bound_even_if_the_kms_ignores_it(context):
    kms = CarelessKMS()
    wrapped = wrap_with_kms(kms, key_id=KEY_ID, context=CONTEXT, key=generate_key())
    with pytest.raises(IntegrityFailure):
        unwrap_with_kms(kms, key_id=KEY_ID, context=context, wrapped=wrapped)


def test_a_wrapped_key_is_not_taken_for_another_key_id(kms):
    wrapped = wrap_with_kms(kms, key_id=KEY_ID, context=CONTEXT, key=generate_key())
    relabelled = uuid.UUID(int=8).bytes + wrapped[16:]
    for stored, asked in ((wrapped, uuid.UUID(int=8)), (relabelled, uuid.UUID(int=8)), (relabelled, KEY_ID)):
        with pytest.raises(IntegrityFailure):
            unwrap_with_kms(kms, key_id=asked, context=CONTEXT, wrapped=stored)


def test_a_change_of_any_byte_is_refused(kms):
    wrapped = wrap_with_kms(kms, key_id=KEY_ID, context=CONTEXT, key=generate_key())
    for position in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[position] ^= 0x80
        with pytest.raises((IntegrityFailure, KeyUnavailable)):
            unwrap_with_kms(kms, key_id=KEY_ID, context=CONTEXT, wrapped=bytes(changed))


@pytest.mark.parametrize("length", [0, 15, 16, 48])
def test_a_cut_off_wrapped_key_is_refused(kms, length):
    wrapped = wrap_with_kms(kms, key_id=KEY_ID, context=CONTEXT, key=generate_key())
    with pytest.raises(IntegrityFailure):
        unwrap_with_kms(kms, key_id=KEY_ID, context=CONTEXT, wrapped=wrapped[:length])


def test_a_kms_that_is_down_makes_the_key_unavailable_until_it_is_back(kms):
    faulty = FaultyKMS(kms, rate=0.5, seed=4)
    kek, outcomes = generate_key(), []
    wrapped = wrap_with_kms(kms, key_id=KEY_ID, context=CONTEXT, key=kek)
    for _ in range(40):
        try:
            outcomes.append(unwrap_with_kms(faulty, key_id=KEY_ID, context=CONTEXT, wrapped=wrapped) == kek)
        except KeyUnavailable as refused:
            outcomes.append((refused.status, refused.retry_after))
    assert set(outcomes) == {True, (503, 5)}
