"""REST: search of datasets, their metadata, and the inventory of personal data."""

import csv
import io
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from datasets.api.serializers import DatasetOutput
from datasets.formats.write_csv import escaped
from datasets.models import Classification
from datasets.services.inventory import Holding, every_holding, list_holdings
from datasets.services.search import ORDERS, Metadata, Search, describe, position_of, search_datasets
from vaultsite.kernel.api.pagination import PageRequest, encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import InvalidCursor

PAGING = [OpenApiParameter("limit", OpenApiTypes.INT), OpenApiParameter("cursor", OpenApiTypes.STR)]


#: Words, and tags, of one search: each is a condition of its own in the database.
MAX_TERMS = 16


class SearchInput(serializers.Serializer[Any]):
    """Query parameters of a search; ``tags`` with commas between must all be there."""

    q = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    tags = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)
    classification = serializers.ChoiceField(choices=Classification.choices, required=False)
    version = serializers.CharField(max_length=32, required=False, default="")
    sort = serializers.ChoiceField(choices=sorted(ORDERS), required=False, default="-created_at")

    def validate_q(self, value: str) -> str:
        return _of_few(value, value.split())

    def validate_tags(self, value: str) -> str:
        return _of_few(value, value.split(","))

    def search(self) -> Search:
        given = self.validated_data
        return Search(
            words=tuple(given["q"].split()),
            tags=tuple(filter(None, (tag.strip() for tag in given["tags"].split(",")))),
            classification=given.get("classification", ""),
            version=given["version"],
            order=given["sort"],
        )


def _of_few(value: str, terms: list[str]) -> str:
    if len(terms) > MAX_TERMS:
        raise serializers.ValidationError(f"at most {MAX_TERMS} of them")
    return value


class MetadataOutput(serializers.Serializer[Any]):
    dataset_id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    classification = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    region = serializers.CharField()
    version = serializers.CharField(allow_null=True)
    version_id = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    size_bytes = serializers.IntegerField()
    record_count = serializers.IntegerField()
    findings = serializers.DictField(child=serializers.IntegerField())
    parent_datasets = serializers.ListField(child=serializers.UUIDField())


class SearchView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(parameters=[SearchInput, *PAGING], responses=DatasetOutput(many=True))
    def get(self, request: Request) -> Response:
        """Datasets by words, tags, classification or version label, in the order asked for."""
        query = SearchInput(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted, search = read_page(request, members=2), query.search()
        rows = search_datasets(self.principal, search, after=wanted.after, limit=wanted.limit + 1)
        last = rows[wanted.limit - 1] if len(rows) > wanted.limit else None
        more = encode_cursor(position_of(last, search.order)) if last else None
        data = list(DatasetOutput(rows[: wanted.limit], many=True).data)
        return Response(page(data, limit=wanted.limit, next_cursor=more))


class MetadataView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(responses=MetadataOutput)
    def get(self, _: Request, dataset_id: UUID) -> Response:
        """What a catalogue wants to know of one dataset."""
        return Response(_metadata_json(describe(self.principal, dataset_id=dataset_id)))


class InventoryView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(
        parameters=[
            OpenApiParameter("type", OpenApiTypes.STR),
            OpenApiParameter("format", enum=["json", "csv"]),
            *PAGING,
        ],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> HttpResponse | Response:
        """Personal data by dataset and type, with owner, purposes, region and last access; all of it as CSV.

        As JSON it comes by pages of datasets; a dataset with several types of personal data has an entry for each.
        """
        wanted = request.query_params.get("type", "")[:64]
        if request.query_params.get("format") == "csv":
            return csv_answer(every_holding(self.principal, entity_type=wanted))
        asked = read_page(request, members=1)
        found = list_holdings(self.principal, after=_position(asked), limit=asked.limit, entity_type=wanted)
        more = encode_cursor([str(found.next_after)]) if found.next_after else None
        data = [holding_json(one) for one in found.holdings]
        return Response(page(data, limit=asked.limit, next_cursor=more))


def _metadata_json(told: Metadata) -> dict[str, Any]:
    dataset, head = told.dataset, told.head
    return {
        "dataset_id": str(dataset.pk),
        "name": dataset.name,
        "description": dataset.description,
        "classification": dataset.classification,
        "tags": dataset.tag_names,
        "region": dataset.region,
        "version": head.label if head else None,
        "version_id": bytes(head.digest).hex() if head else None,
        "created_at": dataset.created_at,
        "updated_at": dataset.updated_at,
        "size_bytes": head.canonical_bytes if head else 0,
        "record_count": head.record_count if head else 0,
        "findings": told.findings,
        "parent_datasets": [str(parent) for parent in told.parents],
    }


def holding_json(one: Holding) -> dict[str, Any]:
    return {
        "dataset_id": str(one.dataset.pk),
        "dataset": one.dataset.name,
        "classification": one.dataset.classification,
        "region": one.dataset.region,
        "type": one.entity_type or None,
        "findings": one.findings,
        "fields": list(one.fields),
        "records": one.records,
        "owner": one.owner,
        "purposes": list(one.purposes),
        "last_read_at": one.last_read_at,
        "retention_days": one.dataset.retention_days,
    }


def _position(asked: PageRequest) -> UUID | None:
    try:
        return UUID(asked.after[0]) if asked.after else None
    except ValueError:
        raise InvalidCursor from None


#: In the order of the JSON form.
_COLUMNS = (
    "dataset_id",
    "dataset",
    "classification",
    "region",
    "type",
    "findings",
    "fields",
    "records",
    "owner",
    "purposes",
    "last_read_at",
    "retention_days",
)


def csv_answer(found: Iterable[Holding]) -> HttpResponse:
    """The inventory as a file that a spreadsheet opens and does not execute."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for one in found:
        told = holding_json(one)
        writer.writerow([_cell(told[name]) for name in _COLUMNS])
    response = HttpResponse(text.getvalue().encode(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="personal-data-inventory.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _cell(value: Any) -> str:
    return escaped("; ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value))
