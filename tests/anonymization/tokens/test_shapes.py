"""Formats that tokens keep."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymization.tokens.errors import DomainTooSmall, FormatMismatch
from anonymization.tokens.form import TokenForm, TokenKind
from anonymization.tokens.shapes import Encipherer, is_card_number, parse_shape
from vaultsite.kernel.crypto.keys import SecretKey

KEY = SecretKey(bytes(range(32)))


def encipherer(shape):
    return Encipherer(KEY, parse_shape(shape))


def with_check_digit(digits):
    return next(digits + last for last in "0123456789" if is_card_number(digits + last))


@given(st.text("0123456789", min_size=11, max_size=18), st.integers(0, 50))
def test_the_token_of_a_card_number_is_none(digits, attempt):
    number = with_check_digit(digits)
    token = encipherer("card").token(number, attempt)
    assert token is None or not is_card_number(token)
    assert token != number


@given(st.text("0123456789", min_size=6, max_size=40))
def test_no_token_of_digits_is_a_card_number(digits):
    for attempt in range(5):
        token = encipherer("digits").token(digits, attempt)
        if token is not None:
            assert len(token) == len(digits)
            assert not is_card_number(token)


@given(st.sampled_from(["AAA-9999", "aA9*aA9*", "A99999-9", "*99.999x9"]), st.data())
def test_templates_are_permutations(template, data):
    shape = parse_shape(template)
    letters = st.tuples(
        *(st.sampled_from(alphabet or literal) for alphabet, literal in zip(shape.places, shape.literals, strict=True))
    ).map("".join)
    first, second = data.draw(letters), data.draw(letters)
    maker = encipherer(template)
    tokens = [maker.token(value, 0) for value in (first, second)]
    for token in tokens:
        if token is not None:
            shape.split(token)
    if first != second and None not in tokens:
        assert tokens[0] != tokens[1]


@pytest.mark.parametrize(
    ("shape", "value", "error"),
    [
        ("digits", "12345", DomainTooSmall),
        ("digits", "1-2-3-4-5", DomainTooSmall),
        ("alnum", "a1B", DomainTooSmall),
        ("9999", "1234", DomainTooSmall),
        ("AA99", "QX12", DomainTooSmall),
        ("digits", "John 555 0132", FormatMismatch),
        ("digits", "٤١٥٥٥٥٠١٣٢", FormatMismatch),
        ("digits", "4155550132\n", FormatMismatch),
        ("alnum", "Zoë Müller 1234", FormatMismatch),
        ("card", "4111111111111112", FormatMismatch),
        ("card", "0", FormatMismatch),
        ("999-999", "1234567", FormatMismatch),
        ("999-999", "123 456", FormatMismatch),
        ("digits", "1" * 129, FormatMismatch),
        ("digits", "---", FormatMismatch),
    ],
)
def test_what_does_not_fit_is_refused(shape, value, error):
    with pytest.raises(error):
        encipherer(shape).check(value)


@pytest.mark.parametrize("template", ["", "---", "9" * 65, "99\\", "99\x0099"])
def test_templates_that_are_none(template):
    with pytest.raises(ValueError):
        parse_shape(template)


def test_keys_and_attempts_give_other_tokens():
    value = "4155550132"
    other = Encipherer(SecretKey(bytes(32)), parse_shape("digits"))
    tokens = {encipherer("digits").token(value, attempt) for attempt in range(4)} | {other.token(value, 0)}
    assert len(tokens) == 5


@pytest.mark.parametrize(
    "value", ["Bob", "12345", "yes", "M", "1-2-3", "", "é", string.punctuation, "\u0669\u0669", "99-99"]
)
def test_a_value_that_can_be_guessed_has_no_deterministic_token(value):
    with pytest.raises(DomainTooSmall):
        TokenForm(TokenKind.DETERMINISTIC).require_domain(value)
    TokenForm(TokenKind.RANDOM).require_domain(value)


@pytest.mark.parametrize("value", ["Ada Lovelace", "123456", "ada@example.org", "Łukasz", "李小龍先生"])
def test_others_may(value):
    TokenForm(TokenKind.DETERMINISTIC).require_domain(value)
