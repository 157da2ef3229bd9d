"""Record ids: which are allowed, which are personal data by their shape, and how records without one get theirs."""

import base64
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from datasets.errors import InvalidRecordId, PersonalRecordId
from datasets.formats.key_fields import KeyFields
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.identifiers import uuid7_from

_ALLOWED: Final = re.compile(r"[A-Za-z0-9._~:@-]{1,128}", re.ASCII)
_HASHED_BYTES: Final = 20
_LINE_BITS: Final = 48
_JOB_MASK: Final = (1 << 26) - 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# Shapes of personal data that the allowed characters can spell. Ids without a separator never reach them, so plain
# integers, hexadecimal digests and the like pass.
_EMAIL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")
#: North American numbers (NANP: neither area nor exchange begins with 0 or 1), and international or national ones
#: behind a 00 or 0 prefix, always with separators.
_PHONE_NANP: Final = re.compile(r"(?:1[-._])?[2-9]\d{2}[-._][2-9]\d{2}[-._]\d{4}", re.ASCII)
_PHONE_TRUNK: Final = re.compile(r"(?:00[1-9]\d{0,2}|0[1-9]\d{0,3})(?:[-._]\d{2,8}){1,5}", re.ASCII)
_TRUNK_DIGITS: Final = range(9, 16)
_CARD: Final = re.compile(r"(?:[3-6]\d{3}|2[2-7]\d{2})([-._])(?:\d{4}\1\d{4}\1\d{1,7}|\d{6}\1\d{4,5})", re.ASCII)
_IBAN: Final = re.compile(r"[A-Z]{2}\d{2}(?:[-._][A-Z0-9]{4}){2,7}(?:[-._][A-Z0-9]{1,3})?", re.ASCII)
_SSN: Final = re.compile(r"(?!000|666|9)\d{3}([-._])(?!00)\d{2}\1(?!0000)\d{4}", re.ASCII)
_SEPARATORS: Final = str.maketrans("", "", "-._")
#: Part of every shape below: most ids have none of it, and one search tells.
_SUSPECT: Final = re.compile(r"@|[0-9._-]{9}|[A-Z]{2}\d{2}[-._]", re.ASCII)
#: What joins a prefix to an id, as in "user:jane@example.com".
_JOINTS: Final = re.compile("[:~]")


@dataclass(frozen=True, slots=True)
class IdRule:
    """Where the id of a record comes from.

    ``field`` names the top-level member (None: records get generated ids); its value, a string or an integer, stays in
    ``data``. ``required`` refuses a record without it; otherwise one without it, or with null or a value of another
    type, gets a generated id. With ``hash_key`` (32 bytes, of the dataset) the id is a keyed hash of the value, which
    may then be anything, personal data included. With ``key`` the id is made of the values of several fields, and the
    field named here does not matter; a record without one of them is refused.
    """

    field: str | None = "id"
    required: bool = False
    hash_key: SecretKey | None = None
    key: KeyFields | None = None

    def id_of(self, data: dict[str, Any], line: int) -> str | None:
        """The id that ``data`` names. Raises InvalidRecordId, PersonalRecordId."""
        if self.key is not None:
            return self.key.id_of(data, line)
        if self.field is None:
            return None
        value = data.get(self.field)
        if type(value) is int:
            value = str(value)
        elif type(value) is not str:
            if self.required:
                raise InvalidRecordId("the record has no id", reason="id-missing", line=line)
            return None
        if self.hash_key is not None:
            return hashed_id(self.hash_key, value)
        return checked_id(value, line)


def checked_id(value: str, line: int) -> str:
    """``value`` itself when it may be an id: 1 to 128 of ``A-Za-z0-9._~:@-``, and no personal data by its shape.

    Raises InvalidRecordId (``id-characters``, ``id-length``) or PersonalRecordId (``id-email``, ``id-phone``,
    ``id-card``, ``id-iban``, ``id-ssn``). The error names the line and never the id.
    """
    if _ALLOWED.fullmatch(value) is None:
        if 0 < len(value) <= 128:  # noqa: PLR2004 - the bound stands in the pattern
            raise InvalidRecordId("an id holds A-Z a-z 0-9 . _ ~ : @ - only", reason="id-characters", line=line)
        raise InvalidRecordId("an id has 1 to 128 characters", reason="id-length", line=line)
    if not value.isalnum() and _SUSPECT.search(value):
        shape = personal_shape(value)
        if shape is not None:
            raise PersonalRecordId(_SHAPES[shape][1], reason=f"id-{shape}", line=line)
    return value


def is_allowed_id(value: str) -> bool:
    """Whether a record can have this id, by the characters alone."""
    return _ALLOWED.fullmatch(value) is not None


def personal_shape(value: str) -> str | None:
    """Which kind of personal data the id, or a part of it between ``:`` or ``~``, looks like; None for none."""
    parts = {value, *_JOINTS.split(value)}
    for shape, (is_shaped, _) in _SHAPES.items():
        if any(is_shaped(part) for part in parts):
            return shape
    return None


def hashed_id(key: SecretKey, value: str) -> str:
    """An id of 32 characters that stands for ``value`` in this dataset: base32 of HMAC-SHA-256, cut to 160 bits."""
    return base64.b32encode(hmac.digest(key.reveal(), value.encode(), "sha256")[:_HASHED_BYTES]).decode().lower()


def generated_ids(created_at: datetime, job_id: UUID) -> Callable[[int], str]:
    """For a job created at this moment, the function from line number to id: UUIDv7 of (moment, job, line).

    The same job gives the same ids however often it is resumed, and they sort in the order of lines. 26 bits of the
    job's own id keep two jobs of the same millisecond apart.
    """
    if created_at.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    milliseconds = (created_at - _EPOCH) // timedelta(milliseconds=1)
    stem = str(uuid7_from(milliseconds, (job_id.int & _JOB_MASK) << _LINE_BITS))[:-12]

    def generated_id(line: int) -> str:
        # A line number has far fewer than 48 bits, so it fills the last group alone.
        return f"{stem}{line:012x}"

    return generated_id


def _is_email(value: str) -> bool:
    return "@" in value and _EMAIL.fullmatch(value) is not None


def _is_phone(value: str) -> bool:
    if _PHONE_NANP.fullmatch(value):
        return True
    return _PHONE_TRUNK.fullmatch(value) is not None and len(value.translate(_SEPARATORS)) in _TRUNK_DIGITS


def _is_card(value: str) -> bool:
    return _CARD.fullmatch(value) is not None and _passes_luhn(value.translate(_SEPARATORS))


def _passes_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    odd = sum(map(int, digits[-1::-2]))
    even = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (odd + even) % 10 == 0


def _is_iban(value: str) -> bool:
    """ISO 13616: the four leading characters moved to the end, letters as 10 to 35, leave 1 modulo 97."""
    if _IBAN.fullmatch(value) is None:
        return False
    compact = value.translate(_SEPARATORS)
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1


def _is_ssn(value: str) -> bool:
    return _SSN.fullmatch(value) is not None


_SHAPES: Final[dict[str, tuple[Callable[[str], bool], str]]] = {
    "email": (_is_email, "the id is an e-mail address"),
    "ssn": (_is_ssn, "the id is a social security number"),
    "phone": (_is_phone, "the id is a phone number"),
    "card": (_is_card, "the id is a payment card number"),
    "iban": (_is_iban, "the id is a bank account number"),
}
