"""Metadata of a provider and keys of the vault: uploaded, fetched, renewed, rotated."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from access.federation.saml.errors import SamlKeyRotation, SamlMetadataRefused
from access.federation.saml.keys import begin_rotation, finish_rotation
from access.federation.saml.kind import Saml
from access.federation.saml.metadata import read_metadata
from access.models import SamlMetadata
from access.services.tenants import operator
from tests.access.federation.flows import Flow, new_browser
from tests.access.federation.saml_idp import IdentityPeer, KeyPair, make_key_pair
from tests.conftest import new_tenant
from tests.factories.access import acting, make_user, sign_in
from vaultsite.kernel.errors import InvalidInput

NOW = datetime.now(UTC)


class Site(ThreadingHTTPServer):
    """Serves one document; counts how often it was asked."""

    document = b""
    asked = 0


class _Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.asked += 1
        self.send_response(200 if self.server.document else 404)
        self.send_header("Content-Length", str(len(self.server.document)))
        self.end_headers()
        self.wfile.write(self.server.document)

    def log_message(self, *_: Any) -> None:
        """Silent."""


@pytest.fixture
def site(settings: Any) -> Iterator[Site]:
    settings.VAULT = {**settings.VAULT, "OUTGOING_NETWORKS": ("127.0.0.0/8",)}
    with Site(("127.0.0.1", 0), _Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def fetching(site: Site, keys: KeyPair, plain_static: None) -> Flow:
    """A provider whose metadata is fetched."""
    peer = IdentityPeer(keys)
    site.document = peer.metadata.encode()
    return Flow(new_tenant("fetch"), peer, metadata_url=f"http://127.0.0.1:{site.server_port}/metadata")


def make_old(flow: Flow, **ago: int) -> None:
    """As if the address had been asked some time ago."""
    rows = SamlMetadata.objects.using("owner").filter(provider_id=flow.provider.pk)
    assert rows.update(asked_at=timezone.now() - timedelta(**ago)) == 1


def test_metadata_is_fetched_once_and_again_when_it_is_old(fetching: Flow, site: Site) -> None:
    for _ in range(3):
        assert fetching.post(fetching.respond()).status_code == 302
    assert site.asked == 1
    make_old(fetching, hours=13)
    assert fetching.post(fetching.respond()).status_code == 302
    assert site.asked == 2


def test_what_cannot_be_fetched_again_stays_in_use(fetching: Flow, site: Site) -> None:
    fetching.begin()
    make_old(fetching, hours=13)
    site.document = b""
    assert fetching.post(fetching.respond()).status_code == 302


def test_a_provider_that_changes_its_key_mid_login_is_believed(fetching: Flow, site: Site, other_keys: KeyPair) -> None:
    asked = fetching.begin().id
    make_old(fetching, minutes=2)
    renewed = IdentityPeer(other_keys)
    renewed.meet(fetching.service_metadata())
    site.document, fetching.peer = renewed.metadata.encode(), renewed
    assert fetching.post(fetching.respond(asked)).status_code == 302
    assert site.asked == 2


def test_forgeries_do_not_become_calls(fetching: Flow, site: Site, other_keys: KeyPair) -> None:
    fetching.begin()
    make_old(fetching, minutes=2)
    for _ in range(3):
        fetching.browser = new_browser()
        assert fetching.post(fetching.respond(keys=other_keys)).status_code == 403
    assert site.asked == 2


def test_fetched_metadata_does_not_become_another_providers(fetching: Flow, site: Site, other_keys: KeyPair) -> None:
    fetching.begin()
    make_old(fetching, hours=13)
    site.document = IdentityPeer(other_keys, entity_id="https://evil.example").metadata.encode()
    assert fetching.begin().destination == "https://idp.example.org/sign-on"
    assert fetching.post(fetching.respond()).status_code == 302


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/m", "https://169.254.169.254/m", "file:///etc/passwd", "https://u:p@example.org/", "x"]
)
def test_addresses_that_the_vault_may_not_call_are_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        Saml().clean({"metadata_url": url})


def test_metadata_has_to_be_signed_where_a_certificate_is_pinned(keys: KeyPair, other_keys: KeyPair) -> None:
    peer = IdentityPeer(keys)
    signed = peer.signed_metadata()
    assert read_metadata(signed.encode(), now=NOW, signer=keys.certificate).entity_id == peer.entity_id
    for document, signer in (
        (peer.metadata, keys.certificate),
        (signed, other_keys.certificate),
        (signed.replace("sign-on", "sign-of"), keys.certificate),
    ):
        with pytest.raises(SamlMetadataRefused):
            read_metadata(document.encode(), now=NOW, signer=signer)


def test_metadata_that_cannot_be_used_is_refused(keys: KeyPair, tmp_path: Path) -> None:
    good = IdentityPeer(keys).metadata
    weak = IdentityPeer(make_key_pair(tmp_path, bits=1024)).metadata
    for document in (
        "",
        "<r/>",
        "<!DOCTYPE r []>" + good,
        weak,
        good.replace("IDPSSODescriptor", "SPSSODescriptor"),
        good.replace("https://idp.example.org/sign-on", "http://idp.example.org/sign-on"),
        good.replace("https://idp.example.org/sign-on", "javascript:alert(1)"),
        good.replace("bindings:HTTP-Redirect", "bindings:SOAP"),
        good.replace('entityID="', 'validUntil="2020-01-01T00:00:00Z" entityID="'),
        good.replace('entityID="', 'validUntil="soon" entityID="'),
        good.replace(keys.certificate[:20], "A" * 20),
        good.replace("X509Certificate", "X509Something"),
    ):
        assert document != good
        with pytest.raises(SamlMetadataRefused):
            read_metadata(document.encode(), now=NOW)


def test_keys_of_the_vault_rotate_without_a_gap(keys: KeyPair, plain_static: None) -> None:
    flow = Flow(new_tenant("rotate"), IdentityPeer(keys))
    first, somebody = flow.certificate(), operator(flow.tenant.pk)

    def signs_in(certificate_file: Path | None = None) -> bool:
        flow.browser = new_browser()
        return bool(flow.post(flow.respond(encrypt_to=certificate_file)).status_code == 302)

    with acting(flow.tenant), pytest.raises(SamlKeyRotation):
        finish_rotation(somebody, provider_id=flow.provider.pk)
    with acting(flow.tenant):
        begin_rotation(somebody, provider_id=flow.provider.pk)
    with acting(flow.tenant), pytest.raises(SamlKeyRotation):
        begin_rotation(somebody, provider_id=flow.provider.pk)
    old_file = flow.certificate_file().rename(keys.key_file.with_suffix(".old.pem"))
    assert signs_in(), "the peer knows the first certificate alone"
    flow.peer.meet(flow.service_metadata())
    assert len(flow.peer.server.metadata.certs(flow.entity_id, "spsso", "signing")) == 2
    with acting(flow.tenant):
        finish_rotation(somebody, provider_id=flow.provider.pk)
    assert signs_in(), "the peer knows both"
    assert signs_in(old_file), "what was encrypted to the one before still opens"
    flow.peer.meet(flow.service_metadata())
    assert flow.certificate() != first
    assert signs_in(flow.certificate_file())


@pytest.mark.usefixtures("plain_static")
class TestPage:
    """What administrators see."""

    @pytest.fixture
    def flow(self, keys: KeyPair) -> Flow:
        flow = Flow(new_tenant("page"), IdentityPeer(keys))
        flow.browser = self._signed_in(flow)
        return flow

    def _signed_in(self, flow: Flow, role: str = "tenant_admin") -> Client:
        browser = new_browser()
        browser.cookies["vault_session"] = sign_in(flow.tenant, make_user(flow.tenant, role))
        return browser

    def _page(self, flow: Flow, step: str = "") -> str:
        return f"/admin/access-control/identity-providers/{flow.provider.pk}/saml/{step}"

    def test_it_shows_and_changes_metadata_and_keys(self, flow: Flow, other_keys: KeyPair, tmp_path: Path) -> None:
        page = flow.browser.get(self._page(flow), secure=True).content.decode()
        assert "https://idp.example.org/saml" in page
        assert "Begin a rotation" in page
        file = tmp_path / "metadata.xml"
        file.write_text(IdentityPeer(other_keys, entity_id="https://new.example.org").metadata)
        with file.open("rb") as document:
            answer = flow.browser.post(self._page(flow), {"act": "upload", "document": document}, secure=True)
        assert answer.status_code == 302
        assert flow.browser.post(self._page(flow), {"act": "begin"}, secure=True).status_code == 302
        page = flow.browser.get(self._page(flow), secure=True).content.decode()
        assert "https://new.example.org" in page
        assert "Finish the rotation" in page

    def test_a_file_that_is_no_metadata_is_told(self, flow: Flow, tmp_path: Path) -> None:
        file = tmp_path / "metadata.xml"
        file.write_text("<r/>")
        with file.open("rb") as document:
            answer = flow.browser.post(self._page(flow), {"act": "upload", "document": document}, secure=True)
        assert (answer.status_code, "VAULT_AUTH_1337" in answer.content.decode()) == (422, True)
        assert flow.browser.post(self._page(flow), {"act": "upload"}, secure=True).status_code == 400

    def test_who_may_not_manage_providers_changes_nothing(self, flow: Flow) -> None:
        flow.browser = self._signed_in(flow, "viewer")
        for step, form in (("", {"act": "begin"}), ("fetch/", {})):
            assert flow.browser.post(self._page(flow, step), form, secure=True).status_code in {403, 404}
        assert flow.browser.get(self._page(flow), secure=True).status_code in {403, 404}

    def test_trying_shows_who_arrives_and_lets_nobody_in(self, flow: Flow) -> None:
        flow.switch(is_active=False)
        message = flow.respond(flow.begin(act="try").id, subject="tried")
        session = flow.browser.cookies.pop("vault_session")
        step = flow.post(message)["Location"]
        flow.browser.cookies["vault_session"] = session.value
        shown = flow.browser.get(step, secure=True)
        assert shown["Location"].endswith("#trial")
        assert "tried" in flow.browser.get(shown["Location"], secure=True).content.decode()


def test_the_test_of_a_connection_tells_what_it_found(fetching: Flow, site: Site) -> None:
    assert all(finding.is_good for finding in Saml().test(fetching.connection()))
    site.document = b"<r/>"
    assert [finding.is_good for finding in Saml().test(fetching.connection())] == [True, False]


def test_without_its_program_saml_says_what_is_missing(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    message = flow.respond()
    monkeypatch.setenv("PATH", "/nowhere")
    answer = flow.post(message)
    assert (answer.status_code, "VAULT_AUTH_1338" in answer.content.decode()) == (501, True)
    assert not Saml().test(flow.connection())[0].is_good
