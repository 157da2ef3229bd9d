"""The kinds of identity providers, each loaded when it is used."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from django.utils.module_loading import import_string

from access.federation.errors import KindNotInstalled
from access.federation.ports import Federation
from access.models.identity_provider import ProviderKind

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        ProviderKind.OIDC: "access.federation.oidc.kind.OpenIDConnect",
        ProviderKind.SAML: "access.federation.saml.kind.Saml",
        ProviderKind.LDAP: "access.federation.ldap.kind.Ldap",
    }
)


@cache
def federation(kind: str) -> Federation:
    """The kind of that name. Raises KindNotInstalled when a package it needs is not installed."""
    try:
        made: Federation = import_string(KINDS[kind])()
    except ImportError as missing:
        raise KindNotInstalled(f"Install the extra {kind} of llm-data-vault") from missing
    return made
