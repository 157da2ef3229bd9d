"""What access keeps for a while only: deleted in every tenant once its time is over, as vault_system.

The audit keeps that it was.
"""

from datetime import timedelta
from typing import Final

from django.db.models import Q
from django.db.models.functions import Now

from access.models import AccessRequest, BulkEvaluation, PolicyReplay, RequestState, TokenFamily

#: A family of refresh tokens that ended early says for so long, to its thief, that it was ended.
FAMILIES_KEPT: Final = timedelta(days=1)
#: Answers to many questions are of the policies of their day.
EVALUATIONS_KEPT: Final = timedelta(days=7)
REPLAYS_KEPT: Final = timedelta(days=90)
#: Longer than a year, so that the yearly review sees who asked and who decided.
REQUESTS_KEPT: Final = timedelta(days=400)


def purge_what_is_over() -> dict[str, int]:
    """How many of each kind were deleted, what belongs to them not counted."""
    now = Now()
    ended = Q(expires_at__lt=now) | Q(revoked_at__lt=now - FAMILIES_KEPT)
    settled = Q(closed_at__lt=now - REQUESTS_KEPT) | Q(state=RequestState.PENDING, decide_by__lt=now - REQUESTS_KEPT)
    over = {
        "families": TokenFamily.objects.using("system").filter(ended),
        "evaluations": BulkEvaluation.objects.using("system").filter(finished_at__lt=now - EVALUATIONS_KEPT),
        "replays": PolicyReplay.objects.using("system").filter(finished_at__lt=now - REPLAYS_KEPT),
        "requests": AccessRequest.objects.using("system").filter(settled),
    }
    counted = {}
    for kind, rows in over.items():
        _, deleted = rows.delete()
        counted[kind] = deleted.get(rows.model._meta.label, 0)  # noqa: SLF001 - the public name of a model's label
    return counted
