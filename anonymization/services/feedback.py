"""Feedback on findings: wrong ones, missed ones, and what is made of them."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from access.services.authorize import authorize, may, shows_raw
from access.services.keyring import open_column, seal_column
from anonymization.models import DetectionCase, FieldEntry, FindingFeedback, ListEntry
from anonymization.ports import find_dataset
from anonymization.services.cases import NewCase, add_case
from anonymization.services.descriptions import refuse_personal_data
from anonymization.services.trust_rules import NewFieldRule, NewListEntry, add_field_rule, add_list_entry
from anonymization.trust.errors import FeedbackNotFound, FeedbackSettled, OwnFeedback
from anonymization.trust.rules import is_entity_type
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

#: Characters of the text kept on either side of the span: enough for the words that speak for or against it.
AROUND: Final = 200
#: Longest span somebody may give feedback on.
MAX_SPAN: Final = 1_000
SEALED_AS: Final = "anonymization.feedback"


@dataclass(frozen=True)
class Snippet:
    """A piece of a text with the span meant, ``[start, end)`` in code points of ``text``, and where it stands."""

    text: str
    start: int
    end: int
    pointer: str = ""

    @property
    def value(self) -> str:
        return self.text[self.start : self.end]

    @property
    def before(self) -> str:
        return self.text[: self.start]

    @property
    def after(self) -> str:
        return self.text[self.end :]

    @property
    def field(self) -> str:
        """The place with every index read as ``*``."""
        return "/".join("*" if step.isdecimal() else step for step in self.pointer.split("/"))

    def cut(self) -> "Snippet":
        """With no more of the text than AROUND on either side."""
        first = max(0, self.start - AROUND)
        text = self.text[first : self.end + AROUND]
        return replace(self, text=text, start=self.start - first, end=self.end - first)


@dataclass(frozen=True)
class NewFeedback:
    """``verdict`` is false_positive or missed; the finding's recognizer and score where there was one.

    The text is that of a record: without its dataset and id no erasure would reach it.
    """

    verdict: str
    entity_type: str
    snippet: Snippet
    dataset_id: UUID
    record_id: str
    version_id: UUID | None = None
    recognizer: str = ""
    score: float | None = None
    comment: str = ""


@dataclass(frozen=True)
class Settlement:
    """What feedback is turned into: ``allow``, ``deny``, ``field``, ``case`` or ``dismiss``, for one dataset or all."""

    outcome: str
    reason: str = ""
    is_for_dataset: bool = False


def give_feedback(principal: Principal, *, new: NewFeedback) -> FindingFeedback:
    """Keep, sealed, what somebody says of a span. Raises AccessDenied, InvalidInput, PersonalDataInName, and what
    find_dataset raises for a dataset that cannot be seen.
    """
    find_dataset(principal, new.dataset_id, action="finding.review")
    feedback_id = uuid7()
    resource = ResourceRef("feedback", str(feedback_id), dataset_id=new.dataset_id)
    authorize(principal, "finding.review", resource, facts={"verdict": new.verdict})
    _check(new)
    refuse_personal_data(comment=new.comment)
    sealed = seal_column(SEALED_AS, feedback_id.bytes, orjson.dumps(asdict(new.snippet.cut())))
    row = FindingFeedback.objects.create(
        id=feedback_id,
        dataset_id=new.dataset_id,
        version_id=new.version_id,
        record_id=new.record_id,
        verdict=new.verdict,
        entity_type=new.entity_type,
        recognizer=new.recognizer,
        score=new.score,
        sealed=sealed,
        comment=new.comment,
        created_by=principal.id,
    )
    row.refresh_from_db(fields=["created_at"])
    return row


def _check(new: NewFeedback) -> None:
    snippet = new.snippet
    problems = []
    if not new.record_id:
        problems.append(FieldProblem("/record_id", "the id of the record that the text is from"))
    if not 0 <= snippet.start < snippet.end <= len(snippet.text) or snippet.end - snippet.start > MAX_SPAN:
        problems.append(FieldProblem("/start", f"a span of 1 to {MAX_SPAN} characters within the text"))
    if not is_entity_type(new.entity_type):
        problems.append(FieldProblem("/entity_type", "upper-case letters, digits and _, such as EMAIL_ADDRESS"))
    if new.verdict not in dict(FindingFeedback.VERDICTS):
        problems.append(FieldProblem("/verdict", "false_positive or missed"))
    if problems:
        raise InvalidInput(errors=problems)


def list_feedback(
    principal: Principal, *, state: str = "open", after: UUID | None = None, limit: int = 50
) -> list[FindingFeedback]:
    """Feedback in a state, newest first, after the one with the id ``after``. Raises AccessDenied."""
    authorize(principal, "finding.review", ResourceRef("feedback"))
    rows = FindingFeedback.objects.filter(state=state).order_by("-id")
    return list((rows.filter(id__lt=after) if after else rows)[:limit])


def snippet_of(principal: Principal, row: FindingFeedback) -> Snippet | None:
    """The text the feedback is about; None for who reads no records of its dataset raw."""
    if not shows_raw(principal, ResourceRef("feedback", str(row.pk), dataset_id=row.dataset_id)):
        return None
    return Snippet(**orjson.loads(open_column(SEALED_AS, row.pk.bytes, bytes(row.sealed))))


def settle_feedback(principal: Principal, *, feedback_id: UUID, settlement: Settlement) -> FindingFeedback:
    """Turn feedback into a rule or a test case, or dismiss it; once. Who gave it may only dismiss it.

    Rules need the permission to change rules beside that to review findings. Raises AccessDenied, FeedbackNotFound,
    FeedbackSettled, OwnFeedback, InvalidInput, and what adding a rule raises.
    """
    settle = _SETTLEMENTS.get(settlement.outcome)
    if settle is None:
        raise InvalidInput(errors=[FieldProblem("/outcome", ", ".join(_SETTLEMENTS))])
    # Where a rule is added, the service that adds it decides, and that is the event.
    if settle not in _RULES or not may(principal, "finding.review"):
        facts = {"settled_as": settlement.outcome}
        authorize(principal, "finding.review", ResourceRef("feedback", str(feedback_id)), facts=facts)
    with transaction.atomic():
        row = FindingFeedback.objects.select_for_update().filter(pk=feedback_id).first()
        if row is None:
            raise FeedbackNotFound
        if row.state != "open":
            raise FeedbackSettled
        if row.created_by == principal.id and settlement.outcome != "dismiss":
            raise OwnFeedback
        snippet = Snippet(**orjson.loads(open_column(SEALED_AS, row.pk.bytes, bytes(row.sealed))))
        row.settled_id = settle(principal, row, snippet, settlement)
        row.state = "dismissed" if settlement.outcome == "dismiss" else "settled"
        row.settled_as, row.settled_by, row.settled_at = settlement.outcome, principal.id, timezone.now()
        row.save(update_fields=["state", "settled_as", "settled_id", "settled_by", "settled_at"])
    return row


def _as_list_entry(principal: Principal, row: FindingFeedback, snippet: Snippet, settlement: Settlement) -> UUID:
    new = NewListEntry(
        list_name=settlement.outcome,
        kind="value",
        value=snippet.value,
        entity_type=row.entity_type,
        reason=settlement.reason,
        dataset_id=row.dataset_id if settlement.is_for_dataset else None,
    )
    added: ListEntry = add_list_entry(principal, new=new)
    return added.pk


def _as_field_rule(principal: Principal, row: FindingFeedback, snippet: Snippet, settlement: Settlement) -> UUID:
    is_missed = row.verdict == "missed"
    new = NewFieldRule(
        field=snippet.field,
        decision="type" if is_missed else "never",
        entity_type=row.entity_type if is_missed else "",
        reason=settlement.reason,
        dataset_id=row.dataset_id if settlement.is_for_dataset else None,
    )
    added: FieldEntry = add_field_rule(principal, new=new)
    return added.pk


def _as_case(principal: Principal, row: FindingFeedback, snippet: Snippet, settlement: Settlement) -> UUID:
    del settlement
    new = NewCase(
        text=snippet.text,
        start=snippet.start,
        end=snippet.end,
        label=snippet.field.rpartition("/")[2].replace("*", ""),
        entity_type=row.entity_type,
        is_expected=row.verdict == "missed",
        dataset_id=row.dataset_id,
        record_id=row.record_id,
    )
    return add_case(principal, new=new).pk


def _dismiss(principal: Principal, row: FindingFeedback, snippet: Snippet, settlement: Settlement) -> None:
    del principal, row, snippet, settlement


_RULES: Final = (_as_list_entry, _as_field_rule)
_SETTLEMENTS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "allow": _as_list_entry,
        "deny": _as_list_entry,
        "field": _as_field_rule,
        "case": _as_case,
        "dismiss": _dismiss,
    }
)


def forget_feedback(dataset_id: UUID, record_ids: Iterable[str] | None = None) -> int:
    """Delete what feedback and test cases quote of records that are erased; None: of a whole dataset. How many.

    What does not say which record or dataset it quotes, as feedback once could, may quote these.
    """
    of_dataset = Q(dataset_id=dataset_id)
    if record_ids is not None:
        of_dataset &= Q(record_id__in=["", *record_ids])
    quoting = of_dataset | Q(dataset_id=None)
    return FindingFeedback.objects.filter(quoting).delete()[0] + DetectionCase.objects.filter(quoting).delete()[0]
