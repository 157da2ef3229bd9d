"""REST: tokens for values, values for tokens, and the scopes of the token vault. No value is ever logged."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from anonymization.models import TokenResealing
from anonymization.services.token_vault.overview import SpaceView, list_spaces
from anonymization.services.token_vault.upkeep import allow_frequent, expire_space, rotate_space
from anonymization.services.tokens import MAX_BATCH, MAX_VALUE, Issued, Revealed, detokenize, tokenize
from anonymization.tokens.form import TokenForm, TokenKind, TokenScope
from anonymization.tokens.text import DEFAULT_PREFIX
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput, VaultError

PURPOSE: Final = OpenApiParameter("X-Vault-Purpose", OpenApiTypes.STR, OpenApiParameter.HEADER)
PAGING: Final = [OpenApiParameter("limit", OpenApiTypes.INT), OpenApiParameter("cursor", OpenApiTypes.STR)]
#: Longest life of a token that expires, in seconds: a hundred years.
_LONGEST_LIFE: Final = 100 * 365 * 86_400


class TokenScopeInput(StrictInput):
    """Both members narrow the scope: to the users of a dataset, and to a purpose, which the request then is for."""

    dataset_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    purpose = serializers.CharField(max_length=63, required=False, allow_blank=True, default="")


class BatchField(serializers.ListField):
    """Strings of one request. They are checked at once: a field for each would take most of the request's time."""

    child = serializers.CharField(max_length=MAX_VALUE)

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list) or not 1 <= len(data) <= MAX_BATCH:
            raise serializers.ValidationError(f"a list of 1 to {MAX_BATCH} texts")
        for index, text in enumerate(data):
            if not isinstance(text, str) or not 1 <= len(text) <= MAX_VALUE:
                raise serializers.ValidationError(f"item {index} is no text of 1 to {MAX_VALUE} characters")
        return data


class TokenizeInput(StrictInput):
    """``format`` (digits, alnum, card, or a template) belongs to the kind ``format`` and to no other."""

    scope = TokenScopeInput(required=False)
    kind = serializers.ChoiceField(choices=[kind.value for kind in TokenKind], required=False)
    prefix = serializers.CharField(max_length=16, required=False, default=DEFAULT_PREFIX)
    format = serializers.CharField(max_length=130, required=False, default="", allow_blank=True, trim_whitespace=False)
    expires_in_seconds = serializers.IntegerField(
        min_value=1, max_value=_LONGEST_LIFE, required=False, allow_null=True, default=None
    )
    values = BatchField()

    def form(self) -> TokenForm:
        """Raises InvalidInput for a prefix or format that is none."""
        given = self.validated_data
        life: int | None = given["expires_in_seconds"]
        expires_at: datetime | None = timezone.now() + timedelta(seconds=life) if life else None
        kind = TokenKind(given["kind"]) if given.get("kind") else None
        if kind is None:
            kind = TokenKind.FORMAT if given["format"] else TokenForm.usual(scope_of(given)).kind
        try:
            return TokenForm(kind, given["prefix"], given["format"], expires_at)
        except ValueError as problem:
            field = "/prefix" if "prefix" in str(problem) else "/format"
            raise InvalidInput(errors=[FieldProblem(field, str(problem))]) from None


class DetokenizeInput(StrictInput):
    scope = TokenScopeInput(required=False)
    tokens = BatchField()


class RefusalOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    title = serializers.CharField()


class TokenOutput(serializers.Serializer[Any]):
    token = serializers.CharField(required=False)
    expires_at = serializers.DateTimeField(required=False)
    error = RefusalOutput(required=False)


class TokenizeOutput(serializers.Serializer[Any]):
    results = TokenOutput(many=True)
    refused = serializers.IntegerField()


class ValueOutput(serializers.Serializer[Any]):
    value = serializers.CharField(required=False)
    error = RefusalOutput(required=False)


class DetokenizeOutput(serializers.Serializer[Any]):
    results = ValueOutput(many=True)
    refused = serializers.IntegerField()


class TokenizeView(VaultAPIView):
    resource_type = "token"

    @extend_schema(parameters=[PURPOSE], request=TokenizeInput, responses=TokenizeOutput)
    def post(self, request: Request) -> Response:
        """A token for each of up to 1,000 values, in their order; a value that gets none has an error in its place."""
        body = TokenizeInput(data=request.data)
        body.is_valid(raise_exception=True)
        scope = scope_of(body.validated_data)
        issued = tokenize(self.principal, scope=scope, form=body.form(), values=body.validated_data["values"])
        return _answer([_issued_json(one) for one in issued])


class DetokenizeView(VaultAPIView):
    resource_type = "token"

    @extend_schema(parameters=[PURPOSE], request=DetokenizeInput, responses=DetokenizeOutput)
    def post(self, request: Request) -> Response:
        """The value behind each of up to 1,000 tokens of one scope, in their order; each is counted in the audit."""
        body = DetokenizeInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        revealed = detokenize(self.principal, scope=scope_of(given), tokens=given["tokens"])
        return _answer([_revealed_json(one) for one in revealed])


def scope_of(given: dict[str, Any]) -> TokenScope:
    scope = given.get("scope", {})
    return TokenScope(scope.get("dataset_id"), scope.get("purpose", ""))


def _answer(results: list[dict[str, Any]]) -> Response:
    response = Response({"results": results, "refused": sum("error" in one for one in results)})
    response["Cache-Control"] = "no-store"
    return response


def _issued_json(issued: Issued) -> dict[str, Any]:
    if issued.refusal is not None:
        return {"error": _refusal_json(issued.refusal)}
    ends = {"expires_at": issued.expires_at} if issued.expires_at else {}
    return {"token": issued.token, **ends}


def _revealed_json(revealed: Revealed) -> dict[str, Any]:
    if revealed.refusal is not None:
        return {"error": _refusal_json(revealed.refusal)}
    return {"value": revealed.value}


def _refusal_json(refusal: VaultError) -> dict[str, str]:
    return {"code": refusal.code, "title": refusal.title}


class SpaceOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    dataset_id = serializers.UUIDField(allow_null=True)
    purpose = serializers.CharField()
    generation = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    rotated_at = serializers.DateTimeField(allow_null=True)
    expired_before = serializers.DateTimeField(allow_null=True)
    frequent_reason = serializers.CharField()
    counts = serializers.DictField()


class ReasonInput(StrictInput):
    reason = serializers.CharField(max_length=1000)


class ResealingOutput(serializers.ModelSerializer[TokenResealing]):
    class Meta:
        model = TokenResealing
        fields = ["id", "status", "moved_count", "created_at"]


class SpaceListView(VaultAPIView):
    resource_type = "token_scope"

    @extend_schema(parameters=PAGING, responses=SpaceOutput(many=True))
    def get(self, request: Request) -> Response:
        """The scopes there are, oldest first, with counters; never a token or value."""
        wanted = read_page(request, members=1)
        after = _after(wanted.after)
        found = list_spaces(self.principal, after=after, limit=wanted.limit + 1)
        more = encode_cursor([str(found[wanted.limit - 1].space.pk)]) if len(found) > wanted.limit else None
        data = [_space_json(one) for one in found[: wanted.limit]]
        return Response(page(data, limit=wanted.limit, next_cursor=more))


class SpaceRotationView(VaultAPIView):
    resource_type = "token_scope"

    @extend_schema(request=None, responses={202: ResealingOutput})
    def post(self, _: Request, space_id: UUID) -> Response:
        """New keys: equal values get new tokens from now on; the old tokens go on opening."""
        return Response(ResealingOutput(rotate_space(self.principal, space_id=space_id)).data, status=202)


class SpaceExpiryView(VaultAPIView):
    resource_type = "token_scope"

    @extend_schema(request=None, responses={204: None})
    def post(self, _: Request, space_id: UUID) -> Response:
        """Expire every token that the scope has now; they are removed in the background."""
        expire_space(self.principal, space_id=space_id)
        return Response(status=204)


class FrequentValueView(VaultAPIView):
    resource_type = "token_scope"

    @extend_schema(request=ReasonInput, responses={204: None})
    def put(self, request: Request, space_id: UUID) -> Response:
        """Record why one value of the scope may have more than a hundredth of all occurrences."""
        body = ReasonInput(data=request.data)
        body.is_valid(raise_exception=True)
        allow_frequent(self.principal, space_id=space_id, reason=body.validated_data["reason"])
        return Response(status=204)

    @extend_schema(responses={204: None})
    def delete(self, _: Request, space_id: UUID) -> Response:
        """Refuse frequent values again."""
        allow_frequent(self.principal, space_id=space_id, reason="")
        return Response(status=204)


def _after(members: tuple[str, ...] | None) -> UUID | None:
    try:
        return UUID(members[0]) if members else None
    except ValueError:
        raise InvalidCursor from None


def _space_json(view: SpaceView) -> dict[str, Any]:
    space = view.space
    facts = {
        "id": space.pk,
        "dataset_id": space.dataset_id,
        "purpose": space.purpose,
        "generation": view.generation,
        "created_at": space.created_at,
        "rotated_at": view.rotated_at,
        "expired_before": space.expired_before,
        "frequent_reason": space.frequent_reason,
        "counts": {one.kind: asdict(one) for one in view.kinds},
    }
    return dict(SpaceOutput(facts).data)
