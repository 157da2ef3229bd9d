import dataclasses
import os
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.forks import ending_of, fork
from vaultsite.kernel.crypto.aead import (
    COMMITMENT_BYTES,
    SALT_BYTES,
    SEGMENT_BYTES,
    TAG_BYTES,
    Context,
    object_key,
    open_range,
    open_sealed,
    overhead,
    read_key_id,
    seal,
)
from vaultsite.kernel.crypto.envelope import generate_key
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.errors import IntegrityFailure, KeyUnavailable, UnsupportedSealing

HEADER_BYTES = 22
BODY = HEADER_BYTES + SALT_BYTES + COMMITMENT_BYTES
SEALED_SEGMENT = SEGMENT_BYTES + TAG_BYTES
KEY = SecretKey(bytes(range(32)))
KEY_ID = uuid.UUID(int=7)
CONTEXT = Context(uuid.UUID(int=1), uuid.UUID(int=2), "chunk", b"object")

around_edges = st.builds(
    lambda segments, shift: max(0, segments * SEGMENT_BYTES + shift), st.integers(0, 4), st.integers(-20, 20)
)
lengths = st.one_of(around_edges, st.integers(0, 5 * SEGMENT_BYTES))


def _seal(plaintext, context=CONTEXT):
    return seal(KEY, key_id=KEY_ID, context=context, plaintext=plaintext)


def _open(sealed, context=CONTEXT):
    return open_sealed(KEY, context=context, sealed=sealed)


@pytest.fixture(scope="module")
def three_segments():
    plaintext = os.urandom(2 * SEGMENT_BYTES + 100)
    return plaintext, _seal(plaintext)


@given(lengths)
@settings(deadline=None)
def test_what_is_sealed_opens_and_grows_by_the_stated_overhead(length):
    plaintext = os.urandom(length)
    sealed = _seal(plaintext)
    assert len(sealed) == length + overhead(length)
    assert _open(sealed) == plaintext


@pytest.mark.parametrize("buffer", [bytes, bytearray, memoryview])
def test_a_slice_of_a_larger_buffer_opens_without_copying(buffer):
    pack = b"before" + _seal(b"here") + b"after"
    assert _open(buffer(pack)[6:-5]) == b"here"


@given(st.data(), around_edges)
@settings(deadline=None)
def test_a_range_is_the_same_slice_of_the_plaintext(data, length):
    plaintext = os.urandom(length)
    start = data.draw(st.integers(0, length))
    stop = data.draw(st.integers(start, length))
    opened = open_range(KEY, context=CONTEXT, sealed=_seal(plaintext), start=start, stop=stop)
    assert opened == plaintext[start:stop]


@pytest.mark.parametrize(("start", "stop"), [(-1, 1), (2, 1), (0, 11), (11, 11)])
def test_a_range_outside_the_plaintext_is_refused(start, stop):
    with pytest.raises(ValueError, match="range"):
        open_range(KEY, context=CONTEXT, sealed=_seal(b"0123456789"), start=start, stop=stop)


def test_a_range_reads_only_its_own_segments_and_the_last(three_segments):
    plaintext, sealed = three_segments
    damaged = bytearray(sealed)
    damaged[BODY + SEALED_SEGMENT + 5] ^= 1
    assert open_range(KEY, context=CONTEXT, sealed=damaged, start=10, stop=SEGMENT_BYTES) == plaintext[10:SEGMENT_BYTES]
    with pytest.raises(IntegrityFailure):
        open_range(KEY, context=CONTEXT, sealed=damaged, start=10, stop=SEGMENT_BYTES + 1)


def test_a_range_of_a_cut_off_object_is_refused(three_segments):
    _, sealed = three_segments
    for cut in (sealed[:-1], sealed[: BODY + 2 * SEALED_SEGMENT], sealed[: BODY + SEALED_SEGMENT + 500]):
        with pytest.raises(IntegrityFailure):
            open_range(KEY, context=CONTEXT, sealed=cut, start=0, stop=10)


def test_a_change_of_any_bit_is_refused():
    sealed = _seal(b"personal data")
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((IntegrityFailure, UnsupportedSealing)):
            _open(changed)


def test_a_change_of_any_byte_in_several_segments_is_refused(three_segments):
    _, sealed = three_segments
    changed = bytearray(sealed)
    for position in [*range(BODY + 64), *range(BODY + 64, len(sealed), 7), *range(len(sealed) - 200, len(sealed))]:
        changed[position] ^= 0xFF
        with pytest.raises((IntegrityFailure, UnsupportedSealing)):
            _open(changed)
        changed[position] ^= 0xFF
    assert _open(changed)


def test_truncation_at_any_length_of_a_small_object_is_refused():
    sealed = _seal(b"personal data")
    for length in range(len(sealed)):
        with pytest.raises(IntegrityFailure):
            _open(sealed[:length])


@pytest.mark.parametrize("segments", [1, 2, 3])
@pytest.mark.parametrize("kept", [0, 1, 15, 16, 17, 100])
def test_truncation_around_every_segment_edge_is_refused(segments, kept):
    sealed = _seal(os.urandom(3 * SEGMENT_BYTES + 100))
    with pytest.raises(IntegrityFailure):
        _open(sealed[: BODY + (segments - 1) * SEALED_SEGMENT + kept])
    with pytest.raises(IntegrityFailure):
        _open(sealed[: BODY + segments * SEALED_SEGMENT - kept])


@pytest.mark.parametrize("length", [0, 100, SEGMENT_BYTES - 1, SEGMENT_BYTES, 2 * SEGMENT_BYTES])
@pytest.mark.parametrize("appended", [1, 16, 100, SEALED_SEGMENT])
def test_appended_bytes_are_refused(length, appended):
    with pytest.raises(IntegrityFailure):
        _open(_seal(bytes(length)) + os.urandom(appended))


def _segments(sealed):
    body = sealed[BODY:]
    return [body[start : start + SEALED_SEGMENT] for start in range(0, len(body), SEALED_SEGMENT)]


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 0, 2), (0, 2), (1, 2), (0, 1, 1, 2), (0, 1, 2, 2), (2,)])
def test_segments_in_another_order_number_or_multitude_are_refused(three_segments, order):
    _, sealed = three_segments
    segments = _segments(sealed)
    with pytest.raises(IntegrityFailure):
        _open(sealed[:BODY] + b"".join(segments[index] for index in order))


def test_segments_of_another_object_under_the_same_key_are_refused():
    first, second = _seal(b"a" * 30_000), _seal(b"b" * 30_000)
    with pytest.raises(IntegrityFailure):
        _open(first[: BODY + SEALED_SEGMENT] + second[BODY + SEALED_SEGMENT :])


@pytest.mark.parametrize(
    ("position", "value", "error"),
    [
        (0, ord("X"), UnsupportedSealing),
        (3, ord("0"), UnsupportedSealing),
        (4, 0, UnsupportedSealing),
        (4, 2, UnsupportedSealing),
        (5, 0, UnsupportedSealing),
        (5, 2, UnsupportedSealing),
        (6, 1, IntegrityFailure),
        (21, 0, IntegrityFailure),
    ],
)
def test_another_header_is_refused(position, value, error):
    changed = bytearray(_seal(b"data"))
    changed[position] = value
    with pytest.raises(error):
        _open(changed)


def test_the_key_id_is_read_without_the_key():
    assert read_key_id(_seal(b"data")) == KEY_ID


@pytest.mark.parametrize("length", [0, 4, 21])
def test_a_key_id_cut_off_is_refused(length):
    with pytest.raises(IntegrityFailure):
        read_key_id(_seal(b"data")[:length])


@pytest.mark.parametrize(
    "change",
    [
        {"tenant_id": uuid.UUID(int=3)},
        {"scope_id": uuid.UUID(int=3)},
        {"tenant_id": CONTEXT.scope_id, "scope_id": CONTEXT.tenant_id},
        {"kind": "node"},
        {"object_id": b"another"},
        {"object_id": b""},
        {"kind": "chunkobject", "object_id": b""},
        {"kind": "", "object_id": b"chunkobject"},
        {"kind": "chunkobjec", "object_id": b"t"},
    ],
    ids=lambda change: " ".join(f"{name}={value}" for name, value in change.items()),
)
def test_an_object_moved_to_another_place_is_refused(change):
    sealed = _seal(b"data")
    elsewhere = dataclasses.replace(CONTEXT, **change)
    with pytest.raises(IntegrityFailure):
        _open(sealed, elsewhere)
    with pytest.raises(IntegrityFailure):
        open_range(KEY, context=elsewhere, sealed=sealed, start=0, stop=1)


contexts = st.builds(Context, st.uuids(), st.uuids(), st.text(max_size=6), st.binary(max_size=6))


@given(contexts, contexts)
def test_two_contexts_have_the_same_bytes_only_if_they_are_equal(first, second):
    assert (first.encode() == second.encode()) == (first == second)


@given(st.integers(0, 255))
def test_another_key_is_refused(bit):
    material = bytearray(KEY.reveal())
    material[bit // 8] ^= 1 << bit % 8
    with pytest.raises(IntegrityFailure):
        open_sealed(SecretKey(material), context=CONTEXT, sealed=_seal(b"data"))


def test_one_object_never_opens_under_two_keys():
    """The commitment is checked before any segment, so a ciphertext made to suit two GCM keys gains nothing."""
    other = generate_key()
    theirs = seal(other, key_id=KEY_ID, context=CONTEXT, plaintext=b"data")
    ours = _seal(b"data")
    for spliced in (ours[:46] + theirs[46:], theirs[:46] + ours[46:], ours[:BODY] + theirs[BODY:]):
        for key in (KEY, other):
            with pytest.raises(IntegrityFailure):
                open_sealed(key, context=CONTEXT, sealed=spliced)


def test_an_object_key_needs_both_the_dataset_key_and_the_secret():
    dek, secret = generate_key(), os.urandom(32)
    assert object_key(dek, secret) == object_key(dek, secret)
    assert object_key(dek, secret) != object_key(generate_key(), secret)
    assert object_key(dek, secret) != object_key(dek, os.urandom(32))


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_an_object_secret_of_another_length_is_refused(length):
    with pytest.raises(KeyUnavailable):
        object_key(generate_key(), bytes(length))


def test_a_destroyed_key_neither_seals_nor_opens():
    key = generate_key()
    sealed = seal(key, key_id=KEY_ID, context=CONTEXT, plaintext=b"data")
    key.destroy()
    with pytest.raises(KeyUnavailable):
        seal(key, key_id=KEY_ID, context=CONTEXT, plaintext=b"data")
    with pytest.raises(KeyUnavailable):
        open_sealed(key, context=CONTEXT, sealed=sealed)


def _salts(count):
    return [_seal(b"")[HEADER_BYTES : HEADER_BYTES + SALT_BYTES] for _ in range(count)]


def test_salts_never_repeat_not_even_in_forked_processes():
    """Both processes seal 50,000 objects each after a common use of the generator. With 192 random bits a repeat
    among any number we could try has no practical chance, so one repeat here means shared generator state."""
    count = 50_000
    before = _salts(100)
    reader, writer = os.pipe()

    def seal_and_tell():
        os.close(reader)
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(b"".join(_salts(count)))

    child = fork(seal_and_tell)
    os.close(writer)
    ours = _salts(count)
    with os.fdopen(reader, "rb") as pipe:
        theirs = pipe.read()
    assert ending_of(child) == 0
    forked = [theirs[start : start + SALT_BYTES] for start in range(0, len(theirs), SALT_BYTES)]
    assert len(forked) == count
    assert len({*before, *ours, *forked}) == 2 * count + 100
