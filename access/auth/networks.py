"""Networks that a credential may come from."""

from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

MOST: Final = 50


def parse_networks(texts: Sequence[str]) -> list[str] | None:
    """The networks in canonical form, sorted; None when one is none, has host bits set, or there are too many."""
    if len(texts) > MOST:
        return None
    try:
        return sorted({str(ip_network(text.strip())) for text in texts})
    except ValueError:
        return None


def is_allowed_address(networks: Sequence[str], address: str) -> bool:
    """Whether ``address`` is in one of ``networks`` (CIDR; none: anywhere). An address nobody knows is in none."""
    if not networks:
        return True
    try:
        given = ip_address(address)
    except ValueError:
        return False
    if isinstance(given, IPv6Address) and given.ipv4_mapped is not None:
        return any(given.ipv4_mapped in ip_network(network) for network in networks)
    return any(given in ip_network(network) for network in networks)


def reached_from(address: str) -> str:
    """What one connection can pick its address from: an IPv6 /64 counts as one address. Other text stays as it is."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
