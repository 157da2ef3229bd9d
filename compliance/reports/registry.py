"""Every kind of report, by its code."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from compliance.reports.kind import ReportKind
from compliance.reports.kinds import (
    access,
    consent,
    erasure,
    holdings,
    incidents,
    keys,
    processing,
    recovery,
    requests,
)

_PARTS: Final = (access, keys, holdings, requests, processing, erasure, consent, recovery, incidents)
KINDS: Final[Mapping[str, ReportKind]] = MappingProxyType({kind.code: kind for part in _PARTS for kind in part.KINDS})
