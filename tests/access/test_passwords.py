"""Rules of passwords: what a guessing program reaches first is refused, offline."""

from contextlib import suppress

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from access.auth.passwords import WORDS_FILE, GuessablePasswordValidator, is_text
from access.errors import LoginRefused
from access.models import Tenant
from access.services.sessions import check_login
from tests.factories.access import make_request, make_user
from vaultsite.kernel.errors import InvalidInput

GUESSABLE = [
    "Password2024!!",
    "P@ssw0rd12345",
    "p4$$w0rd-p4$$w0rd",
    "Summer-2026-Winter",
    "w3lc0me_2026!!",
    "LetMeIn!LetMeIn!",
    "Michael Jackson 1958",
    "CorrectHorseBatteryStaple",
    "qwertyuiop12",
    "1qaz2wsx3edc4rfv",
    "zyxwvutsrqponm",
    "123456789012",
    "83749182736451",
    "abcabcabcabcabc",
    "aaaaaaaaaaaaa",
    "!!!!!!!!!!!!!!",
]
GOOD = [
    "a long enough secret 7",
    "Ab3$kd92!qpzR",
    "t0PNxJr7p_iO8aLX",
    "three herons over Utrecht",
    "dragon tiger monkey lion",  # four words are a passphrase
    "пароль не из списка",
]


@pytest.mark.parametrize("password", GUESSABLE)
def test_what_would_be_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password)


@pytest.mark.parametrize("password", GOOD)
def test_what_would_not_is_taken(password: str) -> None:
    validate_password(password)


@pytest.mark.parametrize("password", ["short", "eleven char"])
def test_twelve_characters_are_the_least(password: str) -> None:
    with pytest.raises(ValidationError, match="at least 12"):
        validate_password(password)


def test_every_word_of_the_list_is_refused_in_decoration() -> None:
    words = [word for line in WORDS_FILE.read_text().splitlines() if not line.startswith("#") for word in line.split()]
    assert len(words) > 500
    judge = GuessablePasswordValidator()
    for word in words:
        with pytest.raises(ValidationError):
            judge.validate(f"{word.capitalize()}2026!!!!")


@given(st.text(min_size=12, max_size=1100))
def test_any_text_is_judged_without_failing(text: str) -> None:
    codes = set()
    with suppress(ValidationError):
        try:
            GuessablePasswordValidator().validate(text)
        except ValidationError as refused:
            codes.add(refused.code)
            raise
    assert codes <= {"password_guessable", "password_not_text"}
    assert codes or is_text(text)


def test_a_refused_password_is_told_beside_its_field_and_not_in_it(tenant: Tenant) -> None:
    with pytest.raises(InvalidInput) as refused:
        make_user(tenant, password="Summer-2026-Winter")
    (problem,) = refused.value.errors
    assert problem.field == "password"
    assert "Summer" not in str(refused.value.as_problem())


def test_what_was_never_a_password_is_refused_like_a_wrong_one(tenant: Tenant) -> None:
    user = make_user(tenant)
    for password in ("x" * 2000, "lone \ud800 surrogate"):
        with pytest.raises(LoginRefused):
            check_login(make_request(), tenant_slug=tenant.slug, username=user.username, password=password)
