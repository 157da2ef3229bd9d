"""Housekeeping of access."""

from uuid import UUID

from celery import shared_task
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from access.auth.sessions import SessionStore
from access.federation.recheck import recheck_providers
from access.models import LoginThrottle, SpentToken
from access.services.bulk_evaluations import run_evaluation
from access.services.replays import run_replay
from access.services.reviews import close_due_reviews
from access.services.throttle import WINDOW
from access.services.upkeep import purge_what_is_over


@shared_task(name="access.purge_expired")
def purge_expired() -> None:
    """Delete ended sessions, forgotten attempt counters, expired tokens and what else is over, of every tenant."""
    SessionStore.clear_expired()
    SpentToken.objects.using("system").filter(expires_at__lt=Now()).delete()
    unlocked = Q(locked_until__isnull=True) | Q(locked_until__lt=Now())
    LoginThrottle.objects.using("system").filter(unlocked, last_failed_at__lt=timezone.now() - 2 * WINDOW).delete()
    purge_what_is_over()


@shared_task(name="access.run_bulk_evaluation")
def continue_bulk_evaluation(tenant_id: str, bulk_id: str) -> None:
    """Continue to answer many questions from the checkpoint."""
    run_evaluation(UUID(tenant_id), UUID(bulk_id))


@shared_task(name="access.close_reviews")
def close_reviews() -> int:
    """Close the access reviews whose deadline is over; returns how many."""
    return close_due_reviews()


@shared_task(name="access.run_policy_replay")
def continue_replay(tenant_id: str, replay_id: str) -> None:
    """Continue the replay of a policy from its checkpoint."""
    run_replay(UUID(tenant_id), UUID(replay_id))


@shared_task(name="access.recheck_directories")
def recheck_directories() -> int:
    """End what people still act by who are gone or disabled in their directory; returns how many people."""
    return recheck_providers()
