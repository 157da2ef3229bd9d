"""Whole flows of SAML against pysaml2's own identity provider."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from access.federation.attempts import LIFETIME
from access.federation.saml.kind import Saml
from access.models import ExternalIdentity, SamlKey, VaultSession
from tests.access.federation.flows import AUDITORS, Flow, new_browser, query_of
from tests.access.federation.saml_idp import IdentityPeer, KeyPair
from tests.conftest import new_tenant
from tests.factories.access import acting, make_user
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import EventType, Recorded

ENTRA_METHODS = "http://schemas.microsoft.com/claims/authnmethodsreferences"


def test_somebody_new_signs_in_and_holds_what_their_groups_give(flow: Flow, events: list[Recorded]) -> None:
    answer = flow.post(flow.respond(subject="new-1"))
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert flow.is_signed_in()
    with acting(flow.tenant):
        identity = ExternalIdentity.objects.get(provider=flow.provider, subject="new-1")
        assert identity.issuer == flow.peer.entity_id
        assert identity.user.email == "ada@example.org"
        assert set(identity.user.live_roles()) == {"viewer"}
    assert EventType.LOGIN_SUCCEEDED in [each.event.type for each in events]


def test_the_request_is_signed_and_asks_for_a_posted_answer_here(flow: Flow) -> None:
    request = flow.begin()  # the peer has checked the signature
    assert request.assertion_consumer_service_url == flow.address
    assert request.issuer.text == flow.entity_id
    assert request.protocol_binding.endswith(":HTTP-POST")
    assert request.force_authn is None


def test_the_attempt_is_kept_in_a_cookie_that_comes_with_a_foreign_form(flow: Flow) -> None:
    flow.begin()
    kept = [cookie for name, cookie in flow.browser.cookies.items() if name.startswith("vault_sign_in_")]
    assert len(kept) == 1
    facts = {name: kept[0][name] for name in ("samesite", "secure", "httponly", "path", "max-age")}
    assert facts == {
        "samesite": "None",
        "secure": True,
        "httponly": True,
        "path": "/auth/",
        "max-age": int(LIFETIME.total_seconds()),
    }


def test_two_tabs_do_not_take_each_others_answers(flow: Flow) -> None:
    first, second = flow.begin().id, flow.begin().id
    for request_id in (second, first):
        assert flow.post(flow.respond(request_id)).status_code == 302


@pytest.mark.parametrize(
    ("wanted", "landed"),
    [("/admin/tour/", "/admin/tour/"), ("https://evil.example/", "/admin/"), ("//evil.example/", "/admin/")],
)
def test_people_land_where_they_wanted_if_it_is_here(flow: Flow, wanted: str, landed: str) -> None:
    message = flow.respond(flow.begin(next=wanted).id)
    assert flow.post(message, RelayState="https://evil.example/")["Location"] == landed


@pytest.mark.parametrize("cipher", ["2009/xmlenc11#aes256-gcm", "2001/04/xmlenc#aes128-cbc"])
def test_an_encrypted_assertion_opens(flow: Flow, cipher: str) -> None:
    message = flow.respond(encrypt_to=flow.certificate_file(), cipher=f"http://www.w3.org/{cipher}")
    assert "u-1001" not in message
    assert flow.post(message).status_code == 302
    assert flow.is_signed_in()


@pytest.mark.parametrize(
    ("context", "attributes", "mfa"),
    [
        ("https://refeds.org/profile/mfa", {}, True),
        ("urn:oasis:names:tc:SAML:2.0:ac:classes:Password", {}, False),
        ("x", {ENTRA_METHODS: ["http://schemas.microsoft.com/claims/multipleauthn"]}, True),
    ],
)
def test_the_providers_words_for_a_second_factor_count(
    flow: Flow, events: list[Recorded], context: str, attributes: dict[str, Any], mfa: bool
) -> None:
    def change(response: Any) -> None:
        response.assertion[0].authn_statement[0].authn_context.authn_context_class_ref.text = context

    flow.post(flow.respond(change=change, attributes={"groups": [AUDITORS], **attributes}))
    told = [each.event.metadata["mfa"] for each in events if each.event.type == EventType.LOGIN_SUCCEEDED]
    assert told == [mfa]


@pytest.fixture(scope="module")
def opted_in(keys: KeyPair) -> Flow:
    return Flow(new_tenant("optin"), IdentityPeer(keys), idp_initiated=True)


@pytest.mark.usefixtures("plain_static")
class TestUnsolicited:
    """A provider from which sign-ins may begin."""

    @pytest.fixture
    def flow(self, opted_in: Flow) -> Flow:
        opted_in.browser = new_browser()
        return opted_in

    @pytest.mark.parametrize(
        ("relay", "landed"), [("/admin/tour/", "/admin/tour/"), ("https://evil.example", "/admin/")]
    )
    def test_it_lets_in_and_leads_only_here(self, flow: Flow, relay: str, landed: str) -> None:
        assert flow.post(flow.respond(None), RelayState=relay)["Location"] == landed
        assert flow.is_signed_in()

    def test_it_is_good_once(self, flow: Flow, events: list[Recorded]) -> None:
        message = flow.respond(None)
        assert flow.post(message).status_code == 302
        flow.browser = new_browser()
        answer = flow.post(message)
        assert (answer.status_code, "VAULT_AUTH_1334" in answer.content.decode()) == (403, True)
        assert [e.event.failure_reason for e in events if e.event.type == EventType.LOGIN_FAILED] == ["VAULT_AUTH_1334"]

    def test_what_answers_another_browser_is_not_unsolicited(self, flow: Flow) -> None:
        message = flow.respond(flow.begin().id)
        flow.browser = new_browser()
        assert flow.post(message).status_code == 403


class TestConfirming:
    """Who has no password here confirms at the provider; the session's cookie comes with the redirect alone."""

    def _confirm(self, flow: Flow, subject: str) -> Any:
        request = flow.begin(act="confirm", next="/admin/tour/")
        assert request.force_authn == "true"
        message = flow.respond(request.id, subject=subject)
        session = flow.browser.cookies.pop("vault_session")  # SameSite=Lax: not with a post of another site
        answer = flow.post(message)
        flow.browser.cookies["vault_session"] = session.value
        assert answer["Location"].startswith(f"{flow.path}/finish/?state=")
        return answer["Location"]

    def test_the_proof_is_renewed(self, flow: Flow, events: list[Recorded]) -> None:
        flow.post(flow.respond(subject="confirms"))
        before = flow.browser.cookies["vault_session"].value
        step = self._confirm(flow, "confirms")
        assert flow.browser.get(step, secure=True)["Location"] == "/admin/tour/"
        assert flow.browser.cookies["vault_session"].value != before
        assert EventType.FACTOR_SHOWN in [each.event.type for each in events]
        assert flow.browser.get(step, secure=True).status_code == 403, "it is good once"

    def test_somebody_else_confirms_nothing(self, flow: Flow) -> None:
        flow.post(flow.respond(subject="somebody"))
        step = self._confirm(flow, "somebody-else")
        assert flow.browser.get(step, secure=True).status_code == 403

    def test_a_step_that_nothing_was_handed_to_is_refused(self, flow: Flow) -> None:
        flow.post(flow.respond())
        state = flow.begin(act="confirm").id
        assert flow.get("finish/", state=state).status_code == 403


class TestSingleLogout:
    """Both directions, by both bindings."""

    def _session(self, flow: Flow, subject: str, index: str = "session-1") -> Client:
        def change(response: Any) -> None:
            response.assertion[0].authn_statement[0].session_index = index

        flow.browser = new_browser()
        assert flow.post(flow.respond(subject=subject, change=change)).status_code == 302
        assert flow.is_signed_in()
        return flow.browser

    @pytest.mark.parametrize("binding", ["redirect", "post"])
    def test_the_provider_ends_the_session_it_names(self, flow: Flow, binding: str, events: list[Recorded]) -> None:
        subject = f"leaves-{binding}"
        named, other = self._session(flow, subject, "one"), self._session(flow, subject, "two")
        request = flow.peer.sign_out_request(flow.sign_out_address, subject=subject, session_index="one")
        flow.browser = new_browser()
        answer = flow.send_sign_out(request, binding, relay_state="opaque")
        assert answer.status_code == 302, answer.content
        sent = flow.peer.read_sign_out_answer(answer["Location"], flow.certificate())  # checks the signature
        assert (sent.in_response_to, sent.destination) == (request.id, "https://idp.example.org/sign-out")
        assert query_of(answer["Location"])["RelayState"] == "opaque"
        assert [named.get("/admin/", secure=True).status_code, other.get("/admin/", secure=True).status_code] == [
            302,
            200,
        ]
        assert EventType.SESSION_ENDED in [each.event.type for each in events]
        assert flow.send_sign_out(request, binding).status_code == 403, "a request is good once"

    def test_without_an_index_all_sessions_of_the_subject_end(self, flow: Flow) -> None:
        first, second = self._session(flow, "all", "one"), self._session(flow, "all", "two")
        stays = self._session(flow, "another")
        request = flow.peer.sign_out_request(flow.sign_out_address, subject="all", session_index="")
        flow.browser = new_browser()
        assert flow.send_sign_out(request, "redirect").status_code == 302
        answers = [browser.get("/admin/", secure=True).status_code for browser in (first, second, stays)]
        assert answers == [302, 302, 200]

    @pytest.mark.parametrize("binding", ["redirect", "post"])
    @pytest.mark.parametrize(
        "attack", ["unsigned", "other key", "altered", "SHA-1", "old", "other issuer", "elsewhere"]
    )
    def test_what_does_not_hold_ends_nothing(
        self, flow: Flow, binding: str, attack: str, other_keys: KeyPair, events: list[Recorded]
    ) -> None:
        browser = flow.browser = new_browser()
        flow.post(flow.respond(subject="stays"))
        how = {"elsewhere": {"address": "https://sp.example.org/"}}.get(attack, {"address": flow.sign_out_address})
        request = flow.peer.sign_out_request(subject="stays", session_index="session-1", **how)
        if attack == "old":
            request.issue_instant = "2026-01-01T00:00:00Z"
        if attack == "other issuer":
            request.issuer.text = "https://other.example.org"
        events.clear()
        answer = flow.send_sign_out(request, binding, attack=attack, keys=other_keys)
        assert answer.status_code == 403
        assert [each.event.type for each in events] == [EventType.LOGIN_FAILED]
        assert browser.get("/admin/", secure=True).status_code == 200

    def test_who_signs_out_here_is_led_to_the_provider(self, flow: Flow) -> None:
        self._session(flow, "signs-out", "nine")
        page = flow.browser.post("/admin/logout/", secure=True)
        links = [unescape(link) for link in re.findall(r'href="(https://idp[^"]*)"', page.content.decode())]
        sent = flow.peer.read_sign_out_request(links[0])
        assert sent.destination == "https://idp.example.org/sign-out"
        assert (sent.name_id.text, sent.session_index[0].text) == ("signs-out", "nine")
        assert not flow.is_signed_in()
        back = flow.browser.get(flow.peer.answer_sign_out(sent, flow.sign_out_address), secure=True)
        assert (back.status_code, back["Location"]) == (302, "/admin/login/")


def test_keys_of_the_vault_are_sealed(flow: Flow) -> None:
    flow.service_metadata()
    rows = SamlKey.objects.using("owner").filter(provider_id=flow.provider.pk)
    assert rows
    assert not any(b"PRIVATE" in bytes(row.sealed) or bytes(row.sealed)[:1] == b"\x30" for row in rows)


class TestDryRun:
    def test_a_pasted_response_shows_who_would_arrive(self, flow: Flow) -> None:
        with acting(flow.tenant):
            arrival = Saml().read_sample(flow.provider, flow.respond(subject="pasted"))
        assert (arrival.issuer, arrival.subject, arrival.username) == (flow.peer.entity_id, "pasted", "pasted")
        assert (arrival.email, arrival.groups) == ("ada@example.org", (AUDITORS,))

    @pytest.mark.parametrize("sample", ["", "hello", "<r/>", "<!DOCTYPE r []><r/>", "\ud800"])
    def test_what_cannot_be_read_is_told(self, flow: Flow, sample: str) -> None:
        with acting(flow.tenant), pytest.raises(InvalidInput):
            Saml().read_sample(flow.provider, sample)


def test_a_provider_that_is_closed_lets_nobody_in(keys: KeyPair, plain_static: None) -> None:
    flow = Flow(new_tenant("closed"), IdentityPeer(keys))
    message = flow.respond()
    flow.switch(is_active=False)
    assert flow.get("begin/").status_code == 403
    assert flow.post(message).status_code == 403


def test_an_existing_user_is_not_taken_over_by_name(keys: KeyPair, plain_static: None) -> None:
    flow = Flow(new_tenant("names"), IdentityPeer(keys))
    make_user(flow.tenant, "tenant_admin", username="chief")
    assert flow.post(flow.respond(subject="chief")).status_code == 302
    with acting(flow.tenant):
        assert ExternalIdentity.objects.get(provider=flow.provider).user.username != "chief"
        assert VaultSession.objects.count() == 1
