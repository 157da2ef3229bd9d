"""The first thing the child does, before anything but the standard library is imported: give up what it may not use."""

import resource
import sys


def confine(memory: int, cpu_seconds: int) -> None:
    """Bound address space and processor time of this process for good; no file can be written, no core is dumped."""
    _bound(resource.RLIMIT_AS, memory)
    _bound(resource.RLIMIT_CPU, cpu_seconds)
    _bound(resource.RLIMIT_FSIZE, 0)
    _bound(resource.RLIMIT_CORE, 0)
    sys.setrecursionlimit(400)


def _bound(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))
