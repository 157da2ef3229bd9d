"""The kinds of identity providers, each loaded when it is used."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from django.utils.module_loading import import_string

from access.federation.ports import Federation
from access.models.identity_provider import ProviderKind
from vaultsite.kernel.errors import ProviderMissing

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        ProviderKind.OIDC: "access.federation.oidc.kind.OpenIDConnect",
        ProviderKind.SAML: "access.federation.saml.kind.Saml",
        ProviderKind.LDAP: "access.federation.ldap.kind.Ldap",
    }
)


@cache
def federation(kind: str) -> Federation:
    """The kind of that name. Raises ProviderMissing when a package it needs is not installed."""
    try:
        made: Federation = import_string(KINDS[kind])()
    except ImportError as missing:
        raise ProviderMissing(
            f"Identity providers of kind {kind} need an extra: install llm-data-vault[{kind}]"
        ) from missing
    return made
