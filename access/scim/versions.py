"""Conditions on the version of a resource: RFC 7644 section 3.14 and RFC 9110 section 13."""

import re
from dataclasses import dataclass
from typing import Final

from access.scim.errors import VersionMismatch

_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')


@dataclass(frozen=True)
class Precondition:
    """``If-Match`` of a request, empty for none. Tags compare weakly: they are all this server makes."""

    if_match: str = ""

    def require(self, version: str) -> None:
        """Raises VersionMismatch."""
        if self.if_match and not names(self.if_match, version):
            raise VersionMismatch


def names(header: str, version: str) -> bool:
    """Whether a list of entity tags, or ``*``, names ``version``."""
    return header.strip() == "*" or version.removeprefix("W/") in _TAG.findall(header)
