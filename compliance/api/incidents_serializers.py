"""Shapes of incidents."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from access.api.bodies import StrictInput
from compliance.incidents.assess import EXCEPTIONS, FACTORS, GDPR_RISKS, HIPAA_RESULTS, LEVELS, MAX_GROUNDS, MAX_TEXT
from compliance.incidents.clocks import LAWS, Audience, Duty, Status
from compliance.incidents.facts import MAX_DATASETS, MAX_PRINCIPALS, MAX_SUMMARY, MAX_TITLE
from compliance.incidents.notices import MAX_BODY, MAX_REFERENCE
from compliance.incidents.states import MAX_REASON
from compliance.incidents.tasks import MAX_PROOF
from compliance.incidents.timeline import MAX_TEXT as MAX_NOTE
from compliance.models import (
    BreachNotice,
    Incident,
    IncidentAssessment,
    IncidentEntry,
    IncidentScope,
    IncidentSeverity,
    IncidentState,
    IncidentTask,
)


class DutyOutput(serializers.Serializer[Duty]):
    """Somebody to be told by law: ``due_at`` is null for what has to be done without undue delay."""

    code = serializers.CharField()
    law = serializers.ChoiceField(choices=list(LAWS.items()))
    source = serializers.CharField()  # type: ignore[assignment]
    audience = serializers.ChoiceField(choices=[one.value for one in Audience])
    title = serializers.CharField()
    standing = serializers.ChoiceField(choices=[one.value for one in Status], source="status")
    why = serializers.CharField()
    began_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    met_at = serializers.DateTimeField(allow_null=True)
    is_yearly = serializers.BooleanField()


class IncidentOutput(serializers.ModelSerializer[Incident]):
    severity = serializers.ChoiceField(choices=IncidentSeverity.choices)
    state = serializers.ChoiceField(choices=IncidentState.choices)
    laws = serializers.ListField(child=serializers.CharField())
    residents = serializers.DictField(child=serializers.IntegerField())
    principals = serializers.ListField(child=serializers.UUIDField())
    datasets = serializers.ListField(child=serializers.UUIDField())
    duties = serializers.SerializerMethodField()

    class Meta:
        model = Incident
        fields = [
            *("id", "number", "title", "summary", "severity", "state", "reason", "laws", "is_processor"),
            *("discovered_at", "aware_at", "occurred_from", "occurred_until", "time_zone", "persons", "residents"),
            *("principals", "datasets", "alert_id", "opened_by", "opened_at", "confirmed_at", "contained_at"),
            *("ended_at", "next_due_at", "duties"),
        ]

    @extend_schema_field(DutyOutput(many=True))
    def get_duties(self, incident: Incident) -> list[DutyOutput]:
        shown: Any = DutyOutput(self.context["duties"][incident.pk], many=True).data
        return list(shown)


class PagingOutput(serializers.Serializer[Any]):
    next_cursor = serializers.CharField(allow_null=True)
    limit = serializers.IntegerField()


class IncidentListOutput(serializers.Serializer[Any]):
    data = IncidentOutput(many=True)  # type: ignore[assignment]
    pagination = PagingOutput()


class _FactsInput(StrictInput):
    """Members that are not given stay as they are, or as they are usually."""

    summary = serializers.CharField(max_length=MAX_SUMMARY, required=False, allow_blank=True)
    severity = serializers.ChoiceField(choices=IncidentSeverity.choices, required=False)
    laws = serializers.ListField(child=serializers.ChoiceField(choices=list(LAWS.items())), required=False)
    is_processor = serializers.BooleanField(required=False)
    discovered_at = serializers.DateTimeField(required=False)
    aware_at = serializers.DateTimeField(required=False, allow_null=True)
    occurred_from = serializers.DateTimeField(required=False, allow_null=True)
    occurred_until = serializers.DateTimeField(required=False, allow_null=True)
    time_zone = serializers.CharField(max_length=64, required=False)
    persons = serializers.IntegerField(min_value=0, required=False, allow_null=True)
    residents = serializers.DictField(child=serializers.IntegerField(min_value=0), required=False)
    principals = serializers.ListField(child=serializers.UUIDField(), max_length=MAX_PRINCIPALS, required=False)
    datasets = serializers.ListField(child=serializers.UUIDField(), max_length=MAX_DATASETS, required=False)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        given = super().to_internal_value(data)
        return given | {name: tuple(given[name]) for name in ("laws", "principals", "datasets") if name in given}


class IncidentInput(_FactsInput):
    """A new incident; with ``alert_id`` whom and what the alert is about is added."""

    title = serializers.CharField(max_length=MAX_TITLE)
    alert_id = serializers.UUIDField(required=False)


class IncidentChangeInput(_FactsInput):
    """``reason`` has to be given when ``aware_at`` or ``discovered_at`` are moved, and when a law is left out."""

    title = serializers.CharField(max_length=MAX_TITLE, required=False)
    reason = serializers.CharField(max_length=MAX_REASON, required=False)


class IncidentReasonInput(StrictInput):
    reason = serializers.CharField(max_length=MAX_REASON)


class IncidentConfirmationInput(IncidentReasonInput):
    aware_at = serializers.DateTimeField(required=False)


class IncidentEntryOutput(serializers.ModelSerializer[IncidentEntry]):
    facts = serializers.DictField()

    class Meta:
        model = IncidentEntry
        fields = ["id", "kind", "text", "facts", "by", "at"]


class IncidentTimelineOutput(serializers.Serializer[Any]):
    data = IncidentEntryOutput(many=True)  # type: ignore[assignment]
    pagination = PagingOutput()


class IncidentNoteInput(StrictInput):
    text = serializers.CharField(max_length=MAX_NOTE)


class IncidentScopeInput(StrictInput):
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    with_programs = serializers.BooleanField(required=False)


class IncidentScopeOutput(serializers.ModelSerializer[IncidentScope]):
    """A job; ``result`` is empty before it has succeeded."""

    status = serializers.CharField()
    criteria = serializers.DictField()
    progress = serializers.DictField()
    result = serializers.DictField()

    class Meta:
        model = IncidentScope
        fields = [
            *("id", "status", "progress", "criteria", "result", "error_code"),
            *("requested_by", "created_at", "finished_at"),
        ]


class IncidentScopesOutput(serializers.Serializer[Any]):
    data = IncidentScopeOutput(many=True)  # type: ignore[assignment]


class FactorInput(StrictInput):
    level = serializers.ChoiceField(choices=list(LEVELS))
    text = serializers.CharField(max_length=MAX_TEXT)


class FactorsInput(StrictInput):
    """The four factors of 45 CFR 164.402(2)."""

    nature = FactorInput(required=False, help_text=FACTORS["nature"])
    recipient = FactorInput(required=False, help_text=FACTORS["recipient"])
    acquired = FactorInput(required=False, help_text=FACTORS["acquired"])
    mitigation = FactorInput(required=False, help_text=FACTORS["mitigation"])


class IncidentAssessmentInput(StrictInput):
    factors = FactorsInput(required=False)
    hipaa = serializers.ChoiceField(choices=list(HIPAA_RESULTS.items()), required=False)
    gdpr_risk = serializers.ChoiceField(choices=list(GDPR_RISKS.items()), required=False)
    exception = serializers.ChoiceField(choices=list(EXCEPTIONS.items()), required=False)
    grounds = serializers.CharField(max_length=MAX_GROUNDS, required=False, allow_blank=True)


class IncidentAssessmentOutput(serializers.ModelSerializer[IncidentAssessment]):
    factors = serializers.DictField()

    class Meta:
        model = IncidentAssessment
        fields = ["id", "factors", "hipaa", "gdpr_risk", "exception", "grounds", "by", "at"]


class IncidentAssessmentsOutput(serializers.Serializer[Any]):
    data = IncidentAssessmentOutput(many=True)  # type: ignore[assignment]


class IncidentTaskInput(StrictInput):
    title = serializers.CharField(max_length=MAX_TITLE)
    assignee = serializers.UUIDField(required=False)
    due_at = serializers.DateTimeField(required=False)


class IncidentProofInput(StrictInput):
    proof = serializers.CharField(max_length=MAX_PROOF)


class IncidentTaskOutput(serializers.ModelSerializer[IncidentTask]):
    class Meta:
        model = IncidentTask
        fields = ["id", "title", "assignee", "due_at", "made_by", "made_at", "done_at", "done_by", "proof"]


class IncidentTasksOutput(serializers.Serializer[Any]):
    data = IncidentTaskOutput(many=True)  # type: ignore[assignment]


class BreachNoticeInput(StrictInput):
    audience = serializers.ChoiceField(choices=[one.value for one in Audience])


class BreachNoticeTextInput(StrictInput):
    """``follows`` is the number of the version that the text was made of."""

    body = serializers.CharField(max_length=MAX_BODY)
    follows = serializers.IntegerField(min_value=1)


class BreachNoticeSentInput(StrictInput):
    reference = serializers.CharField(max_length=MAX_REFERENCE)
    sent_at = serializers.DateTimeField(required=False)


class BreachNoticeOutput(serializers.ModelSerializer[BreachNotice]):
    audience = serializers.ChoiceField(choices=[one.value for one in Audience])

    class Meta:
        model = BreachNotice
        fields = ["id", "audience", "phase", "made_at", "sent_at", "sent_by", "sent_version", "reference"]


class BreachNoticesOutput(serializers.Serializer[Any]):
    data = BreachNoticeOutput(many=True)  # type: ignore[assignment]


class BreachNoticeTextOutput(serializers.Serializer[Any]):
    """``gaps`` is how many places are left to complete."""

    number = serializers.IntegerField()
    body = serializers.CharField()
    gaps = serializers.IntegerField()
    by = serializers.UUIDField()
    at = serializers.DateTimeField()


class BreachNoticeReadOutput(BreachNoticeOutput):
    text = BreachNoticeTextOutput()

    class Meta(BreachNoticeOutput.Meta):
        fields = [*BreachNoticeOutput.Meta.fields, "text"]


class IncidentQuarantineInput(StrictInput):
    """``versions``: labels; without them every version of the dataset."""

    dataset_id = serializers.UUIDField()
    versions = serializers.ListField(child=serializers.CharField(max_length=100), required=False)
    reason = serializers.CharField(max_length=MAX_REASON)


class IncidentRevocationInput(StrictInput):
    principal_id = serializers.UUIDField()


class BreachLogLineOutput(serializers.Serializer[Any]):
    """One incident of a year, as the register has it: also what was dismissed, and why nobody was told."""

    incident = serializers.UUIDField()
    number = serializers.IntegerField()
    title = serializers.CharField()
    severity = serializers.CharField()
    standing = serializers.CharField()
    laws = serializers.ListField(child=serializers.CharField())
    discovered_at = serializers.DateTimeField()
    aware_at = serializers.DateTimeField(allow_null=True)
    persons = serializers.IntegerField(allow_null=True)
    hipaa = serializers.CharField()
    gdpr_risk = serializers.CharField()
    grounds = serializers.CharField()
    measures = serializers.ListField(child=serializers.CharField())
    told = serializers.DictField(child=serializers.DateTimeField())


class BreachLogOutput(serializers.Serializer[Any]):
    year = serializers.IntegerField()
    data = BreachLogLineOutput(many=True)  # type: ignore[assignment]
