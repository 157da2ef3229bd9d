"""REST: exports, their files and passports."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import orjson
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from access.services.idempotency import begin_attempt, fingerprint_of, store_answer
from datasets.api.views import PAGING, PURPOSE, idempotency_key
from datasets.models import Export, ExportCompression, ExportFormat
from datasets.passport import verify
from datasets.query import parse_filter
from datasets.services.exports.download import Address, Download, make_address, open_download, stream_download
from datasets.services.exports.options import ExportOptions
from datasets.services.exports.request import create_export, get_export, list_exports, withdraw_export
from datasets.services.exports.selection import MAX_SAMPLE, Sample, Split
from datasets.services.exports.statement import public_keys
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.middleware import facts_of

MAX_FIELDS: Final = 200
_TOLERANCE: Final = Decimal("0.000001")
_KEY: Final[dict[str, Any]] = {"max_length": 64, "required": False, "allow_blank": True, "default": ""}


class _Share(serializers.DecimalField):
    """A share from 0 to 1."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=12, decimal_places=11, min_value=Decimal(0), max_value=Decimal(1), **options)


class SplitInput(StrictInput):
    train = _Share(required=False, default=Decimal(0))
    validation = _Share(required=False, default=Decimal(0))
    test = _Share(required=False, default=Decimal(0))
    salt = serializers.CharField(**_KEY)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if abs(attrs["train"] + attrs["validation"] + attrs["test"] - 1) > _TOLERANCE:
            raise serializers.ValidationError("the shares add up to 1")
        return attrs


class SampleInput(StrictInput):
    rate = _Share(required=False)
    size = serializers.IntegerField(min_value=1, max_value=MAX_SAMPLE, required=False)
    seed = serializers.CharField(**_KEY)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("rate" in attrs) == ("size" in attrs) or attrs.get("rate") == 0:
            raise serializers.ValidationError("give a rate above 0, or a size")
        return attrs


class ExportInput(StrictInput):
    version = serializers.CharField(max_length=128, required=False, default="main")
    format = serializers.ChoiceField(choices=ExportFormat.choices, required=False, default="jsonl")
    compression = serializers.ChoiceField(
        choices=ExportCompression.choices, required=False, default="", allow_blank=True
    )
    fields = serializers.ListField(  # type: ignore[assignment]  # a member of the request, not of the serializer
        child=serializers.CharField(max_length=1000), max_length=MAX_FIELDS, required=False, default=list
    )
    filter = serializers.JSONField(required=False, default=None, allow_null=True)
    split = SplitInput(required=False, default=None, allow_null=True)
    sample = SampleInput(required=False, default=None, allow_null=True)
    envelope = serializers.BooleanField(required=False, default=False)
    byte_order_mark = serializers.BooleanField(required=False, default=False)
    purpose = serializers.CharField(max_length=64, required=False, default="", allow_blank=True)
    recipient = serializers.UUIDField(required=False, default=None, allow_null=True)

    def options(self) -> ExportOptions:
        """What was asked for. Raises InvalidFilter."""
        given = self.validated_data
        return ExportOptions(
            format=ExportFormat(given["format"]),
            compression=ExportCompression(given["compression"]),
            fields=tuple(dict.fromkeys(given["fields"])),
            filter=parse_filter(given["filter"]),
            split=_split(given["split"]),
            sample=_sample(given["sample"]),
            envelope=given["envelope"],
            byte_order_mark=given["byte_order_mark"],
        )


def _split(given: dict[str, Any] | None) -> Split | None:
    if given is None:
        return None
    train, validation, test = (_text(given[name]) for name in ("train", "validation", "test"))
    return Split((train, validation, test), given["salt"])


def _sample(given: dict[str, Any] | None) -> Sample | None:
    if given is None:
        return None
    return Sample(given["seed"], _text(given["rate"]) if "rate" in given else "", given.get("size", 0))


def _text(share: Decimal) -> str:
    """``0.8``, whatever digits it was written with."""
    return format(share.normalize(), "f")


class ExportFileOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    split = serializers.CharField(source="part")
    media_type = serializers.CharField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    rows = serializers.IntegerField()


class ExportOutput(serializers.ModelSerializer[Export]):
    version = serializers.CharField(source="version.label")
    files = ExportFileOutput(many=True)
    shown = serializers.SerializerMethodField()

    class Meta:
        model = Export
        fields = [
            "id",
            "dataset_id",
            "version",
            "status",
            "progress",
            "format",
            "compression",
            "options",
            "purpose",
            "recipient",
            "shown",
            "obligations",
            "record_count",
            "size",
            "files",
            "error",
            "created_at",
            "started_at",
            "finished_at",
            "expires_at",
            "removed_at",
        ]

    def get_shown(self, export: Export) -> str:
        """``raw``, or how personal data was hidden."""
        return export.operator or "raw"


class AddressInput(StrictInput):
    file = serializers.CharField(max_length=200, required=False, default="")


class AddressOutput(serializers.Serializer[Any]):
    url = serializers.CharField()
    file = serializers.CharField()
    expires_at = serializers.DateTimeField()


class PassportKeyOutput(serializers.Serializer[Any]):
    key_id = serializers.UUIDField()
    algorithm = serializers.CharField()
    public_key = serializers.CharField()
    state = serializers.CharField()
    created_at = serializers.DateTimeField()


class PassportKeysOutput(serializers.Serializer[Any]):
    data = PassportKeyOutput(many=True)  # type: ignore[assignment]  # declared fields leave the class


class ExportListView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(parameters=PAGING, responses=ExportOutput(many=True))
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """The caller's own exports of a dataset, newest first."""
        wanted = read_page(request, members=1)
        rows = list_exports(self.principal, dataset_id=dataset_id, after=wanted.after, limit=wanted.limit + 1)
        more = encode_cursor([str(rows[wanted.limit - 1].pk)]) if len(rows) > wanted.limit else None
        data = list(ExportOutput(rows[: wanted.limit], many=True).data)
        return Response(page(data, limit=wanted.limit, next_cursor=more))

    @extend_schema(parameters=[PURPOSE], request=ExportInput, responses={202: ExportOutput})
    def post(self, request: Request, dataset_id: UUID) -> Response:
        """Write a version, as the caller may see it, to files that are downloaded later."""
        body = ExportInput(data=request.data)
        body.is_valid(raise_exception=True)
        key = idempotency_key(request)
        answer = self._create_once(key, request, dataset_id, body) if key else self._create(dataset_id, body)
        response = Response(answer, status=202)
        response["Location"] = f"/api/v1/exports/{answer['id']}"
        return response

    def _create(self, dataset_id: UUID, body: ExportInput) -> dict[str, Any]:
        given = body.validated_data
        export = create_export(
            self.principal,
            dataset_id=dataset_id,
            version=given["version"],
            options=body.options(),
            purpose=given["purpose"] or None,
            recipient=given["recipient"],
        )
        return dict(ExportOutput(export).data)

    def _create_once(self, key: str, request: Request, dataset_id: UUID, body: ExportInput) -> dict[str, Any]:
        attempt = begin_attempt(self.principal, route=f"POST exports {dataset_id}", key=key)
        fingerprint = fingerprint_of(orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS))
        attempt.require_same(fingerprint)
        if attempt.answer is not None:
            return dict(ExportOutput(get_export(self.principal, UUID(attempt.answer["export"]))).data)
        answer = self._create(dataset_id, body)
        store_answer(attempt, fingerprint=fingerprint, answer={"export": str(answer["id"])})
        return answer


class ExportView(VaultAPIView):
    resource_type = "export"

    @extend_schema(responses=ExportOutput)
    def get(self, _: Request, export_id: UUID) -> Response:
        """Status, progress and files of an export."""
        return Response(ExportOutput(get_export(self.principal, export_id)).data)

    @extend_schema(responses={204: None})
    def delete(self, _: Request, export_id: UUID) -> Response:
        """Cancel an export that is not finished, or remove the files of one that is."""
        withdraw_export(self.principal, export_id)
        return Response(status=204)


class DownloadAddressView(VaultAPIView):
    resource_type = "export"

    @extend_schema(request=AddressInput, responses=AddressOutput)
    def post(self, request: Request, export_id: UUID) -> Response:
        """A signed address of one file, for this caller and ten minutes. It is decided on again when it is used."""
        body = AddressInput(data=request.data)
        body.is_valid(raise_exception=True)
        address = make_address(self.principal, export_id, name=body.validated_data["file"])
        answer = {"url": address_url(address), "file": address.name, "expires_at": address.expires_at}
        return Response(AddressOutput(answer).data)


def address_url(address: Address) -> str:
    """The path and query of a download."""
    path = reverse("export-file", args=[address.export_id, address.name])
    return f"{path}?{urlencode({'token': address.token})}"


class ExportFileView(VaultAPIView):
    """One file. Opens its scopes itself: bytes flow outside of them."""

    resource_type = "export"
    scope_per_request = False

    @extend_schema(
        parameters=[
            OpenApiParameter("token", OpenApiTypes.STR, required=True),
            OpenApiParameter("Range", OpenApiTypes.STR, OpenApiParameter.HEADER),
        ],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, export_id: UUID, name: str) -> StreamingHttpResponse:
        """Download a file by its signed address; whole, or from a byte on."""
        with self.open_scope():
            download = open_download(
                self.principal,
                export_id,
                name=name,
                token=request.query_params.get("token", ""),
                wanted=request.headers.get("Range", ""),
            )
        body: Iterator[bytes] = iter(())
        if request.method != "HEAD":
            body = stream_download(download, self.principal, facts_of(self.django_request))
        return _file_response(download, body)


def _file_response(download: Download, body: Iterator[bytes]) -> StreamingHttpResponse:
    file = download.file
    response = StreamingHttpResponse(body, content_type=file.media_type, status=206 if download.is_partial else 200)
    response["Content-Length"] = str(download.stop - download.start)
    response["Content-Disposition"] = f'attachment; filename="{file.name}"'
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = f'"{file.sha256}"'
    response["Cache-Control"] = "no-store"
    if download.is_partial:
        response["Content-Range"] = f"bytes {download.start}-{download.stop - 1}/{file.bytes}"
    return response


class PassportKeysView(VaultAPIView):
    resource_type = "passport_key"

    @extend_schema(responses=PassportKeysOutput)
    def get(self, _: Request) -> Response:
        """The public keys that sign this organization's data passports, newest first."""
        authorize(self.principal, "export.read", ResourceRef(type="passport_key"))
        return Response({"data": PassportKeyOutput(public_keys(), many=True).data})


class VerifierView(VaultAPIView):
    resource_type = "passport_key"

    @extend_schema(responses={(200, "text/x-python"): OpenApiTypes.BINARY})
    def get(self, _: Request) -> HttpResponse:
        """The program that checks files against their passport; needs Python and the package cryptography alone."""
        authorize(self.principal, "export.read", ResourceRef(type="passport_key"))
        response = HttpResponse(Path(verify.__file__).read_bytes(), content_type="text/x-python; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="verify.py"'
        return response
