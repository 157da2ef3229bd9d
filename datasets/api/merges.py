"""REST: merges and their conflicts."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from datasets.api.views import PAGING, PURPOSE
from datasets.models import Merge, MergeStrategy, Resolution
from datasets.selectors import get_dataset, resource_of
from datasets.services.commit import is_label
from datasets.services.merges.conflicts import get_conflict, open_conflicts, resolve_conflict
from datasets.services.merges.lookup import count_conflicts, get_merge, list_conflicts
from datasets.services.merges.start import (
    INLINE_SECONDS,
    Wish,
    abandon_merge,
    continue_merge,
    is_inline,
    start_merge,
)
from datasets.services.merges.work import run_merge
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.middleware import facts_of


class MergeInput(StrictInput):
    source = serializers.CharField(max_length=128)  # type: ignore[assignment]  # the framework's own attribute
    target = serializers.CharField(max_length=100)
    strategy = serializers.ChoiceField(choices=MergeStrategy.choices, required=False, default="manual")
    message = serializers.CharField(max_length=1000, allow_blank=True, required=False, default="")
    label = serializers.CharField(max_length=32, required=False, default="")  # type: ignore[assignment]
    expected = serializers.CharField(max_length=128, required=False, default="")

    def validate_label(self, value: str) -> str:
        if value and not is_label(value):
            raise serializers.ValidationError("a version label reads vX.Y.Z")
        return value

    def wish(self) -> Wish:
        given = self.validated_data
        return Wish(**given | {"strategy": MergeStrategy(given["strategy"])})


class MergeOutput(serializers.ModelSerializer[Merge]):
    source = serializers.CharField(source="source_name")  # type: ignore[assignment]  # the framework's own attribute
    state = serializers.CharField()
    source_version = serializers.SerializerMethodField()
    target_version = serializers.SerializerMethodField()
    base_version = serializers.SerializerMethodField()
    version = serializers.SerializerMethodField()
    conflicts = serializers.SerializerMethodField()

    class Meta:
        model = Merge
        fields = [
            "id",
            "dataset_id",
            "status",
            "state",
            "source",
            "target",
            "strategy",
            "source_version",
            "target_version",
            "base_version",
            "version",
            "conflicts",
            "result",
            "progress",
            "error",
            "message",
            "request_id",
            "requested_by",
            "created_at",
            "started_at",
            "finished_at",
        ]

    def get_source_version(self, merge: Merge) -> str | None:
        return merge.source.label if merge.source else None

    def get_target_version(self, merge: Merge) -> str | None:
        return merge.ours.label if merge.ours else None

    def get_base_version(self, merge: Merge) -> str | None:
        return merge.base.label if merge.base else None

    def get_version(self, merge: Merge) -> str | None:
        return merge.version.label if merge.version else None

    def get_conflicts(self, merge: Merge) -> dict[str, int]:
        total, left = count_conflicts(merge)
        return {"total": total, "unresolved": left}


class ResolvedRecordInput(StrictInput):
    data = serializers.DictField()  # type: ignore[assignment]  # the framework's own attribute
    metadata = serializers.DictField(required=False, default=dict)


class ResolutionInput(StrictInput):
    """``resolution`` names a side, or is ``record`` with the record that shall stand there."""

    resolution = serializers.ChoiceField(choices=["ours", "theirs", "base", "record"], required=False)
    record = ResolvedRecordInput(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        chosen = attrs.setdefault("resolution", "record" if "record" in attrs else None)
        if chosen is None or (chosen == "record") != ("record" in attrs):
            raise serializers.ValidationError({"resolution": ["ours, theirs or base; or record, with the record"]})
        return attrs


class ConflictOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    record_id = serializers.CharField()
    kind = serializers.CharField()
    resolution = serializers.CharField(allow_null=True)
    resolved_by = serializers.UUIDField(allow_null=True)
    hidden = serializers.BooleanField()
    pointers = serializers.ListField(child=serializers.CharField())
    sides = serializers.JSONField()


class MergeJobView(VaultAPIView):
    """What asks for work on a merge: small ones are finished before the answer."""

    resource_type = "merge"
    scope_per_request = False

    def worked_on(self, merge: Merge) -> Response:
        """200 with the merge once it has ended, 202 while a worker is on it, the problem itself when it failed."""
        if is_inline(merge):
            run_merge(self.principal.tenant_id, merge.pk, turn_seconds=INLINE_SECONDS)
        with self.silent_scope():
            merge = Merge.objects.select_related("source", "ours", "base", "version").get(pk=merge.pk)
            body = MergeOutput(merge).data
        if merge.status == JobStatus.FAILED:
            told = {"merge": str(merge.pk), "trace_id": facts_of(self.django_request).request_id}
            problem = dict(merge.error or {}) | told
            return Response(problem, status=problem.get("status", 500), content_type="application/problem+json")
        response = Response(body, status=200 if merge.is_final else 202)
        response["Location"] = f"/api/v1/merges/{merge.pk}"
        return response


class MergeListView(MergeJobView):
    resource_type = "dataset"

    @extend_schema(request=MergeInput, responses={200: MergeOutput, 202: MergeOutput})
    def post(self, request: Request, dataset_id: UUID) -> Response:
        """Merge a branch or version into a branch, record by record and member by member."""
        with self.open_scope():
            get_dataset(self.principal, dataset_id, action="merge.write")
            body = MergeInput(data=request.data)
            body.is_valid(raise_exception=True)
            merge = start_merge(self.principal, dataset_id=dataset_id, wish=body.wish())
        return self.worked_on(merge)


class MergeView(VaultAPIView):
    resource_type = "merge"

    @extend_schema(responses=MergeOutput)
    def get(self, _: Request, merge_id: UUID) -> Response:
        """How a merge stands, and what came of it."""
        merge = get_merge(self.principal, merge_id, action="version.read")
        authorize(self.principal, "version.read", resource_of(merge.dataset))
        return Response(MergeOutput(merge).data)

    @extend_schema(responses={204: None})
    def delete(self, _: Request, merge_id: UUID) -> Response:
        """Abandon a merge that waits for resolutions."""
        abandon_merge(self.principal, merge_id=merge_id)
        return Response(status=204)


class MergeContinueView(MergeJobView):
    @extend_schema(request=None, responses={200: MergeOutput, 202: MergeOutput})
    def post(self, _: Request, merge_id: UUID) -> Response:
        """Go on with a merge whose conflicts are all resolved."""
        with self.open_scope():
            merge = continue_merge(self.principal, merge_id=merge_id)
        return self.worked_on(merge)


class ConflictListView(VaultAPIView):
    resource_type = "merge"
    scope_per_request = False

    @extend_schema(parameters=[PURPOSE, *PAGING], responses=ConflictOutput(many=True))
    def get(self, request: Request, merge_id: UUID) -> Response:
        """The conflicts of a merge in order of record id, every side as this reader may see it."""
        with self.open_scope():
            wanted = read_page(request, members=1)
            reader = open_conflicts(self.principal, merge_id=merge_id)
            after = wanted.after[0] if wanted.after else ""
            rows = list_conflicts(reader.merge, after=after, limit=wanted.limit + 1)
        shown = [conflict.as_json() for conflict in reader.shown(rows[: wanted.limit])]
        more = encode_cursor([rows[wanted.limit - 1].record_id]) if len(rows) > wanted.limit else None
        return Response(page(shown, limit=wanted.limit, next_cursor=more))


class ConflictView(VaultAPIView):
    resource_type = "merge"
    scope_per_request = False

    @extend_schema(parameters=[PURPOSE], responses=ConflictOutput)
    def get(self, _: Request, merge_id: UUID, conflict_id: UUID) -> Response:
        """One conflict, every side as this reader may see it."""
        with self.open_scope():
            reader = open_conflicts(self.principal, merge_id=merge_id)
            row = get_conflict(reader.merge, conflict_id)
        (shown,) = reader.shown([row])
        return Response(shown.as_json())

    @extend_schema(request=ResolutionInput, responses={204: None})
    def put(self, request: Request, merge_id: UUID, conflict_id: UUID) -> Response:
        """Say what shall stand in the merge: the record of a side, or one of your own, which is looked through."""
        with self.open_scope():
            get_merge(self.principal, merge_id, action="merge.write")
            body = ResolutionInput(data=request.data)
            body.is_valid(raise_exception=True)
            given = body.validated_data
            resolve_conflict(
                self.principal,
                merge_id=merge_id,
                conflict_id=conflict_id,
                resolution=Resolution(given["resolution"]),
                **given.get("record", {}),
            )
        return Response(status=204)
