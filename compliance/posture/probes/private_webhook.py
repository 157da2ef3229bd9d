"""Webhook to a private address: addresses inside, and the clouds' own, are refused before anything is connected."""

from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from audit.webhooks.endpoints import create_endpoint
from audit.webhooks.errors import WebhookAddressRefused
from compliance.posture.outcome import Outcome, judged
from compliance.posture.sandbox import actor, sandbox
from vaultsite.kernel.outgoing import AddressRefused, reachable_addresses
from vaultsite.kernel.tenancy.principal import Principal

#: None of these is somebody's server on the internet: private, link-local, metadata of clouds, odd spellings.
_HOSTS: Final = (
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - asked for, never bound
    "2886729729",
    "0xa000001",
    "[fd00::1]",
    "[fe80::1]",
    "[::ffff:10.0.0.1]",
    "[64:ff9b::a00:1]",
)


def probe(tenant_id: UUID) -> Outcome:
    officer, breaches = actor(tenant_id, "security_officer"), list[str]()
    for host in _HOSTS:
        url = f"https://{host}/probe"
        if not _refused_to_save(tenant_id, officer, url):
            breaches.append(f"a webhook to {host} was saved")
        if not _refused_to_call(str(urlsplit(url).hostname)):
            breaches.append(f"{host} would be called")
    return judged(breaches, addresses=len(_HOSTS))


def _refused_to_save(tenant_id: UUID, officer: Principal, url: str) -> bool:
    with sandbox(tenant_id, officer):
        try:
            create_endpoint(officer, name="probe", url=url, event_types=["data.created"])
        except WebhookAddressRefused:
            return True
    return False


def _refused_to_call(host: str) -> bool:
    try:
        reachable_addresses(host, 443)
    except AddressRefused:
        return True
    return False
