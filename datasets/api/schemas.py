"""REST: the schemas of a dataset's records."""

from typing import Any, Final
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from datasets.models import Compatibility, RecordSchema
from datasets.schemas.shorthand import expand_shorthand
from datasets.selectors import get_dataset
from datasets.services import schemas
from datasets.services.schemas import NewSchema, SchemaCheck
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView

PAGING: Final = [OpenApiParameter("limit", OpenApiTypes.INT), OpenApiParameter("cursor", OpenApiTypes.STR)]
MAX_SAMPLES: Final = 100


class AnnotationOutput(serializers.Serializer[Any]):
    """A field that holds personal data; ``pointer`` leads into data, ``*`` stands for every item of an array."""

    pointer = serializers.CharField()
    pii_type = serializers.CharField()
    strategy = serializers.CharField()


class SchemaOutput(serializers.ModelSerializer[RecordSchema]):
    schema = serializers.SerializerMethodField()
    schema_hash = serializers.SerializerMethodField()
    annotations = serializers.SerializerMethodField()

    class Meta:
        model = RecordSchema
        fields = [
            "version",
            "schema",
            "schema_hash",
            "compatibility",
            "annotations",
            "message",
            "created_by",
            "created_at",
        ]

    def get_schema(self, row: RecordSchema) -> dict[str, Any]:
        return schemas.document_of(row)

    def get_schema_hash(self, row: RecordSchema) -> str:
        """SHA-256 over the schema with sorted members, in hex."""
        return bytes(row.digest).hex()

    @extend_schema_field(AnnotationOutput(many=True))
    def get_annotations(self, row: RecordSchema) -> list[dict[str, Any]]:
        return list(AnnotationOutput(schemas.annotations_of(row), many=True).data)


class SchemaInput(StrictInput):
    """A JSON Schema (draft 2020-12), or the shorthand for one such as ``{"accuracy": "float", "note": "string?"}``."""

    schema = serializers.JSONField(required=False)
    shorthand = serializers.JSONField(required=False)
    compatibility = serializers.ChoiceField(choices=Compatibility.choices, required=False)
    message = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("schema" in attrs) == ("shorthand" in attrs):
            raise serializers.ValidationError({"schema": ["give either schema or shorthand"]})
        return attrs

    def new_schema(self) -> NewSchema:
        """Raises InvalidSchema for a shorthand that is none."""
        given = self.validated_data
        is_short = "shorthand" in given
        return NewSchema(
            document=expand_shorthand(given["shorthand"]) if is_short else given["schema"],
            compatibility=Compatibility(given["compatibility"]) if "compatibility" in given else None,
            message=given["message"],
        )


class CheckInput(SchemaInput):
    """The same, with ``data`` of records to be held against it."""

    samples = serializers.ListField(child=serializers.DictField(), max_length=MAX_SAMPLES, required=False, default=list)


class ProblemOutput(serializers.Serializer[Any]):
    """A rule that a sample breaks; ``sample`` is its place in the list, ``pointer`` leads into its data."""

    sample = serializers.IntegerField()
    pointer = serializers.CharField()
    rule = serializers.CharField()


class IncompatibilityOutput(serializers.Serializer[Any]):
    """Why the schema cannot follow the active one; ``pointer`` leads into the schema that is too narrow."""

    direction = serializers.CharField()
    pointer = serializers.CharField()
    rule = serializers.CharField()


class CheckOutput(serializers.Serializer[SchemaCheck]):
    schema = serializers.JSONField()
    compatibility = serializers.CharField()
    compared_with = serializers.IntegerField(allow_null=True)
    is_compatible = serializers.BooleanField()
    incompatibilities = IncompatibilityOutput(many=True)
    annotations = AnnotationOutput(many=True)
    problems = ProblemOutput(many=True)


class SchemaListView(VaultAPIView):
    resource_type = "schema"

    @extend_schema(parameters=PAGING, responses=SchemaOutput(many=True))
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """Schemas of a dataset, newest first; the newest is the active one."""
        wanted = read_page(request, members=1)
        rows = schemas.list_schemas(self.principal, dataset_id=dataset_id, after=wanted.after, limit=wanted.limit + 1)
        more = encode_cursor([str(rows[wanted.limit - 1].version)]) if len(rows) > wanted.limit else None
        data = list(SchemaOutput(rows[: wanted.limit], many=True).data)
        return Response(page(data, limit=wanted.limit, next_cursor=more))

    @extend_schema(request=SchemaInput, responses={201: SchemaOutput})
    def post(self, request: Request, dataset_id: UUID) -> Response:
        """Make a schema the active one: records written from now on are refused when they break it."""
        get_dataset(self.principal, dataset_id, action="schema.write")  # who may not know of it learns no more
        body = SchemaInput(data=request.data)
        body.is_valid(raise_exception=True)
        made = schemas.add_schema(self.principal, dataset_id=dataset_id, new=body.new_schema())
        response = Response(SchemaOutput(made).data, status=201)
        response["Location"] = f"/api/v1/datasets/{dataset_id}/schemas/{made.version}"
        return response


class SchemaView(VaultAPIView):
    resource_type = "schema"

    @extend_schema(responses=SchemaOutput)
    def get(self, _: Request, dataset_id: UUID, version: str) -> Response:
        """One schema by its version number, or the ``active`` one."""
        return Response(SchemaOutput(schemas.get_schema(self.principal, dataset_id=dataset_id, version=version)).data)


class SchemaCheckView(VaultAPIView):
    resource_type = "schema"

    @extend_schema(request=CheckInput, responses=CheckOutput)
    def post(self, request: Request, dataset_id: UUID) -> Response:
        """What adding a schema would meet, and samples against it; nothing is kept."""
        get_dataset(self.principal, dataset_id, action="dataset.read")
        body = CheckInput(data=request.data)
        body.is_valid(raise_exception=True)
        checked = schemas.check_schema(
            self.principal,
            dataset_id=dataset_id,
            new=body.new_schema(),
            samples=body.validated_data["samples"],
        )
        return Response(_answer(checked))


def _answer(checked: SchemaCheck) -> dict[str, Any]:
    return {
        "schema": checked.document,
        "compatibility": str(checked.mode),
        "compared_with": checked.compared_with,
        "is_compatible": not checked.incompatibilities,
        "incompatibilities": [vars(one) for one in checked.incompatibilities],
        "annotations": list(AnnotationOutput(checked.annotations, many=True).data),
        "problems": [
            {"sample": index, **problem._asdict()}
            for index, problems in enumerate(checked.samples)
            for problem in problems
        ],
    }
