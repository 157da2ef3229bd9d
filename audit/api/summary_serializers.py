"""Shapes of the audit's summary."""

from dataclasses import asdict
from typing import Any

from rest_framework import serializers

from audit.rollups.periods import TIME_RANGES
from audit.rollups.selectors import GROUPS, Group, Summary
from audit.services.criteria import OPERATIONS, OUTCOMES, SEVERITIES, TypesField


class SummaryQuerySerializer(serializers.Serializer[Any]):
    """What is summed up: a period, filters that must all hold, and what to group by."""

    time_range = serializers.ChoiceField(choices=TIME_RANGES, default="last_24h")
    start = serializers.DateTimeField(required=False, help_text="Of a custom range; widened to the full hour.")
    end = serializers.DateTimeField(required=False, help_text="Of a custom range, excluded; widened to the full hour.")
    group_by = serializers.ChoiceField(choices=GROUPS, required=False)
    top = serializers.IntegerField(min_value=1, max_value=100, default=10, help_text="Length of the lists of the most.")
    user = serializers.UUIDField(required=False)
    dataset = serializers.UUIDField(required=False)
    type = TypesField(required=False, max_length=2000, help_text="Types or prefixes (data.access.*), commas between.")
    operation = serializers.ChoiceField(choices=OPERATIONS, required=False)
    status = serializers.ChoiceField(choices=OUTCOMES, required=False)
    severity = serializers.ChoiceField(choices=SEVERITIES, required=False)
    classification = serializers.CharField(required=False, max_length=64)
    purpose = serializers.CharField(required=False, max_length=256)


class SummaryPeriodSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class SummaryMetricsSerializer(serializers.Serializer[Any]):
    """Reads and writes that were not denied; denied and failed ones of every kind."""

    total_operations = serializers.IntegerField()
    read_operations = serializers.IntegerField()
    write_operations = serializers.IntegerField()
    denied_operations = serializers.IntegerField()
    failed_operations = serializers.IntegerField()
    records = serializers.IntegerField()
    bytes = serializers.IntegerField()
    duration_ms = serializers.IntegerField()


class TopUserSerializer(serializers.Serializer[Any]):
    user_id = serializers.UUIDField()
    operation_count = serializers.IntegerField()


class TopDatasetSerializer(serializers.Serializer[Any]):
    dataset_id = serializers.UUIDField()
    access_count = serializers.IntegerField()


class PolicyViolationSerializer(serializers.Serializer[Any]):
    policy_id = serializers.CharField()
    violation_count = serializers.IntegerField()
    severity = serializers.CharField()


class SummaryGroupSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="A principal's or dataset's id, an operation, or the start of an hour.")
    events = serializers.IntegerField()
    records = serializers.IntegerField()
    bytes = serializers.IntegerField()
    duration_ms = serializers.IntegerField()


class SummarySerializer(serializers.Serializer[Summary]):
    """A summary; ``as_of`` is the time of the newest event that is counted: what came later is not sealed yet."""

    period = SummaryPeriodSerializer()
    as_of = serializers.DateTimeField(allow_null=True)
    metrics = SummaryMetricsSerializer()
    top_users = TopUserSerializer(many=True)
    top_datasets = TopDatasetSerializer(many=True)
    policy_violations = PolicyViolationSerializer(many=True)
    groups = SummaryGroupSerializer(many=True)
    other_groups = serializers.IntegerField(help_text="How many groups of fewer events are left out.")

    def to_representation(self, instance: Summary) -> dict[str, Any]:
        return {
            "period": {"start": instance.period.start.isoformat(), "end": instance.period.end.isoformat()},
            "as_of": instance.as_of and instance.as_of.isoformat(),
            "metrics": {
                "total_operations": instance.total,
                "read_operations": instance.reads,
                "write_operations": instance.writes,
                "denied_operations": instance.denied,
                "failed_operations": instance.failed,
                "records": instance.counts.records,
                "bytes": instance.counts.bytes,
                "duration_ms": instance.counts.duration_ms,
            },
            "top_users": [
                {"user_id": str(one.key), "operation_count": one.counts.events} for one in instance.top_actors
            ],
            "top_datasets": [
                {"dataset_id": str(one.key), "access_count": one.counts.events} for one in instance.top_datasets
            ],
            "policy_violations": [
                {"policy_id": one.policy, "violation_count": one.events, "severity": one.severity}
                for one in instance.violations
            ],
            "groups": [_group(one) for one in instance.groups],
            "other_groups": instance.other_groups,
        }


def _group(group: Group) -> dict[str, Any]:
    key = group.key
    return {"key": str(key) if not hasattr(key, "isoformat") else key.isoformat(), **asdict(group.counts)}
