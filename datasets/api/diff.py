"""REST: what changed between two versions."""

from typing import Any, Final
from uuid import UUID

import orjson
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from datasets.api.views import NDJSON, PAGE_BYTES, PAGING, PURPOSE, streamed
from datasets.services.diff import (
    KINDS,
    Comparison,
    count_changes,
    open_comparison,
    shown_changes,
    stream_changes,
    summary_of,
)
from vaultsite.kernel.api.pagination import PageRequest, encode_cursor, page, read_page
from vaultsite.kernel.api.renderers import CanonicalJSONRenderer
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.tenancy.middleware import facts_of

_YES: Final = frozenset({"1", "true"})


class LinesRenderer(CanonicalJSONRenderer):
    """Lines of JSON; what is no stream, such as an error, is one document."""

    media_type = NDJSON
    format = "ndjson"


class DiffMember(serializers.Serializer[Any]):
    pointer = serializers.CharField()
    change = serializers.ChoiceField(choices=["added", "removed", "changed"])
    before = serializers.JSONField(required=False)
    after = serializers.JSONField(required=False)


class DiffRecord(serializers.Serializer[Any]):
    """One changed record."""

    id = serializers.CharField()
    change = serializers.ChoiceField(choices=KINDS)
    members = DiffMember(many=True)
    before = serializers.JSONField(required=False)
    after = serializers.JSONField(required=False)


class DiffView(VaultAPIView):
    """Opens its scope itself: the versions are read outside of it."""

    resource_type = "version"
    scope_per_request = False
    renderer_classes = [LinesRenderer, CanonicalJSONRenderer]

    @extend_schema(
        parameters=[
            PURPOSE,
            OpenApiParameter("from", OpenApiTypes.STR, description="By default the parent of the other version."),
            OpenApiParameter("to", OpenApiTypes.STR, description="By default the head of main."),
            OpenApiParameter("kind", OpenApiTypes.STR, description="Some of added, removed, modified, erased."),
            OpenApiParameter("whole", OpenApiTypes.BOOL, description="Give both sides of modified records."),
            *PAGING,
        ],
        responses={(200, NDJSON): OpenApiTypes.BINARY, (200, "application/json"): DiffRecord(many=True)},
    )
    def get(self, request: Request, dataset_id: UUID) -> HttpResponseBase:
        """What changed from one version to another, record by record and member by member, as this reader may see it.

        Lines of JSON: first the versions and the counts, then the changed records in order of id. Pages of changes,
        with the counts on the first, to who accepts application/json only.
        """
        with self.open_scope():
            wanted = read_page(request, members=4)
            old, new, after_id = _place(request, wanted)
            kinds = _kinds(request)
            comparison = open_comparison(self.principal, dataset_id=dataset_id, before=old, after=new)
        is_whole = request.query_params.get("whole", "") in _YES
        if getattr(request, "accepted_renderer", None).__class__ is CanonicalJSONRenderer:
            return Response(_page(comparison, wanted, after_id, kinds, is_whole=is_whole))
        body = stream_changes(comparison, self.principal, facts_of(self.django_request), kinds=kinds, is_whole=is_whole)
        return streamed(request, body)


def _place(request: Request, wanted: PageRequest) -> tuple[str, str, str | None]:
    """The versions as the cursor pins them, else as they were asked for, and the id to go on after."""
    if wanted.after is None:
        return request.query_params.get("from", ""), request.query_params.get("to", "main"), None
    old, new, after_id, _ = wanted.after
    return old, new, after_id


def _kinds(request: Request) -> tuple[str, ...]:
    asked = tuple(kind for kind in request.query_params.get("kind", "").split(",") if kind)
    if set(asked) - set(KINDS):
        raise InvalidInput(errors=[FieldProblem(field="kind", detail=f"some of {', '.join(KINDS)}")])
    return asked or KINDS


def _page(
    comparison: Comparison, wanted: PageRequest, after_id: str | None, kinds: tuple[str, ...], *, is_whole: bool
) -> dict[str, Any]:
    """At most ``limit`` changes and about PAGE_BYTES; the counts when it is the first page."""
    data: list[dict[str, Any]] = []
    size, more = 0, None
    for change in shown_changes(comparison, after_id=after_id, kinds=kinds):
        if len(data) >= wanted.limit or size >= PAGE_BYTES:
            pins = [str(version.pk) if version else "" for version in (comparison.before, comparison.after)]
            more = encode_cursor([*pins, data[-1]["id"], "diff"])
            break
        data.append(change.as_json(is_whole=is_whole))
        size += len(orjson.dumps(data[-1]))
    comparison.release.note_leaving(one["id"] for one in data)
    withheld = comparison.release.take_withheld(until=data[-1]["id"] if more else None)
    answer = page(data, limit=wanted.limit, next_cursor=more) | withheld
    if after_id is None:
        answer["summary"] = summary_of(comparison, count_changes(comparison, kinds=kinds))
    return answer
