"""Who is told of which event: one line for every type that somebody is told of."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from audit.notifications.kinds import ALERT, ANSWER, DECISION, ENDING, JOB
from vaultsite.kernel.events.event import EventType

#: Screens of the admin.
_DATASET: Final = "datasets_dataset_page"
_DATASET_ID: Final = "resource.dataset_id"


@dataclass(frozen=True)
class Told:
    """``subject`` is a sentence without names; ``page`` names a screen of the admin, with the id in ``place``, if any.

    Told are those who hold ``permission``, or the person whose id stands in ``person``. Both that and ``place`` are
    members of the event's metadata; ``place`` may also be ``resource.id`` or ``resource.dataset_id``. Nobody is told of
    what they did themselves, nor the person whose id stands in ``suspect``.
    """

    kind: str
    subject: str
    page: str
    place: str = ""
    permission: str = ""
    person: str = ""
    suspect: str = ""


TOLD: Final[Mapping[str, Told]] = MappingProxyType(
    {
        EventType.ACCESS_REQUESTED: Told(
            DECISION, "Somebody asks for access to a dataset", "access_requests", permission="access.approve"
        ),
        EventType.EMERGENCY_REQUESTED: Told(
            DECISION, "Somebody calls for access in an emergency", "access_emergencies", permission="emergency.confirm"
        ),
        EventType.EMERGENCY_GRANTED: Told(
            DECISION, "Access was opened in an emergency", "access_emergencies", permission="emergency.confirm"
        ),
        EventType.REVIEW_STARTED: Told(
            DECISION, "A review of access began", "access_reviews", permission="review.decide"
        ),
        EventType.MERGE_REQUESTED: Told(
            DECISION, "A merge waits for a review", "datasets_merge_request", "merge_request", permission="merge.review"
        ),
        EventType.QUARANTINED: Told(
            DECISION, "Something was put in quarantine", _DATASET, _DATASET_ID, permission="quarantine.review"
        ),
        EventType.ACCESS_GRANTED: Told(ANSWER, "You were given access to a dataset", "access_mine", person="holder"),
        EventType.ACCESS_REFUSED: Told(ANSWER, "Your request for access was refused", "access_mine", person="holder"),
        EventType.ACCESS_REVOKED: Told(ANSWER, "Access of yours was taken away", "access_mine", person="holder"),
        EventType.DRAFT_EXPIRING: Told(
            ENDING, "A draft of yours is removed soon", _DATASET, _DATASET_ID, person="opened_by"
        ),
        EventType.RETENTION_ANNOUNCED: Told(
            ENDING, "A retention policy acts on a dataset of yours soon", _DATASET, _DATASET_ID, person="owner"
        ),
        EventType.INGEST_FAILED: Told(JOB, "An ingest of yours failed", _DATASET, _DATASET_ID, person="requested_by"),
        EventType.PUBLISH_FAILED: Told(
            JOB, "A publication of yours failed", _DATASET, _DATASET_ID, person="requested_by"
        ),
        EventType.EXPORT_FAILED: Told(JOB, "An export of yours failed", _DATASET, _DATASET_ID, person="requested_by"),
        EventType.MERGE_FAILED: Told(JOB, "A merge of yours failed", "datasets_merge", "merge", person="requested_by"),
        EventType.MERGE_CONFLICTED: Told(
            JOB, "A merge of yours has conflicts", "datasets_merge", "merge", person="requested_by"
        ),
        EventType.ALERT_RAISED: Told(
            ALERT,
            "An alert was raised",
            "alert",
            "resource.id",
            permission="alert.manage",
            suspect="principal_id",
        ),
    }
)
