"""REST: allow-list, deny-list, field rules and thresholds over detections."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from anonymization.api.trust_shapes import (
    FieldRuleInput,
    FieldRuleOutput,
    ListEntryInput,
    ListEntryOutput,
    RuleChange,
    ThresholdChange,
    ThresholdInput,
    ThresholdOutput,
)
from anonymization.models import FieldEntry, ListEntry, ThresholdEntry
from anonymization.services import trust_rules
from anonymization.services.trust_rules import NewFieldRule, NewListEntry, NewThreshold
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput

LISTING: Final = [
    OpenApiParameter("limit", OpenApiTypes.INT),
    OpenApiParameter("cursor", OpenApiTypes.STR),
    OpenApiParameter("dataset_id", OpenApiTypes.UUID),
]


class RuleListView(VaultAPIView):
    """What the lists of all rules share."""

    resource_type = "detection-rule"
    kind: ClassVar[type[ListEntry] | type[FieldEntry] | type[ThresholdEntry]]
    output: ClassVar[type[serializers.ModelSerializer[Any]]]
    filters: ClassVar[Mapping[str, str]] = {}

    def listing(self, request: Request) -> Response:
        wanted = read_page(request, members=1)
        found = trust_rules.list_rules(
            self.principal,
            kind=self.kind,
            filters=self.filters,
            dataset_id=_uuid(request.query_params.get("dataset_id")),
            after=cursor_of(wanted.after),
            limit=wanted.limit + 1,
        )
        rows = found[: wanted.limit]
        cursor = encode_cursor([str(rows[-1].pk)]) if len(found) > wanted.limit else None
        return Response(page(list(self.output(rows, many=True).data), limit=wanted.limit, next_cursor=cursor))


class _ListEntries(RuleListView):
    kind = ListEntry
    output = ListEntryOutput
    list_name: ClassVar[str]

    def added(self, request: Request) -> Response:
        body = ListEntryInput(data=request.data)
        body.is_valid(raise_exception=True)
        new = NewListEntry(list_name=self.list_name, **body.validated_data)
        return Response(ListEntryOutput(trust_rules.add_list_entry(self.principal, new=new)).data, status=201)


class AllowListView(_ListEntries):
    list_name = "allow"
    filters = {"list_name": "allow"}

    @extend_schema(parameters=LISTING, responses=ListEntryOutput(many=True))
    def get(self, request: Request) -> Response:
        """The entries of the allow-list, newest first. Values and patterns are not shown."""
        return self.listing(request)

    @extend_schema(request=ListEntryInput, responses={201: ListEntryOutput})
    def post(self, request: Request) -> Response:
        """Say that a value, what matches a pattern, or what is found in a field is harmless."""
        return self.added(request)


class DenyListView(_ListEntries):
    list_name = "deny"
    filters = {"list_name": "deny"}

    @extend_schema(parameters=LISTING, responses=ListEntryOutput(many=True))
    def get(self, request: Request) -> Response:
        """The entries of the deny-list, newest first. Values and patterns are not shown."""
        return self.listing(request)

    @extend_schema(request=ListEntryInput, responses={201: ListEntryOutput})
    def post(self, request: Request) -> Response:
        """Say that a value, or what matches a pattern, is personal although no recognizer sees it."""
        return self.added(request)


class FieldRuleListView(RuleListView):
    kind = FieldEntry
    output = FieldRuleOutput

    @extend_schema(parameters=LISTING, responses=FieldRuleOutput(many=True))
    def get(self, request: Request) -> Response:
        """The field rules, newest first."""
        return self.listing(request)

    @extend_schema(request=FieldRuleInput, responses={201: FieldRuleOutput})
    def post(self, request: Request) -> Response:
        """Say what a field holds: a type of personal data, always some, or never any."""
        body = FieldRuleInput(data=request.data)
        body.is_valid(raise_exception=True)
        row = trust_rules.add_field_rule(self.principal, new=NewFieldRule(**body.validated_data))
        return Response(FieldRuleOutput(row).data, status=201)


class ThresholdListView(RuleListView):
    kind = ThresholdEntry
    output = ThresholdOutput

    @extend_schema(parameters=LISTING, responses=ThresholdOutput(many=True))
    def get(self, request: Request) -> Response:
        """The thresholds, newest first; types without one count from 0.4 on."""
        return self.listing(request)

    @extend_schema(request=ThresholdInput, responses={201: ThresholdOutput})
    def post(self, request: Request) -> Response:
        """Say from which score on findings of a type count."""
        body = ThresholdInput(data=request.data)
        body.is_valid(raise_exception=True)
        row = trust_rules.add_threshold(self.principal, new=NewThreshold(**body.validated_data))
        return Response(ThresholdOutput(row).data, status=201)


class RuleView(VaultAPIView):
    """What single rules share."""

    resource_type = "detection-rule"
    kind: ClassVar[type[ListEntry] | type[FieldEntry] | type[ThresholdEntry]]
    output: ClassVar[type[serializers.ModelSerializer[Any]]]
    change: ClassVar[type[StrictInput]] = RuleChange
    filters: ClassVar[Mapping[str, str]] = {}

    def shown(self, rule_id: UUID) -> Response:
        row = trust_rules.get_rule(self.principal, kind=self.kind, rule_id=rule_id, filters=self.filters)
        return Response(self.output(row).data)

    def changed(self, request: Request, rule_id: UUID) -> Response:
        body = self.change(data=request.data)
        body.is_valid(raise_exception=True)
        row = trust_rules.change_rule(
            self.principal, kind=self.kind, rule_id=rule_id, filters=self.filters, changes=body.validated_data
        )
        return Response(self.output(row).data)

    def removed(self, rule_id: UUID) -> Response:
        trust_rules.remove_rule(self.principal, kind=self.kind, rule_id=rule_id, filters=self.filters)
        return Response(status=204)


class AllowEntryView(RuleView):
    kind, output, filters = ListEntry, ListEntryOutput, {"list_name": "allow"}

    @extend_schema(responses=ListEntryOutput)
    def get(self, _: Request, rule_id: UUID) -> Response:
        """One entry of the allow-list."""
        return self.shown(rule_id)

    @extend_schema(request=RuleChange, responses=ListEntryOutput)
    def patch(self, request: Request, rule_id: UUID) -> Response:
        """Change the reason or the end of an entry."""
        return self.changed(request, rule_id)

    @extend_schema(responses={204: None})
    def delete(self, _: Request, rule_id: UUID) -> Response:
        """Take the entry away; what it allowed is hidden again from the next read on."""
        return self.removed(rule_id)


class DenyEntryView(RuleView):
    kind, output, filters = ListEntry, ListEntryOutput, {"list_name": "deny"}

    @extend_schema(responses=ListEntryOutput)
    def get(self, _: Request, rule_id: UUID) -> Response:
        """One entry of the deny-list."""
        return self.shown(rule_id)

    @extend_schema(request=RuleChange, responses=ListEntryOutput)
    def patch(self, request: Request, rule_id: UUID) -> Response:
        """Change the reason or the end of an entry."""
        return self.changed(request, rule_id)

    @extend_schema(responses={204: None})
    def delete(self, _: Request, rule_id: UUID) -> Response:
        """Take the entry away; what it hid is shown again from the next read on, unless something else finds it."""
        return self.removed(rule_id)


class FieldRuleView(RuleView):
    kind, output = FieldEntry, FieldRuleOutput

    @extend_schema(responses=FieldRuleOutput)
    def get(self, _: Request, rule_id: UUID) -> Response:
        """One field rule."""
        return self.shown(rule_id)

    @extend_schema(request=RuleChange, responses=FieldRuleOutput)
    def patch(self, request: Request, rule_id: UUID) -> Response:
        """Change the reason or the end of a rule."""
        return self.changed(request, rule_id)

    @extend_schema(responses={204: None})
    def delete(self, _: Request, rule_id: UUID) -> Response:
        """Take the rule away."""
        return self.removed(rule_id)


class ThresholdView(RuleView):
    kind, output, change = ThresholdEntry, ThresholdOutput, ThresholdChange

    @extend_schema(responses=ThresholdOutput)
    def get(self, _: Request, rule_id: UUID) -> Response:
        """One threshold."""
        return self.shown(rule_id)

    @extend_schema(request=ThresholdChange, responses=ThresholdOutput)
    def patch(self, request: Request, rule_id: UUID) -> Response:
        """Change the score or the reason."""
        return self.changed(request, rule_id)

    @extend_schema(responses={204: None})
    def delete(self, _: Request, rule_id: UUID) -> Response:
        """Take the threshold away; the type counts from 0.4 on again, or from the organization's threshold on."""
        return self.removed(rule_id)


def _uuid(given: str | None) -> UUID | None:
    try:
        return UUID(given) if given else None
    except ValueError:
        raise InvalidInput(errors=[FieldProblem(field="dataset_id", detail="a UUID")]) from None


def cursor_of(after: tuple[str, ...] | None) -> UUID | None:
    try:
        return UUID(after[0]) if after else None
    except ValueError:
        raise InvalidCursor from None
