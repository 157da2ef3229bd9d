"""A tenant with a SAML provider, and a browser between the two."""

import base64
from pathlib import Path
from textwrap import wrap
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client

from access.federation.linking import map_group
from access.federation.ports import Connection
from access.federation.providers import change_arrivals, connection_of, create_provider, switch_provider
from access.federation.saml.kind import Saml
from access.federation.saml.stored import upload_metadata
from access.models import IdentityProvider, Tenant
from access.services.tenants import operator
from tests.access.federation.saml_idp import IdentityPeer, KeyPair
from tests.factories.access import acting

AUDITORS = "auditors"
BASE = "https://localhost"


class Flow:
    """One provider of one tenant, met by ``peer``; ``browser`` is nobody yet."""

    def __init__(self, tenant: Tenant, peer: IdentityPeer, *, slug: str = "corp", **settings: Any) -> None:
        self.tenant, self.peer = tenant, peer
        self.browser = new_browser()
        self.provider = self._set_up(slug, settings)
        self.path = f"/auth/saml/{tenant.slug}/{slug}"
        self.entity_id, self.address = f"{BASE}{self.path}/metadata/", f"{BASE}{self.path}/consume/"
        self.sign_out_address = f"{BASE}{self.path}/sign-out/"
        peer.meet(self.service_metadata())

    def service_metadata(self) -> str:
        return self.get("metadata/").content.decode()

    def send_sign_out(
        self, request: Any, binding: str, *, relay_state: str = "", attack: str = "", keys: KeyPair | None = None
    ) -> Any:
        """Carry the peer's ``request`` here by "redirect" or "post", after an ``attack`` on its signature."""
        how: dict[str, Any] = {"keys": keys if attack == "other key" else None, "sha1": attack == "SHA-1"}
        if binding == "redirect":
            address = self.peer.redirect("SAMLRequest", request, self.sign_out_address, relay_state=relay_state, **how)
            if attack == "unsigned":
                address = address.partition("&SigAlg")[0]
            if attack == "altered":
                address = address.replace("&SigAlg", "&RelayState=other&SigAlg")
            return self.browser.get(address, secure=True)
        message = str(request) if attack == "unsigned" else self.peer.posted(request, **how)
        if attack == "altered":
            message = message.replace("session-1", "session-2")
        form = {"SAMLRequest": base64.b64encode(message.encode()).decode(), "RelayState": relay_state}
        return self.browser.post(f"{self.path}/sign-out/", form, secure=True)

    def connection(self) -> Connection:
        with acting(self.tenant):
            return connection_of(self.provider, secret=False)

    def switch(self, *, is_active: bool) -> None:
        with acting(self.tenant):
            switch_provider(operator(self.tenant.pk), provider_id=self.provider.pk, is_active=is_active)

    def certificate_file(self) -> Path:
        """The certificate to which the vault has assertions encrypted, as the peer has it from the metadata."""
        file = self.peer.keys.key_file.with_suffix(".sp.pem")
        lines = [
            "-----BEGIN CERTIFICATE-----",
            *wrap(self.certificate(), 64),
            "-----END CERTIFICATE-----",
            "",
        ]
        file.write_text("\n".join(lines))
        return file

    def certificate(self) -> str:
        """The vault's first certificate as the peer has it from the metadata, DER in base64."""
        return "".join(self.peer.server.metadata.certs(self.entity_id, "spsso", "encryption")[0][1].split())

    def get(self, step: str, **query: str) -> Any:
        return self.browser.get(f"{self.path}/{step}", query, secure=True)

    def begin(self, **query: str) -> Any:
        """The request that the browser carries to the provider, which has checked its signature."""
        answer = self.get("begin/", **query)
        assert answer.status_code == 302, answer.content
        return self.peer.read_request(answer["Location"])

    def respond(self, request_id: str | None = "", **how: Any) -> str:
        """What the provider answers to a new request, or to the one given, or to none."""
        attributes = how.pop("attributes", {"groups": [AUDITORS], "mail": ["ada@example.org"]})
        return self.peer.respond(
            request_id=self.begin().id if request_id == "" else request_id,
            address=how.pop("address", self.address),
            audience=how.pop("audience", self.entity_id),
            attributes=attributes,
            **how,
        )

    def post(self, message: str | bytes, **form: str) -> Any:
        raw = message.encode() if isinstance(message, str) else message
        return self.post_encoded(base64.b64encode(raw).decode(), **form)

    def post_encoded(self, value: str, **form: str) -> Any:
        return self.browser.post(f"{self.path}/consume/", {"SAMLResponse": value, **form}, secure=True)

    def is_signed_in(self) -> bool:
        return self.browser.get("/admin/", secure=True).status_code == 200

    def _set_up(self, slug: str, settings: dict[str, Any]) -> IdentityProvider:
        with acting(self.tenant):
            somebody = operator(self.tenant.pk)
            given = {"metadata_url": "", "metadata_signer": "", "idp_initiated": False} | settings
            provider = create_provider(somebody, kind="saml", slug=slug, name="Corporate", settings=given)
            if not given["metadata_url"]:
                upload_metadata(somebody, provider_id=provider.pk, document=self.peer.metadata.encode())
            map_group(somebody, provider_id=provider.pk, external_group=AUDITORS, role="viewer")
            words = [*Saml.mfa_values]
            change_arrivals(
                somebody, provider_id=provider.pk, creates_users=True, attributes=Saml.attributes, mfa_values=words
            )
            return switch_provider(somebody, provider_id=provider.pk, is_active=True)


def query_of(location: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def new_browser() -> Client:
    return Client(SERVER_NAME="localhost")
