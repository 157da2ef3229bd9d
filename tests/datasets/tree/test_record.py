import hmac

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.tree.digests import keyed_digest, leaf_digest
from datasets.tree.record import TreeRecord, canonical_record, data_bytes
from vaultsite.kernel.crypto.keys import SecretKey

ids = st.from_regex(r"[A-Za-z0-9._~:@-]{1,20}", fullmatch=True)
texts = st.text(alphabet='ab",:{}é\\', max_size=6)
objects = st.dictionaries(texts, st.recursive(texts | st.integers(-5, 5), lambda inner: st.lists(inner, max_size=2)))


@settings(max_examples=60, deadline=None)
@given(ids, objects, objects)
def test_the_canonical_record_is_what_orjson_writes_sorted(record_id, data, metadata):
    canonical = canonical_record(record_id, data, metadata)
    whole = {"metadata": metadata, "id": record_id, "data": data}
    assert canonical == orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)
    assert data_bytes(canonical, record_id) == orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    record = TreeRecord(record_id, bytes(16), bytes(16), canonical)
    assert (record.data, record.metadata) == (data, metadata)
    assert record.leaf == leaf_digest(bytes(16), canonical)


@pytest.mark.parametrize(
    ("data", "metadata"),
    [
        ({"x": {"a": 1, "id": "k", "metadata": {}}}, {}),
        ({}, {"x": {"a": 1, "id": "k", "metadata": {}}}),
        ({"x": {"data": {}, "id": "k", "metadata": {}}}, {"y": {"data": {}, "id": "k", "metadata": {}}}),
        ({"x": ',"id":"k","metadata":{}'}, {"x": ',"id":"k","metadata":{}'}),
    ],
)
def test_objects_that_look_like_the_seam_do_not_shift_it(data, metadata):
    canonical = canonical_record("k", data, metadata)
    assert data_bytes(canonical, "k") == orjson.dumps(data, option=orjson.OPT_SORT_KEYS)


def test_another_records_bytes_are_refused():
    with pytest.raises(ValueError, match="canonical"):
        data_bytes(canonical_record("a", {}, {}), "b")


@given(st.binary(max_size=200), st.integers(1, 32))
def test_keyed_digests_are_hmac_sha_256(message, size):
    key = bytes(range(32))
    assert keyed_digest(SecretKey(key), size)(message) == hmac.digest(key, message, "sha256")[:size]
