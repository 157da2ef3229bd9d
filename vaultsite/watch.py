"""What the vault depends on is looked at: the audit is told when it stops answering, is there again or fills.

The audit itself is the memory: what it was told last is what is compared with. The worker looks at the stores and at
the relay, the relay at Redis and the other processes: the death of either is seen by the other.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

from django.db import DatabaseError, connections, transaction

from access.models import Tenant
from audit.services.relay import take_turn
from audit.services.states import last_facts
from vaultsite.health import check_kms, check_storage
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef, Severity
from vaultsite.kernel.life import does_redis_answer, is_alive
from vaultsite.kernel.regions import served_stores
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Percent of the disk of sealed objects at which it is told of, the highest first.
LEVELS: Final = (95, 80)
#: The database is not among them: without it nothing can be told.
CHECKS: Final[Mapping[str, Callable[[], bool]]] = {"kms": check_kms, "storage": check_storage}
#: The processes that the relay looks at; the names under which they give their signs of life.
PROCESSES: Final = ("worker", "beat", "webhooks")
#: Seconds between two looks of the relay.
PAUSE: Final = 60.0
_TURN: Final = "vaultsite.watch_processes"
_HEALTH: Final = (EventType.SERVICE_DEGRADED, EventType.SERVICE_RECOVERED)
_SERVICE: Final = "service"
_DISK: Final = ResourceRef("storage", "disk")
logger = logging.getLogger("vault.watch")


def watch() -> int:
    """Look at stores and relay, and tell every organization what changed; returns how many events that took."""
    answers = {name: _passes(check) for name, check in CHECKS.items()} | _signs(("relay",))
    filled = [BlobStore.at(alias).percent_full() for alias in served_stores()]
    return _tell_all(answers, max((one for one in filled if one is not None), default=None))


def watch_processes() -> int:
    """Look at Redis and the processes beside the relay, and tell as watch() does; 0 while another relay does."""
    with transaction.atomic(using="system"):
        if not take_turn(_TURN):
            return 0
        return _tell_all({"redis": does_redis_answer()} | _signs(PROCESSES), None)


class WatchRound:
    """watch_processes() now and then, as a loop of the relay; not before the others had time to start."""

    def __init__(self) -> None:
        self._watches_at = time.monotonic() + PAUSE

    def __call__(self) -> bool:
        if time.monotonic() >= self._watches_at:
            self._watches_at = time.monotonic() + PAUSE
            watch_processes()
        return False


def _signs(names: Sequence[str]) -> dict[str, bool]:
    """Whether each process lives; without those of whom nobody can know, because Redis is away."""
    lives = {name: is_alive(name) for name in names}
    return {name: life for name, life in lives.items() if life is not None}


def _tell_all(answers: Mapping[str, bool], percent: int | None) -> int:
    told = 0
    for tenant_id in Tenant.objects.using("system").filter(is_active=True).order_by("pk").values_list("pk", flat=True):
        try:
            told += tell_changes(tenant_id, answers, percent)
        except (DatabaseError, VaultError) as error:  # the next organization is told all the same
            logger.error("%s is not told: %s", tenant_id, type(error).__name__)  # noqa: TRY400
            connections["default"].close_if_unusable_or_obsolete()
    return told


def tell_changes(tenant_id: UUID, answers: Mapping[str, bool], percent: int | None) -> int:
    """Tell one organization; ``percent`` is how full the disk is, None where there is none. Returns how many events."""
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        changes = [_health(name, answers=ok) for name, ok in answers.items() if _is_up(name) != ok]
        if percent is not None and _level(percent) != _told_level():
            changes.append(_capacity(percent))
        for event in changes:
            emit(event)
    return len(changes)


def _passes(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except (DatabaseError, VaultError, OSError):
        return False


def _is_up(name: str) -> bool:
    """What was told last; whoever was told nothing takes it to be up."""
    return bool(last_facts(_HEALTH, ResourceRef(_SERVICE, name)).get("state", "up") == "up")


def _told_level() -> int:
    return int(last_facts((EventType.CAPACITY_WARNING,), _DISK).get("level", 0))


def _level(percent: int) -> int:
    return next((level for level in LEVELS if percent >= level), 0)


def _health(name: str, *, answers: bool) -> Event:
    kind, severity, state = _UP if answers else _DOWN
    return Event(kind, "update", ResourceRef(_SERVICE, name), severity=severity, metadata={"state": state})


def _capacity(percent: int) -> Event:
    level = _level(percent)
    severity: Severity = "critical" if level == LEVELS[0] else "warning" if level else "info"
    facts = {"level": level, "percent": percent}
    return Event(EventType.CAPACITY_WARNING, "update", _DISK, severity=severity, metadata=facts)


_UP: Final[tuple[EventType, Severity, str]] = (EventType.SERVICE_RECOVERED, "info", "up")
_DOWN: Final[tuple[EventType, Severity, str]] = (EventType.SERVICE_DEGRADED, "critical", "down")
