"""T30: who may say which address and which certificate a request has. Certificates are real ones."""

import base64
import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from django.test import Client

from access.auth.clients import ClientId
from access.models import ClientCertificate, ServiceAccount, Tenant
from access.services.service_accounts import (
    create_service_account,
    disable_service_account,
    enroll_certificate,
    withdraw_certificate,
)
from access.services.tenants import operator
from tests.factories.access import acting, make_api_key
from vaultsite.kernel.events.event import EventType, Recorded
from vaultsite.runtime.environment import PROJECT

Ask = Callable[..., Any]
SECRET = "the secret of our proxy"
NAME = "llm-registry.internal"


def certificate(
    *names: x509.GeneralName, days: tuple[float, float] = (-1, 1), common_name: str = NAME
) -> x509.Certificate:
    key, subject = generate_private_key(SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, SHA256())


def header_of(certificate: x509.Certificate) -> str:
    return f":{base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()}:"


def fingerprint(certificate: x509.Certificate) -> str:
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


@pytest.fixture
def proxied(settings: Any) -> None:
    settings.VAULT = settings.VAULT | {"PROXY_SECRET": SECRET}


@pytest.fixture
def account(tenant: Tenant) -> ServiceAccount:
    """Known by its DNS name."""
    with acting(tenant):
        made = create_service_account(operator(tenant.pk), name="registry", roles=["data_scientist"])
        enroll_certificate(operator(tenant.pk), account_id=made.pk, kind="dns", value=NAME)
    return made


@pytest.fixture
def by_proxy(ask: Ask, tenant: Tenant) -> Ask:
    """GET /me as our proxy hands it on."""

    def send(client_cert: str, **headers: str) -> Any:
        stated = {"X_Vault_Proxy_Secret": SECRET, "X_Vault_Tenant": tenant.slug, "Client_Cert": client_cert}
        return ask("GET", "/me", **(stated | headers))

    return send


def code_of(answer: Any) -> str:
    return f"{answer.status_code} {answer.json()['code']}"


@pytest.mark.usefixtures("proxied")
def test_a_certificate_speaks_for_its_account(tenant: Tenant, account: ServiceAccount, by_proxy: Ask) -> None:
    seen = by_proxy(header_of(certificate(x509.DNSName(NAME)))).json()
    assert (seen["id"], seen["credential"], seen["roles"]) == (str(account.pk), "certificate", ["data_scientist"])
    assert ClientCertificate.objects.using("owner").get(tenant=tenant).last_used_at is not None


@pytest.mark.usefixtures("proxied")
@pytest.mark.parametrize("kind", ["fingerprint", "uri"])
def test_a_certificate_is_known_by_itself_or_a_uri(tenant: Tenant, by_proxy: Ask, kind: str) -> None:
    uri = "spiffe://cluster.example/ns/ml/sa/trainer"
    shown = certificate(x509.UniformResourceIdentifier(uri))
    value = uri if kind == "uri" else fingerprint(shown)
    with acting(tenant):
        account = create_service_account(operator(tenant.pk), name="trainer", roles=["viewer"])
        enroll_certificate(operator(tenant.pk), account_id=account.pk, kind=kind, value=value)
    assert by_proxy(header_of(shown)).json()["id"] == str(account.pk)
    other = certificate(x509.UniformResourceIdentifier(uri + "2"))
    assert code_of(by_proxy(header_of(other))) == "401 VAULT_AUTH_1248"


@pytest.mark.usefixtures("proxied", "account")
@pytest.mark.parametrize(
    "shown",
    [
        lambda: header_of(certificate(x509.DNSName("other.internal"))),
        lambda: header_of(certificate()),  # a common name alone
        lambda: header_of(certificate(x509.DNSName("*.internal"))),
        lambda: header_of(certificate(x509.DNSName(f"{NAME}.attacker.example"))),
        lambda: header_of(certificate(x509.UniformResourceIdentifier(NAME + ":x"))),
        lambda: header_of(certificate(x509.DNSName(NAME), days=(-2, -1))),
        lambda: header_of(certificate(x509.DNSName(NAME), days=(1, 2))),
        lambda: header_of(certificate(x509.DNSName(NAME))) + "," + header_of(certificate(x509.DNSName(NAME))),
        lambda: header_of(certificate(x509.DNSName(NAME))).strip(":"),
        lambda: header_of(certificate(x509.DNSName(NAME)))[:-9] + ":",
        lambda: certificate(x509.DNSName(NAME)).public_bytes(Encoding.PEM).decode().replace("\n", " "),
        lambda: "::",
        lambda: ":not base64:",
        lambda: ":" + base64.b64encode(b"\x30\x03\x02\x01\x00").decode() + ":",
        lambda: ":" + "A" * 20_000 + ":",
    ],
)
def test_any_other_certificate_is_refused(by_proxy: Ask, shown: Callable[[], str]) -> None:
    assert code_of(by_proxy(shown())) == "401 VAULT_AUTH_1248"


@pytest.mark.usefixtures("proxied")
def test_a_certificate_counts_in_the_tenant_that_enrolled_it(
    tenant: Tenant, rival: Tenant, account: ServiceAccount, by_proxy: Ask
) -> None:
    shown = header_of(certificate(x509.DNSName(NAME)))
    for other in (rival.slug, "no-such-tenant", "", str(tenant.pk)):
        assert code_of(by_proxy(shown, X_Vault_Tenant=other)) == "401 VAULT_AUTH_1248"
    assert by_proxy(shown).json()["id"] == str(account.pk)


@pytest.mark.usefixtures("proxied")
@pytest.mark.parametrize("end", ["withdrawn", "disabled"])
def test_it_ends_with_the_next_request(tenant: Tenant, account: ServiceAccount, by_proxy: Ask, end: str) -> None:
    shown = header_of(certificate(x509.DNSName(NAME)))
    assert by_proxy(shown).status_code == 200
    enrolled = ClientCertificate.objects.using("owner").get(tenant=tenant)
    with acting(tenant):
        if end == "withdrawn":
            withdraw_certificate(operator(tenant.pk), account_id=account.pk, certificate_id=enrolled.pk)
        else:
            disable_service_account(operator(tenant.pk), account_id=account.pk)
    assert code_of(by_proxy(shown)) == "401 VAULT_AUTH_1248"


@pytest.mark.usefixtures("proxied")
def test_a_certificate_gives_tokens_as_an_oauth_client(
    tenant: Tenant, account: ServiceAccount, ask: Ask, by_proxy: Ask
) -> None:
    form = {"grant_type": "client_credentials", "client_id": str(ClientId(tenant.pk, account.pk))}
    shown = {"X_Vault_Proxy_Secret": SECRET, "Client_Cert": header_of(certificate(x509.DNSName(NAME)))}
    token = ask("POST", "/auth/token", form=form, **shown).json()["access_token"]
    assert ask("GET", "/me", Authorization=f"Bearer {token}").json()["id"] == str(account.pk)
    forged = ask("POST", "/auth/token", form=form, **(shown | {"X_Vault_Proxy_Secret": "a guess"}))
    assert code_of(forged) == "401 VAULT_AUTH_1245"


SPELLINGS = [
    "Client-Cert",
    "Client_Cert",
    "CLIENT-CERT",
    "X-Client-Certificate",
    "X_Client_Certificate",
    "X-Client-Cert",
]


@pytest.mark.parametrize("guess", ["", "a guess", SECRET + " ", SECRET[:-1]])
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.usefixtures("account", "proxied")
def test_nobody_but_the_proxy_presents_a_certificate(
    tenant: Tenant, ask: Ask, events: list[Recorded], spelling: str, guess: str
) -> None:
    headers = {spelling: header_of(certificate(x509.DNSName(NAME))), "X_Vault_Tenant": tenant.slug}
    answer = ask("GET", "/me", **headers, **({"X_Vault_Proxy_Secret": guess} if guess else {}))
    assert code_of(answer) == "401 VAULT_AUTH_1001"
    assert [stored.event.type for stored in events] == [EventType.CREDENTIAL_REFUSED]


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("guess", ["", SECRET])
def test_without_a_proxy_no_certificate_counts(tenant: Tenant, ask: Ask, guess: str) -> None:
    shown = header_of(certificate(x509.DNSName(NAME)))
    answer = ask("GET", "/me", X_Vault_Tenant=tenant.slug, Client_Cert=shown, X_Vault_Proxy_Secret=guess)
    assert code_of(answer) == "401 VAULT_AUTH_1001"


@pytest.mark.usefixtures("account", "proxied")
def test_a_credential_in_a_header_comes_before_the_certificate(tenant: Tenant, by_proxy: Ask) -> None:
    key, text = make_api_key(tenant)
    shown = header_of(certificate(x509.DNSName(NAME)))
    assert by_proxy(shown, X_API_Key=text).json()["id"] == str(key.pk)
    assert code_of(by_proxy(shown, X_API_Key="wrong")) == "401 VAULT_AUTH_1002"


ADDRESS_HEADERS = ["X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "X-Vault-Client-Address"]


@pytest.mark.parametrize("name", ADDRESS_HEADERS)
def test_nobody_but_the_proxy_says_where_a_request_came_from(
    address: str, ask: Ask, events: list[Recorded], name: str
) -> None:
    ask("GET", "/me", **{name: "203.0.113.9"})
    assert [stored.request.ip_address for stored in events] == [address]


@pytest.mark.usefixtures("proxied")
@pytest.mark.parametrize(("stated", "seen"), [("203.0.113.9", "203.0.113.9"), ("2001:db8::1", "2001:db8::1")])
def test_the_proxy_says_where_a_request_came_from(ask: Ask, events: list[Recorded], stated: str, seen: str) -> None:
    ask("GET", "/me", X_Vault_Proxy_Secret=SECRET, X_Vault_Client_Address=stated, X_Forwarded_For="198.51.100.1")
    assert [stored.request.ip_address for stored in events] == [seen]


@pytest.mark.usefixtures("proxied")
def test_what_is_no_address_is_not_taken_for_one(address: str, ask: Ask, events: list[Recorded]) -> None:
    ask("GET", "/me", X_Vault_Proxy_Secret=SECRET, X_Vault_Client_Address="203.0.113.9, 10.0.0.1")
    assert [stored.request.ip_address for stored in events] == [address]


def test_over_a_unix_socket_the_proxy_needs_no_secret(
    tenant: Tenant, account: ServiceAccount, settings: Any, address: str
) -> None:
    settings.VAULT = settings.VAULT | {"PROXY_SOCKET": True}
    headers = {
        "Client-Cert": header_of(certificate(x509.DNSName(NAME))),
        "X-Vault-Tenant": tenant.slug,
        "X-Vault-Client-Address": address,
    }
    by_socket = Client(REMOTE_ADDR="").get("/api/v1/me", headers=headers)
    assert by_socket.json()["id"] == str(account.pk)
    by_port = Client(REMOTE_ADDR=address).get("/api/v1/me", headers=headers)
    assert code_of(by_port) == "401 VAULT_AUTH_1001"


@contextmanager
def served(folder: Path, **environment: str) -> Iterator[int]:
    """The web process as it is run, on a port of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "tests.access.credentials.served:application"]
    command += [
        "--bind",
        f"127.0.0.1:{port}",
        "--worker-class",
        "gthread",
        "--threads",
        "2",
        "--worker-tmp-dir",
        os.fspath(folder),
    ]
    command += ["--no-control-socket"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=PROJECT, env=os.environ | environment, stdout=log, stderr=log)
        try:
            _wait(port, server)
            yield port
        finally:
            server.kill()  # nothing it does has to be finished
            server.wait()


def _wait(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and server.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=180)
        try:
            connection.request("GET", "/health/live")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
        finally:
            connection.close()
    raise AssertionError("the server does not start")


def raw(port: int, *lines: str) -> int:
    """The status of GET /me with these header lines, sent as they are."""
    connection = HTTPConnection("127.0.0.1", port, timeout=180)
    connection.putrequest("GET", "/api/v1/me")
    for line in lines:
        name, _, value = line.partition(":")
        connection.putheader(name, value.strip())
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def test_headers_on_the_wire(tenant: Tenant, account: ServiceAccount, tmp_path: Path) -> None:
    """Through the server itself, where dashes and underscores become one: our proxy's line alone counts."""
    shown = header_of(certificate(x509.DNSName(NAME)))
    ours, where = f"X-Vault-Proxy-Secret: {SECRET}", f"X-Vault-Tenant: {tenant.slug}"
    with served(tmp_path, VAULT_PROXY_SECRET=SECRET) as port:
        assert raw(port, ours, where, f"Client-Cert: {shown}") == 200
        # What a client adds beside the proxy's own line makes a list, or is dropped: never another certificate.
        assert raw(port, ours, where, f"Client-Cert: {shown}", "Client-Cert: :AAAA:") == 401
        assert raw(port, ours, where, f"Client_Cert: {shown}") in {400, 401}
        assert raw(port, where, f"Client-Cert: {shown}") == 401
        assert raw(port, where, f"Client-Cert: {shown}", f"X_Vault_Proxy_Secret: {SECRET}") in {400, 401}
        assert raw(port, where, f"X-Client-Certificate: {shown}", ours) == 401
    assert account.pk
