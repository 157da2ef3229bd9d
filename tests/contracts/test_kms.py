"""What every provider of the KMS port keeps to."""

import pytest

from vaultsite.kernel.crypto.kms.base import KMS
from vaultsite.kernel.crypto.kms.local import LocalKMS
from vaultsite.kernel.errors import IntegrityFailure, KeyUnavailable

PROVIDERS = {"local": lambda tmp_path: LocalKMS(directory=tmp_path / "kms")}
KEY = bytes(range(32))
CONTEXT = b"tenant and purpose"


@pytest.fixture(params=PROVIDERS)
def connect(request, tmp_path):
    """Connects to the same key management system each time it is called, as a restarted process would."""
    return lambda: PROVIDERS[request.param](tmp_path)


@pytest.fixture
def kms(connect) -> KMS:
    return connect()


def test_what_is_wrapped_unwraps(kms):
    assert kms.unwrap(kms.wrap(KEY, CONTEXT), CONTEXT) == KEY


def test_a_wrapped_key_outlives_the_process_that_wrapped_it(connect):
    wrapped = connect().wrap(KEY, CONTEXT)
    assert connect().unwrap(wrapped, CONTEXT) == KEY


def test_a_wrapped_key_does_not_show_the_key(kms):
    assert KEY not in kms.wrap(KEY, CONTEXT)


def test_wrapping_twice_gives_different_bytes(kms):
    assert kms.wrap(KEY, CONTEXT) != kms.wrap(KEY, CONTEXT)


@pytest.mark.parametrize("other", [b"", b"tenant and purpos", b"tenant and purpose\0", b"another tenant"])
def test_another_context_is_refused(kms, other):
    wrapped = kms.wrap(KEY, CONTEXT)
    with pytest.raises(IntegrityFailure):
        kms.unwrap(wrapped, other)


def test_contexts_up_to_a_kibibyte_are_bound(kms):
    context = b"c" * 1024
    wrapped = kms.wrap(KEY, context)
    assert kms.unwrap(wrapped, context) == KEY
    with pytest.raises(IntegrityFailure):
        kms.unwrap(wrapped, context[:-1])


def test_a_change_of_any_byte_is_refused(kms):
    wrapped = kms.wrap(KEY, CONTEXT)
    for position in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[position] ^= 1
        with pytest.raises((IntegrityFailure, KeyUnavailable)):
            kms.unwrap(bytes(changed), CONTEXT)


@pytest.mark.parametrize("garbage", [b"", b"LDV1", b"x" * 200])
def test_bytes_that_no_kms_made_are_refused(kms, garbage):
    with pytest.raises(IntegrityFailure):
        kms.unwrap(garbage, CONTEXT)


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_only_keys_of_32_bytes_are_wrapped(kms, length):
    with pytest.raises(KeyUnavailable):
        kms.wrap(bytes(length), CONTEXT)


def test_it_says_which_key_wraps(kms):
    description = kms.describe()
    assert description.provider in PROVIDERS
    assert description.key_id
    assert description.key_version
    assert description == kms.describe()
