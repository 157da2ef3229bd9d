"""What a request's body or query may hold."""

from typing import Any

from rest_framework import serializers


class StrictInput(serializers.Serializer[Any]):
    """Members that are not the caller's to set are an error, never silently dropped."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            raise serializers.ValidationError({str(name)[:64]: ["not a member that can be set"] for name in unknown})
        return dict(super().to_internal_value(data))
