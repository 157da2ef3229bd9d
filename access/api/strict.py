"""Bodies whose members are all known."""

from typing import Any

from rest_framework import serializers


class StrictInput(serializers.Serializer[Any]):
    """A member too many is refused by name: nobody says what is not theirs to say."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, dict) and (unknown := sorted(set(data) - set(self.fields))):
            raise serializers.ValidationError({str(name)[:64]: "is no member of this request" for name in unknown})
        return dict(super().to_internal_value(data))
