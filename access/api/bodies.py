"""What bodies and lists of the API of grants have in common."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.response import Response

from access.leases.terms import MAX_TEXT
from vaultsite.kernel.api.pagination import PageRequest, encode_cursor, page

PAGING = [OpenApiParameter("limit", OpenApiTypes.INT), OpenApiParameter("cursor", OpenApiTypes.STR)]
Row = TypeVar("Row")


class StrictInput(serializers.Serializer[Any]):
    """A body whose members are all known."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, dict) and (unknown := sorted(set(data) - set(self.fields))):
            raise serializers.ValidationError(dict.fromkeys(unknown, "is not a member that can be set"))
        return dict(super().to_internal_value(data))


class DecisionReasonInput(StrictInput):
    reason = serializers.CharField(max_length=MAX_TEXT)


def paged(rows: Sequence[Row], wanted: PageRequest, shown: Callable[[Row], Any]) -> Response:
    """``rows`` are those of the page and, where there are more, one beyond it; each has a ``pk``."""
    kept = rows[: wanted.limit]
    more = encode_cursor([str(kept[-1].pk)]) if len(rows) > wanted.limit else None  # type: ignore[attr-defined]
    return Response(page([shown(row) for row in kept], limit=wanted.limit, next_cursor=more))
