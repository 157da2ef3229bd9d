"""Rules of pages: a cursor is opaque, bounded, and never an error of ours."""

import base64
from contextlib import suppress

import orjson
import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.request import Request

from vaultsite.kernel.api.pagination import DEFAULT_LIMIT, MAX_LIMIT, encode_cursor, page, read_page
from vaultsite.kernel.errors import InvalidCursor, InvalidInput


def read(members=2, **query):
    return read_page(Request(RequestFactory().get("/", query)), members=members)


def packed(value):
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode()


def test_a_page_has_a_hundred_rows_unless_asked_otherwise():
    assert read() == read(limit=str(DEFAULT_LIMIT))
    assert (read().limit, read().after) == (100, None)


@pytest.mark.parametrize("limit", ["1", "42", str(MAX_LIMIT), "0007"])
def test_a_limit_is_a_whole_number_up_to_a_thousand(limit):
    assert read(limit=limit).limit == int(limit)


@pytest.mark.parametrize(
    "limit", ["0", "1001", "-1", "1.5", "", " 5", "5 ", "1e2", "0x10", "ten", "\u0665", "9" * 5000, "1\n"]
)
def test_any_other_limit_is_refused(limit):
    with pytest.raises(InvalidInput) as refused:
        read(limit=limit)
    assert refused.value.errors[0].field == "limit"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1, max_size=4))
def test_a_cursor_leads_back_to_its_row(members):
    cursor = encode_cursor(members)
    assert read(members=len(members), cursor=cursor).after == tuple(members)
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "!!!!",
        "\u2603",
        "e30",
        packed(["one"]),
        packed(["a", "b", "c"]),
        packed(["a", 1]),
        packed([None, "b"]),
        packed(["a", "b\0"]),
        packed("ab"),
        packed({"a": "b", "c": "d"}),
        base64.b64encode(b"\xff\xfe").decode(),
        base64.b64encode(b"[" * 5000).decode(),
    ],
)
def test_a_cursor_of_another_make_is_refused(cursor):
    with pytest.raises(InvalidCursor):
        read(cursor=cursor)


@given(st.text(max_size=60))
def test_no_cursor_whatever_is_a_fault_of_ours(text):
    with suppress(InvalidCursor):
        after = read(cursor=text).after
        assert after is None or len(after) == 2


def test_an_empty_cursor_is_the_start():
    assert read(cursor="").after is None


def test_every_list_has_one_shape():
    assert page(iter([1, 2]), limit=2, next_cursor="c") == {
        "data": [1, 2],
        "pagination": {"next_cursor": "c", "limit": 2},
    }
