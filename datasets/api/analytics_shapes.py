"""REST: what analytics exports are asked for with, and what is said of them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from anonymization.guarantees.guarantee import MAX_K, MAX_L, Diversity, DiversityKind, Guarantee
from anonymization.guarantees.methods import Method
from datasets.api.exports import ExportFileOutput
from datasets.models import ExportFormat, ExportSchedule, GuaranteedExport
from datasets.query import parse_filter
from datasets.services.guaranteed.options import (
    MAX_COLUMNS,
    Column,
    GuaranteedOptions,
    HierarchyKind,
    HierarchyPlan,
    Role,
    TimeRange,
    Transformation,
)
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.jobs import JobStatus

_NAME: Final[dict[str, Any]] = {"max_length": 200}
#: Characters of a hierarchy's table.
MAX_TABLE: Final = 2_000_000
MAX_DAYS: Final = 3_650
#: Records a worker gets through in a second, for the estimate alone.
_RECORDS_A_SECOND: Final = 5_000
_WORDS: Final = {
    JobStatus.QUEUED: "processing",
    JobStatus.RUNNING: "processing",
    JobStatus.SUCCEEDED: "completed",
    JobStatus.FAILED: "failed",
    JobStatus.CANCELLED: "cancelled",
}


def _names() -> serializers.ListField:
    child = serializers.CharField(**_NAME)
    return serializers.ListField(child=child, max_length=MAX_COLUMNS, required=False, default=list)


class DiversityInput(StrictInput):
    kind = serializers.ChoiceField(choices=[str(kind) for kind in DiversityKind], required=False, default="distinct")
    l = serializers.FloatField(min_value=1, max_value=MAX_L)  # noqa: E741 - the name it has everywhere
    c = serializers.FloatField(min_value=0, max_value=MAX_L, required=False, default=1.0)


class HierarchyInput(StrictInput):
    """``steps``: widths of intervals, lengths of prefixes, names of steps of dates. ``table``: a CSV as ARX ships."""

    kind = serializers.ChoiceField(choices=[str(kind) for kind in HierarchyKind], required=False, default="auto")
    steps = serializers.ListField(required=False, default=list, max_length=10)
    table = serializers.CharField(max_length=MAX_TABLE, required=False, default="", trim_whitespace=False)
    ordered = serializers.BooleanField(required=False, default=False)


class AnonymizationInput(StrictInput):
    """The promise, and the role of each column. A field without a role counts as a quasi-identifier."""

    level = serializers.ChoiceField(choices=["k-anonymity"], required=False, default="k-anonymity")
    technique = serializers.ChoiceField(choices=["k-anonymity"], required=False, default="k-anonymity")
    k = serializers.IntegerField(min_value=2, max_value=MAX_K)
    l_diversity = DiversityInput(required=False, default=None, allow_null=True)
    t_closeness = serializers.FloatField(min_value=0, max_value=1, required=False, default=None, allow_null=True)
    suppression_limit = serializers.FloatField(min_value=0, max_value=1, required=False, default=0.0)
    method = serializers.ChoiceField(choices=[str(method) for method in Method], required=False, default="local")
    subject = serializers.CharField(**_NAME, required=False, default="", allow_blank=True)
    quasi_identifiers = _names()
    sensitive_attributes = _names()
    ordered_attributes = _names()
    insensitive = _names()
    identifiers = _names()
    text = _names()
    hierarchies = serializers.DictField(child=HierarchyInput(), required=False, default=dict)


class TransformationInput(StrictInput):
    field = serializers.CharField(**_NAME)
    method = serializers.ChoiceField(choices=[str(one) for one in Transformation])
    algorithm = serializers.ChoiceField(choices=["hmac-sha256"], required=False, default="hmac-sha256")
    precision = serializers.ChoiceField(choices=["hour", "day"], required=False, default="day")
    entities = serializers.ListField(
        child=serializers.CharField(max_length=64), max_length=200, required=False, default=list
    )


class TimeRangeInput(StrictInput):
    start = serializers.DateTimeField(required=False, default=None, allow_null=True)
    end = serializers.DateTimeField(required=False, default=None, allow_null=True)
    field = serializers.CharField(**_NAME, required=False, default="timestamp")


class DestinationInput(StrictInput):
    target = serializers.CharField(max_length=100, required=False, default="", allow_blank=True)
    format = serializers.ChoiceField(choices=ExportFormat.choices, required=False, default="parquet")
    retention_days = serializers.IntegerField(min_value=1, max_value=MAX_DAYS, required=False, default=90)


class DifferentialPrivacyInput(StrictInput):
    enabled = serializers.BooleanField(required=False, default=False)
    epsilon = serializers.FloatField(required=False, default=None, allow_null=True)
    delta = serializers.FloatField(required=False, default=None, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["enabled"]:
            raise serializers.ValidationError(
                {"enabled": ["rows are released under k, l and t; differential privacy is for statistics"]}
            )
        return attrs


class AnalyticsExportInput(StrictInput):
    dataset_id = serializers.UUIDField()
    version = serializers.CharField(max_length=128, required=False, default="main")
    purpose = serializers.CharField(max_length=64, required=False, default="", allow_blank=True)
    fields = _names()  # type: ignore[assignment]  # a member of the request, not of the serializer
    time_range = TimeRangeInput(required=False, default=None, allow_null=True)
    filter = serializers.JSONField(required=False, default=None, allow_null=True)
    anonymization = AnonymizationInput(required=False, default=None, allow_null=True)
    anonymization_policy = AnonymizationInput(required=False, default=None, allow_null=True)
    field_transformations = TransformationInput(many=True, required=False, default=list)
    differential_privacy = DifferentialPrivacyInput(required=False, default=None, allow_null=True)
    destination = DestinationInput(required=False, default=dict)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["anonymization"] is None) == (attrs["anonymization_policy"] is None):
            raise serializers.ValidationError({"anonymization": ["give it, or anonymization_policy"]})
        if not attrs["destination"]:
            attrs["destination"] = DestinationInput().run_validation({})
        return attrs

    def options(self) -> GuaranteedOptions:
        """What was asked for. Raises InvalidFilter, InvalidGuarantee."""
        given = self.validated_data
        promise = given["anonymization"] or given["anonymization_policy"]
        limits, target = given["time_range"], given["destination"]
        return GuaranteedOptions(
            columns=_columns(given["fields"], promise, given["field_transformations"]),
            guarantee=_guarantee(promise),
            method=Method(promise["method"]),
            format=ExportFormat(target["format"]),
            filter=parse_filter(given["filter"]),
            time_range=limits and TimeRange(limits["field"], limits["start"], limits["end"]),
            target=target["target"],
            retention_days=target["retention_days"],
        )


def _guarantee(promise: dict[str, Any]) -> Guarantee:
    kept = promise["l_diversity"]
    diversity = Diversity(DiversityKind(kept["kind"]), kept["l"], kept["c"]) if kept else None
    return Guarantee(promise["k"], diversity, promise["t_closeness"], promise["suppression_limit"])


def _columns(fields: list[str], promise: dict[str, Any], given: list[dict[str, Any]]) -> tuple[Column, ...]:
    roles = _roles(promise, given)
    how = {one["field"]: one for one in given}
    plans = promise["hierarchies"]
    return tuple(
        Column(
            name=name,
            role=roles.get(name, Role.QUASI),
            transformation=Transformation(how[name]["method"]) if name in how else None,
            precision=how[name]["precision"] if name in how else "",
            entities=_entities(how[name]["entities"]) if name in how else (),
            is_ordered=name in promise["ordered_attributes"],
            hierarchy=_plan(plans[name]) if name in plans else HierarchyPlan(),
        )
        for name in dict.fromkeys([*fields, *roles])
    )


def _roles(promise: dict[str, Any], given: list[dict[str, Any]]) -> dict[str, Role]:
    """Declared roles; what is pseudonymized is an identifier, what is redacted a text, where nothing else is said."""
    by_method = {
        str(Transformation.PSEUDONYMIZE): Role.IDENTIFIER,
        str(Transformation.REDACT): Role.TEXT,
    }
    roles = {one["field"]: by_method[one["method"]] for one in given if one["method"] in by_method}
    members = {
        "quasi_identifiers": Role.QUASI,
        "insensitive": Role.INSENSITIVE,
        "sensitive_attributes": Role.SENSITIVE,
        "text": Role.TEXT,
        "identifiers": Role.IDENTIFIER,
    }
    for member, role in members.items():
        roles |= dict.fromkeys(promise[member], role)
    return roles | ({promise["subject"]: Role.SUBJECT} if promise["subject"] else {})


#: Names of the requirement for entity types that ours write out.
_ALIASES: Final = {"EMAIL": "EMAIL_ADDRESS", "PHONE": "PHONE_NUMBER", "SSN": "US_SSN", "IP": "IP_ADDRESS"}


def _entities(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(_ALIASES.get(name, name) for name in given)


def _plan(given: dict[str, Any]) -> HierarchyPlan:
    return HierarchyPlan(HierarchyKind(given["kind"]), tuple(given["steps"]), given["table"], given["ordered"])


class AnalyticsExportOutput(serializers.ModelSerializer[GuaranteedExport]):
    export_id = serializers.UUIDField(source="id")
    version = serializers.CharField(source="version.label")
    status = serializers.SerializerMethodField()
    estimated_completion = serializers.SerializerMethodField()
    record_count_estimate = serializers.SerializerMethodField()
    privacy_guarantee = serializers.SerializerMethodField()
    copy = serializers.SerializerMethodField()
    files = ExportFileOutput(many=True)

    class Meta:
        model = GuaranteedExport
        fields = [
            "export_id",
            "dataset_id",
            "version",
            "status",
            "progress",
            "estimated_completion",
            "record_count_estimate",
            "privacy_guarantee",
            "method",
            "format",
            "target",
            "purpose",
            "columns",
            "attained",
            "utility",
            "risk",
            "counts",
            "record_count",
            "size",
            "files",
            "error",
            "release_id",
            "schedule_id",
            "copy",
            "created_at",
            "finished_at",
            "expires_at",
            "removed_at",
        ]

    @extend_schema_field(serializers.ChoiceField(choices=sorted(set(_WORDS.values()))))
    def get_status(self, export: GuaranteedExport) -> str:
        return _WORDS[JobStatus(export.status)]

    def get_estimated_completion(self, export: GuaranteedExport) -> datetime:
        """When it ended, else when it will, about."""
        if export.finished_at is not None:
            return export.finished_at
        seconds = 10 + export.version.record_count // _RECORDS_A_SECOND
        return max(export.created_at + timedelta(seconds=seconds), timezone.now() + timedelta(seconds=5))

    def get_record_count_estimate(self, export: GuaranteedExport) -> int:
        """Records of the version to two digits: an exact number tells of a single one."""
        count = export.version.record_count
        digits = max(len(str(count)) - 2, 0)
        return int(round(count, -digits))

    @extend_schema_field(serializers.DictField())
    def get_privacy_guarantee(self, export: GuaranteedExport) -> dict[str, Any]:
        return {name: value for name, value in export.guarantee.items() if name != "k"}

    @extend_schema_field(serializers.DictField())
    def get_copy(self, export: GuaranteedExport) -> dict[str, Any]:
        """The recipient's copy: until when it must be deleted, and when the recipient said that it was."""
        is_out = export.delete_by is not None and export.deleted_at is None
        return {
            "delete_by": export.delete_by,
            "deleted_at": export.deleted_at,
            "is_overdue": is_out and export.delete_by is not None and export.delete_by < timezone.now(),
        }


class AnalyticsExportsOutput(serializers.Serializer[Any]):
    data = AnalyticsExportOutput(many=True)  # type: ignore[assignment]  # declared fields leave the class


class SuggestionInput(StrictInput):
    dataset_id = serializers.UUIDField()
    version = serializers.CharField(max_length=128, required=False, default="main")
    purpose = serializers.CharField(max_length=64, required=False, default="", allow_blank=True)


class CombinationOutput(serializers.Serializer[Any]):
    columns = serializers.ListField(child=serializers.CharField())
    distinct = serializers.FloatField()
    unique = serializers.FloatField()
    separated = serializers.FloatField()
    bits = serializers.FloatField()


class SuggestionOutput(serializers.Serializer[Any]):
    records = serializers.IntegerField()
    identifiers = serializers.ListField(child=serializers.CharField())
    quasi_identifiers = serializers.ListField(child=serializers.CharField())
    columns = CombinationOutput(many=True)
    combinations = CombinationOutput(many=True)


class ScheduleInput(AnalyticsExportInput):
    interval_hours = serializers.IntegerField(min_value=1, max_value=24 * 366)


class ScheduleOutput(serializers.ModelSerializer[ExportSchedule]):
    class Meta:
        model = ExportSchedule
        fields = [
            "id",
            "dataset_id",
            "owner",
            "purpose",
            "interval_hours",
            "next_at",
            "last_export",
            "failure",
            "created_at",
        ]


class SchedulesOutput(serializers.Serializer[Any]):
    data = ScheduleOutput(many=True)  # type: ignore[assignment]  # declared fields leave the class
