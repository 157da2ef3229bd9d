"""Scopes of credentials: names of actions, and the five sets of them that integrators know."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from access.policy.builtin import RULES, Rule
from vaultsite.kernel.events.event import EventType

READ: Final = "vault:read"
WRITE: Final = "vault:write"
ADMIN: Final = "vault:admin"
EXPORT: Final = "vault:export"
SCIM: Final = "vault:scim"
#: Matches no action: what is left when two narrowings have nothing in common, where "no scopes" would mean everything.
NOTHING: Final = frozenset({"-"})

#: Data leaves with these in bulk.
_EXPORTING: Final = frozenset({"export.create", "export.read", "analytics.export"})
#: What a directory does; a credential for it opens nothing else, and one for administrators not this.
_PROVISIONING: Final = frozenset({"directory.read", "user.provision", "group.provision"})
#: What turns protection off for values, or is about people, roles, keys and the audit.
_PRIVILEGED: Final = frozenset({"token.reveal", "dataset.purge", "record.erase", "erasure.read"})
_ADMINISTERING: Final = frozenset({EventType.ADMIN_READ, EventType.ADMIN_WRITE, EventType.AUDIT_READ})
#: Asked by everybody who works with data, though no data themselves.
_ORDINARY: Final = frozenset({"purpose.read"})


def _set_of(action: str, rule: Rule) -> str:
    """The one set an action belongs to."""
    if action in _EXPORTING:
        return EXPORT
    if action in _PROVISIONING:
        return SCIM
    if action in _PRIVILEGED or (rule.event in _ADMINISTERING and action not in _ORDINARY):
        return ADMIN
    return READ if rule.operation == "read" else WRITE


#: Every action is in exactly one set; a new one finds its place by what its rule says.
SETS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        name: frozenset(action for action, rule in RULES.items() if _set_of(action, rule) == name)
        for name in (READ, WRITE, ADMIN, EXPORT, SCIM)
    }
)
KNOWN: Final = frozenset(RULES) | frozenset(SETS)


def parse_scopes(text: str) -> list[str]:
    """The scopes of an OAuth ``scope`` (RFC 6749 section 3.3), sorted; ``vault.read`` is ``vault:read``."""
    spelled = {name.replace(".", ":", 1) if name.startswith("vault.") else name for name in text.split()}
    return sorted(spelled)


def expand(scopes: Iterable[str]) -> frozenset[str]:
    """The actions that scopes name; empty only when ``scopes`` is, which means all.

    A name that no longer exists stays as it is, and so permits nothing.
    """
    return frozenset().union(*(SETS.get(scope, frozenset({scope})) for scope in scopes))


def narrow(held: frozenset[str], asked: frozenset[str]) -> frozenset[str]:
    """The actions that both let through, each empty for all. Never empty unless both are."""
    if not held or not asked:
        return held or asked
    return held & asked or NOTHING
