"""Every kind of report, by its code."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from compliance.reports.kind import ReportKind
from compliance.reports.kinds import access, erasure, holdings, keys

KINDS: Final[Mapping[str, ReportKind]] = MappingProxyType(
    {kind.code: kind for part in (access, keys, holdings, erasure) for kind in part.KINDS}
)
