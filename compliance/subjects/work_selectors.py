"""What of searches and erasures of people waits for somebody, as far as they may do it."""

from access.services.authorize import may
from access.work_selectors import COUNTED, Waiting
from compliance.models import MatchState, RecipientTask, SubjectErasure, SubjectMatch
from compliance.subjects.returns import visible_returns
from datasets.models import ReturnState
from vaultsite.kernel.jobs import FINAL, JobStatus
from vaultsite.kernel.tenancy.principal import Principal


def matches_to_review(principal: Principal) -> Waiting:
    """Matches of searches that ended and whose identifiers are still known: later ones decide nothing."""
    if not may(principal, "subject.review"):
        return Waiting(0)
    rows = SubjectMatch.objects.filter(state=MatchState.PENDING, search__status=JobStatus.SUCCEEDED)
    return Waiting(rows.filter(search__identifiers__isnull=False)[:COUNTED].count())


def recipients_to_tell(principal: Principal) -> Waiting:
    """Recipients of data of erased people that nobody has told."""
    if not may(principal, "subject.erase"):
        return Waiting(0)
    ended = SubjectErasure.objects.filter(status__in=FINAL)
    return Waiting(RecipientTask.objects.filter(told_at=None, erasure__in=ended)[:COUNTED].count())


def returns_to_settle(principal: Principal) -> Waiting:
    """Records of erased people that came back, and of which nobody has said what becomes of them."""
    if not may(principal, "subject.review"):
        return Waiting(0)
    rows = visible_returns(principal).filter(state=ReturnState.OPEN)
    return Waiting(rows[:COUNTED].count())
