"""Passwords: hashed with Argon2id and a salt of their own, and refused where they can be guessed."""

from typing import Final
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from compliance.posture.outcome import Outcome, judged

_WEAK: Final = ("password", "Password2024!", "qwertyuiop12", "aaaaaaaaaaaa", "123456789012")
_LONG: Final = "seventeen violet herons walk past the harbour"


def probe(_tenant_id: UUID) -> Outcome:
    hashed = make_password(_LONG)
    breaches = [] if hashed.startswith("argon2$argon2id$") else ["passwords are not hashed with Argon2id"]
    if _LONG in hashed or hashed == make_password(_LONG):
        breaches.append("a hash gives its password away")
    if not check_password(_LONG, hashed) or check_password(f"{_LONG}.", hashed):
        breaches.append("a hash does not tell its password from another")
    breaches += ["a password that can be guessed was taken" for weak in _WEAK if not _refused(weak)][:1]
    return judged(breaches, weak_passwords=len(_WEAK))


def _refused(password: str) -> bool:
    try:
        validate_password(password)
    except ValidationError:
        return True
    return False
