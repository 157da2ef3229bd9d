"""What the page of a request shows of the search for its subject, and of their erasure."""

from typing import Any, Final

from access.services.authorize import may
from access.services.policies_in_force import policies_in_force
from compliance.models import LegalBasis, SubjectErasure, SubjectRequest
from compliance.models.request import RequestType, SubjectRequestState
from compliance.pages.subjects import bars_of
from compliance.requests.erasures import erasure_of_request, standing_of
from compliance.requests.restrictions import TYPES
from compliance.requests.searches import search_of
from compliance.requests.searches import standing_of as search_standing_of
from compliance.requests.selectors import may_see_subject
from compliance.requests.unerased import search_to_erase
from compliance.subjects.review import erasure_of
from datasets.models import Dataset
from datasets.services.restrictions import restrictions_of
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.principal import Principal

_SEARCHED_FROM: Final = (
    SubjectRequestState.VERIFIED,
    SubjectRequestState.SEARCHING,
    SubjectRequestState.REVIEW,
)
_ACTED_FROM: Final = (SubjectRequestState.REVIEW, SubjectRequestState.EXECUTING)


def search_card(principal: Principal, case: SubjectRequest) -> dict[str, Any]:
    """For who may look at searches; what can be done, for who may do it."""
    search = search_of(case)
    may_start = may_see_subject(principal) and may(principal, "subject.search")
    shown: dict[str, Any] = {
        "may_search": may_start and case.state in _SEARCHED_FROM and (search is None or search.is_final),
        "may_look": may(principal, "subject.read"),
        **_restriction(principal, case),
    }
    if search is None or not shown["may_look"]:
        return shown
    standing = search_standing_of(case, search) if may_see_subject(principal) else None
    erasure = erasure_of_request(case)
    return shown | {
        "search": search,
        "search_standing": standing,
        "bars": bars_of(search.counts),
        "erasure": _erasure(erasure) if erasure else None,
        "erasure_bases": LegalBasis.choices,
        "may_erase": may_see_subject(principal)
        and may(principal, "subject.erase")
        and case.type == RequestType.ERASURE
        and case.state in _ACTED_FROM
        and search.status == JobStatus.SUCCEEDED
        and not search.is_truncated
        and _is_open(case),
    }


def _is_open(case: SubjectRequest) -> bool:
    """Whether there is a search of which something can be erased, or may be."""
    search = search_to_erase(case)
    return search is not None and erasure_of(search.pk) is None


def _erasure(erasure: SubjectErasure) -> dict[str, Any]:
    standing = standing_of(erasure)
    datasets = Dataset.objects.filter(pk__in=[one.dataset_id for one in standing.conflicts])
    named = dict(datasets.values_list("pk", "name"))
    return {"standing": standing, "conflicts": [(named.get(one.dataset_id, ""), one) for one in standing.conflicts]}


def _restriction(principal: Principal, case: SubjectRequest) -> dict[str, Any]:
    """For which purposes the subject's records are left out of reads, and what can be done about it."""
    if case.type not in TYPES:
        return {}
    live = restrictions_of(case.pk)
    return {
        "restrictions": live,
        "may_restrict": may_see_subject(principal) and case.state in _ACTED_FROM,
        "may_lift": may_see_subject(principal) and bool(live),
        "purposes": sorted(policies_in_force().purposes) if case.type == RequestType.OBJECTION else [],
    }
