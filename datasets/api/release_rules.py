"""REST: what a steward declares of a dataset's people before anything is released about them."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import may
from anonymization.guarantees.guarantee import MAX_K
from datasets.api.analytics_shapes import HierarchyInput
from datasets.services.guaranteed.options import MAX_COLUMNS, HierarchyKind, HierarchyPlan
from datasets.services.release_rules import (
    DeclaredRules,
    NewRules,
    declare_release_rules,
    read_release_rules,
)
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.views import VaultAPIView


def _names() -> serializers.ListField:
    child = serializers.CharField(max_length=200)
    return serializers.ListField(child=child, max_length=MAX_COLUMNS, required=False, default=list)


class ReleaseRulesInput(StrictInput):
    """``subject``: the path to whom a record is about, as in filters; ``id`` where each is about somebody else.

    ``sensitive`` and ``insensitive`` name the columns that may have these roles, free text among the latter.
    """

    subject = serializers.CharField(max_length=1024)
    sensitive = _names()
    insensitive = _names()
    minimum_k = serializers.IntegerField(min_value=2, max_value=MAX_K, required=False, default=None, allow_null=True)
    allow_id_filters = serializers.BooleanField(required=False, default=False)
    hierarchies = serializers.DictField(child=HierarchyInput(), required=False, default=dict)

    def rules(self) -> NewRules:
        given = self.validated_data
        return NewRules(
            subject=given["subject"],
            sensitive=given["sensitive"],
            insensitive=given["insensitive"],
            minimum_k=given["minimum_k"],
            allows_id_filters=given["allow_id_filters"],
            hierarchies={
                name: HierarchyPlan(HierarchyKind(one["kind"]), tuple(one["steps"]), one["table"], one["ordered"])
                for name, one in given["hierarchies"].items()
            },
        )


class DeclaredHierarchyOutput(serializers.Serializer[Any]):
    """``table`` holds values: it is told to who declares rules, to others how many lines it has."""

    kind = serializers.CharField()
    steps = serializers.ListField()
    ordered = serializers.BooleanField()
    lines = serializers.IntegerField()
    table = serializers.CharField(required=False)


class ReleaseRulesOutput(serializers.Serializer[Any]):
    """``subject`` empty: nobody has declared any, and who does not read raw gets no table and no statistics."""

    subject = serializers.CharField()
    sensitive = serializers.ListField(child=serializers.CharField())
    insensitive = serializers.ListField(child=serializers.CharField())
    minimum_k = serializers.IntegerField(allow_null=True)
    allow_id_filters = serializers.BooleanField()
    hierarchies = serializers.DictField(child=DeclaredHierarchyOutput())
    declared_by = serializers.UUIDField(allow_null=True)
    declared_at = serializers.DateTimeField(allow_null=True)


class ReleaseRulesView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(responses=ReleaseRulesOutput)
    def get(self, _: Request, dataset_id: UUID) -> Response:
        """What may be asked about the people of the dataset."""
        rules = read_release_rules(self.principal, dataset_id=dataset_id)[1]
        return Response(ReleaseRulesOutput(self._shown(rules)).data)

    @extend_schema(request=ReleaseRulesInput, responses=ReleaseRulesOutput)
    def put(self, request: Request, dataset_id: UUID) -> Response:
        """Declare it, in place of what was declared before. What was released stays released."""
        body = ReleaseRulesInput(data=request.data)
        body.is_valid(raise_exception=True)
        rules = declare_release_rules(self.principal, dataset_id=dataset_id, new=body.rules())
        return Response(ReleaseRulesOutput(self._shown(rules)).data)

    def _shown(self, rules: DeclaredRules | None) -> dict[str, Any]:
        if rules is None:
            lists: dict[str, Any] = {"sensitive": [], "insensitive": [], "hierarchies": {}, "allow_id_filters": False}
            return lists | {"subject": "", "minimum_k": None, "declared_by": None, "declared_at": None}
        is_whole = may(self.principal, "release.manage")
        return vars(rules) | {
            "subject": str(rules.subject),
            "allow_id_filters": rules.allows_id_filters,
            "hierarchies": {name: _plan(plan, is_whole=is_whole) for name, plan in rules.hierarchies.items()},
        }


def _plan(plan: HierarchyPlan, *, is_whole: bool) -> dict[str, Any]:
    shown = {
        "kind": str(plan.kind),
        "steps": list(plan.steps),
        "ordered": plan.is_ordered,
        "lines": len(plan.table.splitlines()),
    }
    return shown | {"table": plan.table} if is_whole else shown
