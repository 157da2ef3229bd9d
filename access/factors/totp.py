"""One-time codes by time (RFC 6238): 6 digits, 30 seconds, SHA-1, what every authenticator app speaks."""

import base64
import io
import re
import secrets
import time
from typing import Final
from urllib.parse import quote, urlencode

import qrcode
from django_otp.oath import TOTP
from qrcode.image.svg import SvgPathImage

SEED_BYTES: Final = 20
STEP_SECONDS: Final = 30
#: Clocks may differ by so many steps, either way.
TOLERANCE: Final = 1
_CODE: Final = re.compile(r"[0-9]{6}")


def new_seed() -> bytes:
    return secrets.token_bytes(SEED_BYTES)


def matching_step(seed: bytes, code: str, *, after: int) -> int | None:
    """The time step whose code this is, None when it is none that still counts.

    Steps up to ``after`` are used up: whoever looks over a shoulder has nothing (RFC 6238, section 5.2).
    """
    digits = "".join(code.split())
    if not _CODE.fullmatch(digits):
        return None
    totp = TOTP(seed, step=STEP_SECONDS)
    totp.time = time.time()
    if not totp.verify(int(digits), tolerance=TOLERANCE, min_t=after + 1):
        return None
    return int(totp.t())


def enrolment_uri(seed: bytes, *, issuer: str, account: str) -> str:
    """What an authenticator app reads (the Key URI Format of Google Authenticator)."""
    label = quote(f"{issuer}:{account}", safe="")
    facts = {"secret": spelled(seed), "issuer": issuer, "algorithm": "SHA1", "digits": 6, "period": STEP_SECONDS}
    return f"otpauth://totp/{label}?{urlencode(facts, quote_via=quote)}"


def spelled(seed: bytes) -> str:
    """The seed to type by hand, in base 32 without padding."""
    return base64.b32encode(seed).decode().rstrip("=")


def qr_image(text: str) -> str:
    """``text`` as a QR code: the address of an SVG picture that carries itself (data:)."""
    picture = io.BytesIO()
    qrcode.make(text, image_factory=SvgPathImage, border=2).save(picture)
    return f"data:image/svg+xml;base64,{base64.b64encode(picture.getvalue()).decode()}"
