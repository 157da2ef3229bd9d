"""The hours of a tenant are judged once each, from the rollups, and what is unusual becomes an alert."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from audit.alerts.open import About, raise_alert
from audit.anomalies.habits import LOOKBACK, SLOW, Peers, peers_of
from audit.anomalies.judge import CRITICAL, FLOOR, THRESHOLD, Judgement, judge, known_of
from audit.log.status import unsealed_since
from audit.models import ActivityWatch, Alert, AlertState, AlertVerdict
from audit.rollups.selectors import ActorHour, actor_hours
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

KIND: Final = "activity.unusual"
#: Events of an hour are given so long to be sealed and counted.
GRACE: Final = timedelta(minutes=2)
#: Hours of one turn: after a halt it catches up bit by bit, and what is older than a day is not told of any more.
HOURS_A_TURN: Final = 6
_OLDEST: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
#: Principals of a kind whose habits stand for all of it.
_PEERS: Final = 100
#: An alert resolved as expected raises the bar for its principal by what it exceeded it, halved with every such span.
FADES: Final = timedelta(days=14)
_REMEMBERED: Final = timedelta(days=90)
_MOST_RAISED: Final = 8.0


def watch_tenant(tenant_id: UUID, *, now: datetime | None = None) -> int:
    """Judge the hours that are over and counted; returns how many alerts were raised or seen again.

    One worker at a time; another returns at once. No scope may be open.
    """
    now = now or timezone.now()
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        watch = _taken(now)
        if watch is None:
            return 0
        found = sum(_judge_hour(watch, hour) for hour in _due(watch.judged_until, now))
        watch.save(update_fields=["judged_until", "principals", "learning"])
        return found


def _taken(now: datetime) -> ActivityWatch | None:
    """The tenant's row, locked; None where another worker holds it."""
    if not ActivityWatch.objects.exists():
        ActivityWatch.objects.bulk_create([ActivityWatch(judged_until=_whole(now) - _HOUR)], ignore_conflicts=True)
    return ActivityWatch.objects.select_for_update(skip_locked=True).first()


def _due(judged_until: datetime, now: datetime) -> Iterator[datetime]:
    """The hours to judge: over, and with no event that waits to be sealed and so is not counted."""
    until = _whole(min(now - GRACE, unsealed_since() or now))
    hour = max(judged_until, _whole(now - _OLDEST))
    for _ in range(HOURS_A_TURN):
        if hour >= until:
            return
        yield hour
        hour += _HOUR


def _whole(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _judge_hour(watch: ActivityWatch, hour: datetime) -> int:
    active = [row for row in actor_hours(actor_id=None, since=hour, until=hour + _HOUR) if _is_watched(row)]
    watch.judged_until = hour + _HOUR
    if not active:
        return 0
    peers = _peers(active, hour)
    judged = {row.actor_id: _judged(row, peers[row.actor_kind]) for row in active}
    watch.principals, watch.learning = len(judged), sum(one.is_learning for one in judged.values())
    return sum(_tell(actor_id, judgement) for actor_id, judgement in judged.items())


def _is_watched(row: ActorHour) -> bool:
    """The vault itself and nobody are not."""
    return row.actor_kind != "system" and row.actor_id != UUID(int=0)


def _peers(active: Sequence[ActorHour], hour: datetime) -> dict[str, Peers]:
    by_kind: dict[str, list[UUID]] = defaultdict(list)
    for row in active:
        by_kind[row.actor_kind].append(row.actor_id)
    today = hour.replace(hour=0)
    return {
        kind: peers_of(actor_hours(actor_id=one, since=today - LOOKBACK, until=today) for one in actors[:_PEERS])
        for kind, actors in by_kind.items()
    }


def _judged(row: ActorHour, peers: Peers) -> Judgement:
    today = row.hour.replace(hour=0)
    rows = actor_hours(actor_id=row.actor_id, since=today - LOOKBACK, until=row.hour + _HOUR)
    before = [one for one in rows if one.hour < today] or [row]
    since = max(row.hour - SLOW, _settled_until(row.actor_id) or row.hour - SLOW)
    recent = [one for one in rows if one.hour > since or one.hour == row.hour]
    return judge(recent, known_of(before, today, peers))


def _settled_until(actor_id: UUID) -> datetime | None:
    """What somebody has looked at is not told of again."""
    settled = Alert.objects.filter(kind=KIND, principal_id=actor_id, state=AlertState.RESOLVED)
    return settled.order_by("-id").values_list("resolved_at", flat=True).first()


def _tell(actor_id: UUID, judgement: Judgement) -> bool:
    asked = judgement.asked + bar_of(actor_id, judgement.hour)
    if judgement.score < asked:
        return False
    shown = [one for one in judgement.evidence if one.surprise >= FLOOR]
    words = "; ".join(one.words for one in shown[:2])
    raise_alert(
        kind=KIND,
        cause=f"principal {actor_id}",
        severity="critical" if judgement.score >= asked + CRITICAL - THRESHOLD else "warning",
        facts=_facts(judgement, asked),
        summary=f"{words[:1].upper()}{words[1:]}" + (" (compared with peers)" if judgement.is_learning else ""),
        about=About(principal_id=actor_id, since=judgement.hour - judgement.span, until=judgement.hour + _HOUR),
    )
    return True


def _facts(judgement: Judgement, asked: float) -> dict[str, Any]:
    """Numbers for programs, and the words that explain them."""
    shown = [one for one in judgement.evidence if one.surprise >= FLOOR]
    facts: dict[str, Any] = {
        "evidence": [one.words for one in shown],
        "score": round(judgement.score, 1),
        "asked": round(asked, 1),
    }
    for one in shown:
        name = one.name.replace(" ", "_")
        facts |= {name: one.seen, f"{name}_usual": one.usual}
    if judgement.is_learning:
        facts["learning"] = "active on too few days to know its habits: compared with its peers"
    return facts


def bar_of(actor_id: UUID, now: datetime) -> float:
    """How much more is asked of a principal of whom alerts were said to be as expected."""
    expected = Alert.objects.filter(
        kind=KIND, principal_id=actor_id, verdict=AlertVerdict.EXPECTED, resolved_at__gte=now - _REMEMBERED
    )
    raised = 0.0
    for facts, resolved_at in expected.values_list("facts", "resolved_at"):
        age = max(0.0, (now - resolved_at) / FADES) if resolved_at else 0.0
        raised = max(raised, (facts["score"] - THRESHOLD + 1) * 0.5**age)
    return min(_MOST_RAISED, raised)
