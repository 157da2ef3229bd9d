"""What a SAML provider, or somebody in its name, may not do: every refusal is a page of 4xx and one event."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from saml2 import saml, samlp
from saml2.xmldsig import DIGEST_SHA1, SIG_RSA_SHA1

from access.federation.saml.decryption import decrypt_assertion
from access.federation.saml.documents import only_assertion, read_document
from access.federation.saml.errors import SamlMessageMalformed, SamlNotDecrypted, SamlSignatureRefused
from access.federation.saml.keys import service_keys
from access.models import User
from tests.access.federation.flows import Flow, new_browser
from tests.access.federation.forgeries import EVIL, WRAPPINGS
from tests.access.federation.saml_idp import IdentityPeer, KeyPair
from tests.conftest import new_tenant
from tests.factories.access import acting
from vaultsite.kernel.events.event import EventType, Recorded

MALFORMED, SIGNATURE, CONDITIONS = "VAULT_AUTH_1330", "VAULT_AUTH_1331", "VAULT_AUTH_1332"
UNSOLICITED, UNDECRYPTED = "VAULT_AUTH_1333", "VAULT_AUTH_1335"
PROVIDER_SAYS_NO, NOT_BEGUN = "VAULT_AUTH_1336", "VAULT_AUTH_1310"
TRIPLE_DES = "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"


def at(**later: int) -> str:
    return (datetime.now(UTC) + timedelta(**later)).strftime("%Y-%m-%dT%H:%M:%SZ")


def require_refused(flow: Flow, answer: Any, code: str, events: list[Recorded]) -> None:
    assert 400 <= answer.status_code < 500, answer.status_code
    assert code in answer.content.decode(), answer.content.decode()[-1500:]
    assert not flow.is_signed_in()
    failed = [each.event for each in events if each.event.type == EventType.LOGIN_FAILED]
    assert [event.failure_reason for event in failed] == [code]
    with acting(flow.tenant):
        assert not User.objects.filter(username=EVIL).exists()


@pytest.mark.parametrize("wrap", WRAPPINGS, ids=lambda wrap: wrap.__name__)
def test_wrapped_messages_are_refused(flow: Flow, events: list[Recorded], wrap: Callable[[str], str]) -> None:
    forged = wrap(flow.respond())
    assert EVIL in forged
    require_refused(flow, flow.post(forged), MALFORMED, events)


def test_a_comment_does_not_cut_a_name_short(flow: Flow, events: list[Recorded]) -> None:
    forged = flow.respond(subject="admin@example.org.evil.example").replace("org.evil", "org<!-- -->.evil")
    require_refused(flow, flow.post(forged), MALFORMED, events)


@pytest.mark.parametrize(
    "signing",
    [
        {"response_signed": False},
        {"assertion_signed": False},
        {"response_signed": False, "assertion_signed": False},
        {"method": SIG_RSA_SHA1},
        {"digest": DIGEST_SHA1},
    ],
    ids=["response unsigned", "assertion unsigned", "both unsigned", "RSA with SHA-1", "digest SHA-1"],
)
def test_both_are_signed_and_strongly(flow: Flow, events: list[Recorded], signing: dict[str, Any]) -> None:
    require_refused(flow, flow.post(flow.respond(**signing)), SIGNATURE, events)


def test_another_key_signs_nothing(flow: Flow, events: list[Recorded], other_keys: KeyPair) -> None:
    require_refused(flow, flow.post(flow.respond(keys=other_keys)), SIGNATURE, events)


def test_a_key_that_the_message_brings_is_not_looked_at(
    flow: Flow, events: list[Recorded], other_keys: KeyPair
) -> None:
    forged = flow.respond(keys=other_keys, embedded=other_keys.certificate)
    assert "X509Certificate" in forged
    require_refused(flow, flow.post(forged), SIGNATURE, events)


@pytest.mark.parametrize("what", ["u-1001", "auditors", "session-1"])
def test_what_was_signed_is_not_changed(flow: Flow, events: list[Recorded], what: str) -> None:
    require_refused(flow, flow.post(flow.respond().replace(what, EVIL)), SIGNATURE, events)


def test_a_signature_behind_another_is_not_taken_for_verified(flow: Flow, events: list[Recorded]) -> None:
    """xmlsec1 takes the first that it meets inside an element, here the assertion's."""
    message = flow.respond().replace(
        'Destination="', 'Consent="urn:oasis:names:tc:SAML:2.0:consent:obtained" Destination="'
    )
    start, end = message.index("<ns2:Signature>"), message.index("</ns2:Signature>") + len("</ns2:Signature>")
    forged = (message[:start] + message[end:]).replace("</ns0:Response>", f"{message[start:end]}</ns0:Response>")
    require_refused(flow, flow.post(forged), SIGNATURE, events)


def test_a_signature_by_hmac_with_the_public_key_is_refused(flow: Flow, events: list[Recorded]) -> None:
    hmac = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
    forged = flow.respond().replace("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", hmac)
    require_refused(flow, flow.post(forged), SIGNATURE, events)


def condition(response: Any) -> Any:
    return response.assertion[0].conditions


def confirmation(response: Any) -> Any:
    return response.assertion[0].subject.subject_confirmation[0].subject_confirmation_data


CHANGES: dict[str, tuple[str, Callable[[Any], object]]] = {
    "expired": (CONDITIONS, lambda r: setattr(condition(r), "not_on_or_after", at(minutes=-2))),
    "not yet": (CONDITIONS, lambda r: setattr(condition(r), "not_before", at(minutes=2))),
    "without an end": (CONDITIONS, lambda r: setattr(condition(r), "not_on_or_after", None)),
    "no conditions": (CONDITIONS, lambda r: setattr(r.assertion[0], "conditions", None)),
    "no audience": (CONDITIONS, lambda r: setattr(condition(r), "audience_restriction", [])),
    "confirmation expired": (CONDITIONS, lambda r: setattr(confirmation(r), "not_on_or_after", at(minutes=-2))),
    "confirmed for a day": (CONDITIONS, lambda r: setattr(confirmation(r), "not_on_or_after", at(days=1))),
    "issued long ago": (CONDITIONS, lambda r: setattr(r, "issue_instant", at(minutes=-7))),
    "issued tomorrow": (CONDITIONS, lambda r: setattr(r.assertion[0], "issue_instant", at(days=1))),
    "no destination": (CONDITIONS, lambda r: setattr(r, "destination", None)),
    "other destination": (CONDITIONS, lambda r: setattr(r, "destination", "https://sp.example.org/acs")),
    "no recipient": (CONDITIONS, lambda r: setattr(confirmation(r), "recipient", None)),
    "other recipient": (CONDITIONS, lambda r: setattr(confirmation(r), "recipient", "https://sp.example.org/acs")),
    "other issuer": (CONDITIONS, lambda r: setattr(r.issuer, "text", "https://other.example.org")),
    "no issuer": (CONDITIONS, lambda r: setattr(r, "issuer", None)),
    "assertion of another issuer": (CONDITIONS, lambda r: setattr(r.assertion[0].issuer, "text", "https://o.example")),
    "confirmed for another request": (UNSOLICITED, lambda r: setattr(confirmation(r), "in_response_to", "_another")),
    "confirmed for no request": (UNSOLICITED, lambda r: setattr(confirmation(r), "in_response_to", None)),
    "not for its bearer": (
        CONDITIONS,
        lambda r: setattr(r.assertion[0].subject.subject_confirmation[0], "method", saml.SCM_SENDER_VOUCHES),
    ),
    "transient name": (
        CONDITIONS,
        lambda r: setattr(r.assertion[0].subject.name_id, "format", saml.NAMEID_FORMAT_TRANSIENT),
    ),
    "no name": (CONDITIONS, lambda r: setattr(r.assertion[0].subject, "name_id", None)),
    "nobody signed in": (CONDITIONS, lambda r: setattr(r.assertion[0], "authn_statement", [])),
    "session over": (
        CONDITIONS,
        lambda r: setattr(r.assertion[0].authn_statement[0], "session_not_on_or_after", at(minutes=-2)),
    ),
    "no success": (
        PROVIDER_SAYS_NO,
        lambda r: setattr(r.status.status_code, "value", samlp.STATUS_AUTHN_FAILED),
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_does_not_hold_here_and_now_is_refused(flow: Flow, events: list[Recorded], what: str) -> None:
    code, change = CHANGES[what]
    require_refused(flow, flow.post(flow.respond(change=change)), code, events)


def test_another_audience_is_refused(flow: Flow, events: list[Recorded]) -> None:
    def change(response: Any) -> None:
        condition(response).audience_restriction[0].audience[0].text = "https://sp.example.org"

    require_refused(flow, flow.post(flow.respond(change=change)), CONDITIONS, events)


def test_a_response_is_good_once(flow: Flow, events: list[Recorded]) -> None:
    message = flow.respond()
    assert flow.post(message).status_code == 302
    cookies = flow.browser.cookies
    flow.browser = new_browser()
    flow.browser.cookies = cookies
    del flow.browser.cookies["vault_session"]
    require_refused(flow, flow.post(message), NOT_BEGUN, events)


def test_a_response_is_good_in_the_browser_that_asked(flow: Flow, events: list[Recorded]) -> None:
    message = flow.respond()
    flow.browser = new_browser()
    require_refused(flow, flow.post(message), NOT_BEGUN, events)


@pytest.mark.parametrize(("request_id", "code"), [(None, UNSOLICITED), ("_of-nobody", NOT_BEGUN), ("", NOT_BEGUN)])
def test_what_nobody_asked_for_is_refused(
    flow: Flow, events: list[Recorded], request_id: str | None, code: str
) -> None:
    message = flow.respond(request_id or None)
    if request_id == "":
        message = flow.respond().replace('InResponseTo="', 'InResponseTo="_', 1)
    require_refused(flow, flow.post(message), code, events)


def test_a_provider_of_another_tenant_is_another_provider(
    flow: Flow, events: list[Recorded], other_keys: KeyPair
) -> None:
    """Its own issuer, ours, and an answer that it gave to the other tenant: none opens this one."""
    rival = Flow(new_tenant("rival"), IdentityPeer(other_keys, entity_id="https://idp.rival.example"))
    flow_asked, rival_asked = flow.begin().id, rival.begin().id
    rival.peer.meet(flow.service_metadata())
    forged = rival.peer.respond(request_id=flow_asked, address=flow.address, audience=flow.entity_id)
    require_refused(flow, flow.post(forged), SIGNATURE, events)
    rival.peer.meet(rival.service_metadata())
    events.clear()
    require_refused(flow, flow.post(rival.respond(rival_asked)), NOT_BEGUN, events)
    assert {one.tenant_id for one in events if one.event.type == EventType.LOGIN_FAILED} == {flow.tenant.pk}


def test_an_answer_for_one_provider_does_not_open_another_that_trusts_the_same_peer(
    flow: Flow, events: list[Recorded], peer: IdentityPeer
) -> None:
    other = Flow(flow.tenant, peer, slug="second")
    peer.meet(flow.service_metadata())
    message = flow.respond()
    other.browser = flow.browser
    require_refused(other, other.post(message), NOT_BEGUN, events)


def encrypted(flow: Flow, **how: Any) -> str:
    return flow.respond(encrypt_to=flow.certificate_file(), **how)


def test_an_assertion_encrypted_to_somebody_else_is_refused(
    flow: Flow, events: list[Recorded], other_keys: KeyPair
) -> None:
    message = flow.respond(encrypt_to=other_keys.certificate_file)
    require_refused(flow, flow.post(message), UNDECRYPTED, events)


def altered(message: str) -> str:
    """The message with other bits at the end of its ciphertext."""
    before, _, after = message.rpartition("CipherValue>")[0].rpartition("</")
    del after
    at_end = len(before.rstrip("=\n")) - 3
    flipped = "A" if message[at_end] != "A" else "B"
    return message[:at_end] + flipped + message[at_end + 1 :]


def test_an_altered_ciphertext_is_not_even_tried(flow: Flow, events: list[Recorded]) -> None:
    require_refused(flow, flow.post(altered(encrypted(flow))), SIGNATURE, events)


@pytest.mark.parametrize("change", [altered, lambda message: message.replace("aes256-gcm", "aes256-cbc", 1)])
def test_an_altered_ciphertext_does_not_open(flow: Flow, change: Callable[[str], str]) -> None:
    document = read_document(change(encrypted(flow)).encode())
    with acting(flow.tenant):
        keys = service_keys(flow.provider.pk).opening
    with pytest.raises(SamlNotDecrypted):
        decrypt_assertion(document, only_assertion(document), keys)


def test_what_is_encrypted_must_be_signed_inside(flow: Flow, events: list[Recorded]) -> None:
    require_refused(flow, flow.post(encrypted(flow, assertion_signed=False)), SIGNATURE, events)


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(25))
    + "]><r>&z;</r>"
)
SHAPES: dict[str, bytes] = {
    "nothing": b"",
    "text": b"hello",
    "entity bomb": BOMB.encode(),
    "external entity": b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>',
    "external type": b'<!DOCTYPE r SYSTEM "https://evil.example/r.dtd"><r/>',
    "instruction": b'<?xml-stylesheet href="https://evil.example"?><r/>',
    "deep": b"<r>" * 5000 + b"</r>" * 5000,
    "manifold": b"<r>" + b"<s/>" * 50_000 + b"</r>",
    "other encoding": '<?xml version="1.0" encoding="utf-16"?><r/>'.encode("utf-16"),
    "mixed encoding": b'<?xml version="1.0" encoding="utf-7"?><r/>',
    "not UTF-8": b"<r>\xff\xfe</r>",
    "surrogate": b"<r>\xed\xa0\x80</r>",
    "NUL": b"<r>\x00</r>",
    "cut": b"<r><s>",
    "another message": b'<r xmlns="urn:oasis:names:tc:SAML:2.0:protocol"/>',
    "too large": b"<r>" + b"a" * 600_000 + b"</r>",
}


@pytest.mark.parametrize("what", SHAPES)
def test_what_is_no_message_is_refused(flow: Flow, events: list[Recorded], what: str) -> None:
    require_refused(flow, flow.post(SHAPES[what]), MALFORMED, events)


@pytest.mark.parametrize("value", ["", "%%%", "PHI+", "é", "A" * 3_000_000], ids=["", "%", "cut", "text", "huge"])
def test_what_is_no_base64_is_refused(flow: Flow, events: list[Recorded], value: str) -> None:
    require_refused(flow, flow.post_encoded(value), MALFORMED, events)


def test_a_form_without_a_response_is_refused(flow: Flow, events: list[Recorded]) -> None:
    answer = flow.browser.post(f"{flow.path}/consume/", {}, secure=True)
    require_refused(flow, answer, MALFORMED, events)


def test_an_id_that_occurs_twice_is_refused() -> None:
    with pytest.raises(SamlMessageMalformed):
        read_document(b'<r ID="a"><s Id="a"/></r>')


def test_a_signature_with_a_second_reference_is_refused(flow: Flow) -> None:
    message = flow.respond()
    reference = message[message.index("<ns2:Reference") : message.index("</ns2:Reference>") + len("</ns2:Reference>")]
    document = read_document(message.replace(reference, reference * 2, 1).encode())
    with pytest.raises(SamlSignatureRefused):
        only_assertion(document)


def test_a_provider_that_is_not_there_is_not_found(flow: Flow) -> None:
    value = base64.b64encode(b"<r/>").decode()
    for path in (f"/auth/saml/{flow.tenant.slug}/nobody", "/auth/saml/no-such-organization/corp"):
        assert flow.browser.post(f"{path}/consume/", {"SAMLResponse": value}, secure=True).status_code == 404
        assert flow.browser.get(f"{path}/metadata/", secure=True).status_code == 404
