"""REST: branches, tags, the log of a branch, rollback."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from datasets import selectors
from datasets.api.serializers import VersionOutput
from datasets.models import Branch, Dataset, Version, VersionTag
from datasets.models.version import DEFAULT_BRANCH
from datasets.services import branches, tags
from datasets.services.history import read_log
from datasets.services.rollback import roll_back
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import InvalidCursor

PAGING = [OpenApiParameter("limit", OpenApiTypes.INT), OpenApiParameter("cursor", OpenApiTypes.STR)]


class BranchInput(StrictInput):
    name = serializers.CharField(max_length=100)
    version = serializers.CharField(max_length=100, required=False, default=DEFAULT_BRANCH)


class BranchChange(StrictInput):
    """Either the protection, or where to move and what the branch must point at for that."""

    is_protected = serializers.BooleanField(required=False)
    version = serializers.CharField(max_length=100, required=False)
    expected = serializers.CharField(max_length=100, required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if set(attrs) not in ({"is_protected"}, {"version", "expected"}):
            raise serializers.ValidationError({"version": ["give is_protected alone, or version and expected"]})
        return attrs


class BranchOutput(serializers.ModelSerializer[Branch]):
    version = serializers.SerializerMethodField()
    version_id = serializers.SerializerMethodField()
    is_default = serializers.SerializerMethodField()

    class Meta:
        model = Branch
        fields = [
            "name",
            "version",
            "version_id",
            "is_default",
            "is_protected",
            "created_by",
            "created_at",
            "moved_at",
        ]

    def get_version(self, branch: Branch) -> str | None:
        return branch.head.label if branch.head else None

    def get_version_id(self, branch: Branch) -> str | None:
        return bytes(branch.head.digest).hex() if branch.head else None

    def get_is_default(self, branch: Branch) -> bool:
        return branch.name == DEFAULT_BRANCH


class TagInput(StrictInput):
    name = serializers.CharField(max_length=100)
    version = serializers.CharField(max_length=100)
    message = serializers.CharField(max_length=1000, allow_blank=True, required=False, default="")


class TagOutput(serializers.ModelSerializer[VersionTag]):
    version = serializers.CharField(source="version.label")
    version_id = serializers.SerializerMethodField()

    class Meta:
        model = VersionTag
        fields = ["name", "version", "version_id", "message", "created_by", "created_at"]

    def get_version_id(self, tag: VersionTag) -> str:
        return bytes(tag.version.digest).hex()


class RollbackInput(StrictInput):
    version = serializers.CharField(max_length=100)
    message = serializers.CharField(max_length=1000, allow_blank=True, required=False, default="")
    expected = serializers.CharField(max_length=100, required=False, default="")


class LogInput(StrictInput):
    """Query parameters of a log."""

    branch = serializers.CharField(max_length=100, required=False, default=DEFAULT_BRANCH)
    since = serializers.DateTimeField(required=False, default=None)
    author = serializers.UUIDField(required=False, default=None)
    limit = serializers.CharField(required=False)
    cursor = serializers.CharField(required=False)


def checked(given: StrictInput) -> dict[str, Any]:
    """The validated members."""
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


class _VersionsView(VaultAPIView):
    resource_type = "version"

    def _dataset(self, dataset_id: UUID) -> Dataset:
        dataset = selectors.get_dataset(self.principal, dataset_id, action="version.read")
        authorize(self.principal, "version.read", selectors.resource_of(dataset))
        return dataset


class BranchListView(_VersionsView):
    @extend_schema(parameters=PAGING, responses=BranchOutput(many=True))
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """Branches in order of name."""
        dataset = self._dataset(dataset_id)
        wanted = read_page(request, members=1)
        after = wanted.after[0] if wanted.after else ""
        rows = branches.list_branches(dataset, after=after, limit=wanted.limit + 1)
        more = encode_cursor([rows[wanted.limit - 1].name]) if len(rows) > wanted.limit else None
        data = list(BranchOutput(rows[: wanted.limit], many=True).data)
        return Response(page(data, limit=wanted.limit, next_cursor=more))

    @extend_schema(request=BranchInput, responses={201: BranchOutput})
    def post(self, request: Request, dataset_id: UUID) -> Response:
        """Create a branch at a version, named in any way."""
        given = checked(BranchInput(data=request.data))
        branch = branches.create_branch(
            self.principal, dataset_id=dataset_id, name=given["name"], source=given["version"]
        )
        response = Response(BranchOutput(branch).data, status=201)
        response["Location"] = f"/api/v1/datasets/{dataset_id}/branches/{branch.name}"
        return response


class BranchView(_VersionsView):
    @extend_schema(responses=BranchOutput)
    def get(self, _: Request, dataset_id: UUID, branch: str) -> Response:
        """One branch."""
        return Response(BranchOutput(branches.get_branch(self._dataset(dataset_id), branch)).data)

    @extend_schema(request=BranchChange, responses=BranchOutput)
    def patch(self, request: Request, dataset_id: UUID, branch: str) -> Response:
        """Protect the branch, or move it to another version if it points at the expected one."""
        given = checked(BranchChange(data=request.data))
        change = branches.protect_branch if "is_protected" in given else branches.move_branch
        return Response(BranchOutput(change(self.principal, dataset_id=dataset_id, name=branch, **given)).data)

    @extend_schema(responses={204: None})
    def delete(self, _: Request, dataset_id: UUID, branch: str) -> Response:
        """Remove the branch; its versions stay."""
        branches.delete_branch(self.principal, dataset_id=dataset_id, name=branch)
        return Response(status=204)


class RollbackView(VaultAPIView):
    resource_type = "version"

    @extend_schema(request=RollbackInput, responses={201: VersionOutput})
    def post(self, request: Request, dataset_id: UUID, branch: str) -> Response:
        """Put a new version on the branch that has the records of an earlier one."""
        given = checked(RollbackInput(data=request.data))
        made = roll_back(self.principal, dataset_id=dataset_id, branch_name=branch, **given)
        response = Response(VersionOutput(made).data, status=201)
        response["Location"] = f"/api/v1/datasets/{dataset_id}/versions/{made.label}"
        return response


class TagListView(_VersionsView):
    @extend_schema(parameters=PAGING, responses=TagOutput(many=True))
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """Tags in order of name."""
        dataset = self._dataset(dataset_id)
        wanted = read_page(request, members=1)
        rows = tags.list_tags(dataset, after=wanted.after[0] if wanted.after else "", limit=wanted.limit + 1)
        more = encode_cursor([rows[wanted.limit - 1].name]) if len(rows) > wanted.limit else None
        data = list(TagOutput(rows[: wanted.limit], many=True).data)
        return Response(page(data, limit=wanted.limit, next_cursor=more))

    @extend_schema(request=TagInput, responses={201: TagOutput})
    def post(self, request: Request, dataset_id: UUID) -> Response:
        """Give a version a second name."""
        given = checked(TagInput(data=request.data))
        tag = tags.create_tag(self.principal, dataset_id=dataset_id, **given)
        response = Response(TagOutput(tag).data, status=201)
        response["Location"] = f"/api/v1/datasets/{dataset_id}/tags/{tag.name}"
        return response


class TagView(_VersionsView):
    @extend_schema(responses={204: None})
    def delete(self, _: Request, dataset_id: UUID, tag: str) -> Response:
        """Remove the tag; the version stays."""
        tags.delete_tag(self.principal, dataset_id=dataset_id, name=tag)
        return Response(status=204)


class LogView(_VersionsView):
    @extend_schema(parameters=[LogInput], responses=VersionOutput(many=True))
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """The versions a branch comes from, over both parents, newest first."""
        dataset = self._dataset(dataset_id)
        given = checked(LogInput(data=request.query_params.dict()))
        wanted = read_page(request, members=3)
        head, below = _position(dataset, given["branch"], wanted.after)
        rows = _log(head, given, below=below, limit=wanted.limit + 1)
        more = None
        if head and len(rows) > wanted.limit:
            more = encode_cursor([given["branch"], str(head.pk), str(rows[wanted.limit - 1].sequence)])
        data = list(VersionOutput(rows[: wanted.limit], many=True).data)
        return Response(page(data, limit=wanted.limit, next_cursor=more))


def _log(head: Version | None, given: dict[str, Any], *, below: int | None, limit: int) -> list[Version]:
    if head is None:
        return []
    return read_log(head, below=below, since=given["since"], author=given["author"], limit=limit)


def _position(dataset: Dataset, branch: str, after: tuple[str, ...] | None) -> tuple[Version | None, int | None]:
    """The head the log starts from, and the number it goes on below: a cursor keeps to the head of its first page."""
    head = branches.get_branch(dataset, branch).head
    if after is None:
        return head, None
    asked, pinned, last = after
    head = selectors.find_version_or_none(dataset, pinned)
    if asked != branch or head is None or not (last.isascii() and last.isdigit() and len(last) < 10):  # noqa: PLR2004
        raise InvalidCursor
    return head, int(last)
