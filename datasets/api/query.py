"""REST: queries over the records of a version."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from datasets.api.diff import LinesRenderer
from datasets.api.serializers import RecordOutput
from datasets.api.views import NDJSON, PURPOSE, streamed
from datasets.errors.query import InvalidQuery
from datasets.models.version import DEFAULT_BRANCH
from datasets.query import parse_filter
from datasets.query.aggregate import MAX_FIELDS, MAX_GROUPINGS, parse_aggregates, parse_paths
from datasets.selectors import get_dataset
from datasets.services.query import Query, aggregate, emit_completion, find_page, open_query, stream_matches
from datasets.services.read import Release
from vaultsite.kernel.api.pagination import DEFAULT_LIMIT, MAX_LIMIT, decode_cursor, encode_cursor, page
from vaultsite.kernel.api.renderers import CanonicalJSONRenderer
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidCursor
from vaultsite.kernel.tenancy.middleware import facts_of

#: The words a cursor of a query ends with, so that none of another listing passes for one.
_CURSOR: Final = "query"


class QueryInput(serializers.Serializer[Any]):
    """A query. ``filter`` is JSON (``{"score": {"gte": 4}}``) or an expression in text (``score >= 4``)."""

    version = serializers.CharField(max_length=100, required=False, default=DEFAULT_BRANCH)
    filter = serializers.JSONField(required=False, default=None, allow_null=True)
    fields = serializers.JSONField(required=False, default=None, allow_null=True)  # type: ignore[assignment]
    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, required=False)
    cursor = serializers.CharField(max_length=4096, required=False, default="", allow_blank=True)
    purpose = serializers.CharField(max_length=64, required=False, default=None, allow_null=True)
    aggregate = serializers.JSONField(required=False, default=None, allow_null=True)
    group_by = serializers.JSONField(required=False, default=None, allow_null=True)


class ScannedOutput(serializers.Serializer[Any]):
    """What the query cost, and whether it came to the end of the version."""

    records = serializers.IntegerField()
    chunks = serializers.IntegerField()
    pruned_chunks = serializers.IntegerField()
    is_complete = serializers.BooleanField()


class QueryPagination(serializers.Serializer[Any]):
    next_cursor = serializers.CharField(allow_null=True)
    limit = serializers.IntegerField()


class QueryOutput(serializers.Serializer[Any]):
    """A page of records; for aggregates ``data`` has ``{"group": {pointer: value}, "values": {name: value}}``."""

    data = RecordOutput(many=True)  # type: ignore[assignment]
    pagination = QueryPagination()
    scanned = ScannedOutput()


@dataclass(frozen=True)
class Asked:
    """A parsed request."""

    query: Query
    version: str
    purpose: str | None
    limit: int | None
    after: str | None


class QueryView(VaultAPIView):
    """Opens its scope itself: records are read outside of it."""

    resource_type = "record"
    scope_per_request = False
    renderer_classes = [CanonicalJSONRenderer, LinesRenderer]

    @extend_schema(
        parameters=[PURPOSE],
        request=QueryInput,
        responses={(200, "application/json"): QueryOutput, (200, NDJSON): OpenApiTypes.BINARY},
    )
    def post(self, request: Request, dataset_id: UUID) -> HttpResponseBase:
        """Records that meet a filter, in order of id, as this reader may see them; or aggregates over them.

        A page ends early, with a cursor, when its time is used up. With ``Accept: application/x-ndjson`` every match
        comes as a line.
        """
        with self.open_scope():
            get_dataset(self.principal, dataset_id, action="record.read")  # who may not know of it learns no more
            asked = read_query(request.data)
            release = open_query(
                self.principal,
                dataset_id=dataset_id,
                version=asked.version,
                query=asked.query,
                purpose=asked.purpose,
            )
        if asked.query.aggregates:
            return self._aggregated(asked, release)
        if getattr(request, "accepted_renderer", None).__class__ is LinesRenderer:
            facts = facts_of(self.django_request)
            body = stream_matches(release, asked.query, self.principal, facts, after=asked.after, limit=asked.limit)
            response = streamed(request, body)
            response["X-Vault-Version"] = release.version.label
            if release.withholds:
                response["X-Vault-Withholds"] = ", ".join(release.withholds)
            return response
        return self._paged(asked, release)

    def _paged(self, asked: Asked, release: Release) -> Response:
        limit = asked.limit or DEFAULT_LIMIT
        found = find_page(release, asked.query, after=asked.after, limit=limit)
        more = encode_cursor([str(release.version.pk), found.next_after, _CURSOR]) if found.next_after else None
        answer = page(found.data, limit=limit, next_cursor=more) | {"scanned": vars(found.scanned)} | found.withheld
        size = len(orjson.dumps(answer["data"]))
        with self.silent_scope():
            emit_completion(release, found.scanned, released=len(found.data), size=size, withheld=found.withheld)
        return Response(answer)

    def _aggregated(self, asked: Asked, release: Release) -> Response:
        data, scanned = aggregate(release, asked.query)
        withheld = release.take_withheld()
        answer = page(data, limit=len(data), next_cursor=None) | {"scanned": vars(scanned)} | withheld
        with self.silent_scope():
            emit_completion(release, scanned, released=0, size=len(orjson.dumps(data)), withheld=withheld)
        return Response(answer)


def read_query(content: Any) -> Asked:
    """The query of a request body. Raises InvalidQuery, InvalidFilter, InvalidInput, InvalidCursor."""
    _refuse_unknown(content)
    body = QueryInput(data=content)
    body.is_valid(raise_exception=True)
    given = body.validated_data
    aggregates = parse_aggregates(given["aggregate"]) if given["aggregate"] is not None else ()
    group_by = parse_paths(given["group_by"] or [], "group_by", most=MAX_GROUPINGS)
    query = Query(
        filter=parse_filter(given["filter"]),
        fields=parse_paths(given["fields"] or [], "fields", most=MAX_FIELDS),
        aggregates=aggregates,
        group_by=group_by,
    )
    _refuse_contradiction(query, given)
    version, after = _place(given)
    return Asked(query, version, given["purpose"] or None, given.get("limit"), after)


def _refuse_unknown(content: Any) -> None:
    known = QueryInput().get_fields()
    if not isinstance(content, dict) or content.keys() - known.keys():
        rule = f"a query is an object with some of {', '.join(known)}"
        raise InvalidQuery(rule, errors=[FieldProblem(field="/", detail=rule)])


def _refuse_contradiction(query: Query, given: dict[str, Any]) -> None:
    rule = ""
    if query.group_by and not query.aggregates:
        rule = "group_by needs an aggregate"
    elif query.aggregates and (query.fields or given["cursor"] or "limit" in given):
        rule = "aggregates have no fields, limit or cursor"
    if rule:
        raise InvalidQuery(rule, errors=[FieldProblem(field="/aggregate", detail=rule)])


def _place(given: dict[str, Any]) -> tuple[str, str | None]:
    """The version as the cursor pins it, else as it was asked for, and the id to go on after."""
    if not given["cursor"]:
        return given["version"], None
    version, after, kind = decode_cursor(given["cursor"], members=3)
    if kind != _CURSOR:
        raise InvalidCursor
    return version, after
