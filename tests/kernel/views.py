"""Views of the tests' own on the real base class: they write, then fail in every way there is."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404
from django.urls import path
from rest_framework import exceptions as drf
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from datasets.errors import DuplicateRecordId, FormatUnavailable, RefusedFile, RefusedLine
from datasets.errors.files import ContradictoryOptions, UnsupportedEncoding
from datasets.errors.lines import ShapeMismatch
from datasets.errors.schemas import SchemaViolation
from datasets.errors.upkeep import DataCorruption
from datasets.models import Dataset
from vaultsite.kernel.api.pagination import page, read_page
from vaultsite.kernel.api.uploads import read_body
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import VaultError, catalogue

#: Errors whose constructor asks for something of its own.
PARTICULAR: dict[type[VaultError], Callable[[], VaultError]] = {
    ContradictoryOptions: lambda: ContradictoryOptions("a rule", field="/mode"),
    DataCorruption: lambda: DataCorruption(bytes(32)),
    DuplicateRecordId: lambda: DuplicateRecordId(first_line=1, line=2),
    FormatUnavailable: lambda: FormatUnavailable(extra="parquet"),
    SchemaViolation: lambda: SchemaViolation([("/text", "is no string")], line=5),
    ShapeMismatch: lambda: ShapeMismatch("a rule", reason="a-rule", line=5, pointer="/messages"),
    UnsupportedEncoding: UnsupportedEncoding,
}


def make_error(kind: type[VaultError]) -> VaultError:
    """An instance, whatever its constructor asks for."""
    if kind in PARTICULAR:
        return PARTICULAR[kind]()
    if issubclass(kind, RefusedLine | RefusedFile):
        return kind("a rule", reason="a-rule", line=5)
    return kind("a detail")


FOREIGN: dict[str, Callable[[], Exception]] = {
    "Http404": Http404,
    "NotFound": drf.NotFound,
    "ParseError": drf.ParseError,
    "MethodNotAllowed": lambda: drf.MethodNotAllowed("POST"),
    "NotAcceptable": drf.NotAcceptable,
    "UnsupportedMediaType": lambda: drf.UnsupportedMediaType("text/x"),
    "ValidationError": lambda: drf.ValidationError({"name": ["wrong"]}),
    "PermissionDenied": lambda: PermissionDenied("canary-value"),
    "DrfPermissionDenied": drf.PermissionDenied,
    "SuspiciousOperation": lambda: SuspiciousOperation("canary-value"),
    "IntegrityError": lambda: IntegrityError("canary-value"),
    "DataError": lambda: DataError("canary-value"),
    "OperationalError": lambda: OperationalError("canary-value"),
    "RuntimeError": lambda: RuntimeError("canary-value"),
    "RecursionError": lambda: RecursionError("canary-value"),
    "MemoryError": lambda: MemoryError("canary-value"),
    "KeyError": lambda: KeyError("canary-value"),
}
OURS = {kind.code: kind for kind in catalogue() if not kind.__module__.startswith("tests.")}


class WriteThenFail(VaultAPIView):
    resource_type = "dataset"

    def post(self, request: Request, name: str) -> Response:
        dataset = Dataset.objects.create(name=str(request.headers["X-Dataset"]), created_by=uuid4())
        if name == "none":
            return Response({"id": dataset.pk})
        if name == "real-integrity-error":
            Dataset.objects.create(name=dataset.name, created_by=uuid4())
        raise make_error(OURS[name]) if name in OURS else FOREIGN[name]()

    def get(self, _: Request, name: str) -> Response:
        raise make_error(OURS[name]) if name in OURS else FOREIGN[name]()


class Choice(serializers.Serializer[Any]):
    color = serializers.ChoiceField(choices=["red", "blue"])
    id = serializers.UUIDField(required=False)
    tags = serializers.ListField(child=serializers.CharField(max_length=3), required=False)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and "a/b~c" in data:
            raise serializers.ValidationError({"a/b~c": ["not a member"]})
        return super().to_internal_value(data)


class Validated(VaultAPIView):
    def post(self, request: Request) -> Response:
        body = Choice(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(body.data)


class Echo(VaultAPIView):
    """Answers what the parser made of the body."""

    def post(self, request: Request) -> Response:
        return Response({"given": request.data})


class Listing(VaultAPIView):
    def get(self, request: Request) -> Response:
        wanted = read_page(request, members=2)
        return Response(page([wanted.after], limit=wanted.limit, next_cursor=None))


class Upload(VaultAPIView):
    """Counts the bytes of a body that may have 1 MiB."""

    def post(self, _: Request) -> Response:
        blocks = [len(block) for block in read_body(self.django_request, limit=1 << 20)]
        form = self.django_request.POST or self.django_request.FILES
        return Response({"bytes": sum(blocks), "largest": max(blocks, default=0), "form": bool(form)})


urlpatterns = [
    path("fail/<str:name>", WriteThenFail.as_view()),
    path("validated", Validated.as_view()),
    path("echo", Echo.as_view()),
    path("listing", Listing.as_view()),
    path("upload", Upload.as_view()),
]
handler404 = "vaultsite.health.not_found"
