"""Signatures are those of Standard Webhooks, whose vectors and published library agree with ours."""

import base64
import json
import time

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from audit.models import SignatureKind
from audit.webhooks.signing import SignatureRefused, new_secret, public_key_of, signature_header, verify

ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIME = 1614265330
BODY = b'{"test": 2432232314}'
SHARED = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PRIVATE = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="
WRONG = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="


def signed(*keys: str, at: int = TIME, body: bytes = BODY) -> dict[str, str]:
    header = signature_header(keys, message_id=ID, timestamp=at, body=body)
    return {"webhook-id": ID, "webhook-timestamp": str(at), "webhook-signature": header}


def test_the_vectors_of_the_specification() -> None:
    assert signed(SHARED)["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signed(PRIVATE)["webhook-signature"] == (
        "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=="
    )


@pytest.mark.parametrize("key", [SHARED, PRIVATE])
@pytest.mark.parametrize(
    ("spoilt", "off"),
    [
        ({"webhook-id": ""}, 0),
        ({"webhook-timestamp": ""}, 0),
        ({"webhook-timestamp": "hello"}, 0),
        ({"webhook-timestamp": str(TIME + 1)}, 0),
        ({"webhook-signature": ""}, 0),
        ({"webhook-signature": WRONG}, 0),
        ({"webhook-signature": "v1,"}, 0),
        ({"webhook-signature": "v1a,"}, 0),
        ({"webhook-signature": "v1a,not base64"}, 0),
        ({"webhook-id": "msg_another"}, 0),
        ({}, 301),
        ({}, -301),
    ],
)
def test_what_does_not_hold_is_refused(key: str, spoilt: dict[str, str], off: int) -> None:
    with pytest.raises(SignatureRefused):
        verify(public_key_of(key) or key, signed(key) | spoilt, BODY, now=TIME + off)


@pytest.mark.parametrize("key", [SHARED, PRIVATE])
def test_one_signature_of_several_is_enough(key: str) -> None:
    headers = signed(key)
    headers["webhook-signature"] = f"{WRONG} v2,{WRONG[3:]} {headers['webhook-signature']} {WRONG}"
    verify(public_key_of(key) or key, headers, BODY, now=TIME + 299)


def test_a_changed_body_is_refused() -> None:
    with pytest.raises(SignatureRefused):
        verify(SHARED, signed(SHARED), BODY + b" ", now=TIME)


def test_during_a_rotation_either_secret_verifies() -> None:
    old, new = new_secret(SignatureKind.HMAC), new_secret(SignatureKind.HMAC)
    headers = signed(new, old)
    verify(old, headers, BODY, now=TIME)
    verify(new, headers, BODY, now=TIME)
    with pytest.raises(SignatureRefused):
        verify(old, signed(new), BODY, now=TIME)


def test_secrets_have_the_spelling_and_size_of_the_specification() -> None:
    shared, private = new_secret(SignatureKind.HMAC), new_secret(SignatureKind.ED25519)
    assert (shared[:6], len(base64.b64decode(shared[6:]))) == ("whsec_", 32)
    assert (private[:5], len(base64.b64decode(private[5:]))) == ("whsk_", 32)
    assert public_key_of(shared) == ""
    assert public_key_of(private).startswith("whpk_")
    for size in (23, 65):
        with pytest.raises(ValueError, match="24 to 64"):
            signed("whsec_" + base64.b64encode(bytes(size)).decode())


def test_the_published_library_verifies_what_we_sign() -> None:
    secret = new_secret(SignatureKind.HMAC)
    body = json.dumps({"type": "data.created"}).encode()
    headers = signed(new_secret(SignatureKind.HMAC), secret, at=int(time.time()), body=body)
    assert Webhook(secret).verify(body, headers) == {"type": "data.created"}
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret(SignatureKind.HMAC)).verify(body, headers)
