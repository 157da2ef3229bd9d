"""REST: the AuthZEN Authorization API 1.0 (OpenID Foundation): evaluation, evaluations and search."""

from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.policy.question import as_uuid
from access.services import inquiries
from access.services.inquiries import Asked, Reply, describe_obligation
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidInput

_ID: Final = 200
_MOST: Final = 100
_SUBJECTS: Final = frozenset({"user", "service"})
_SEARCHABLE: Final = "dataset"
_SEMANTICS: Final = ("execute_all", "deny_on_first_deny", "permit_on_first_permit")


class EntityInput(serializers.Serializer[Any]):
    """A subject or resource; in a search the one looked for has no id."""

    type = serializers.CharField(max_length=64)
    id = serializers.CharField(max_length=_ID, required=False)
    properties = serializers.DictField(required=False)


class ActionInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100)
    properties = serializers.DictField(required=False)


class PageInput(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=100, required=False, allow_blank=True)
    limit = serializers.IntegerField(min_value=1, max_value=1000, required=False)


class EvaluationInput(serializers.Serializer[Any]):
    """Whether the subject may do the action to the resource, in the context."""

    subject = EntityInput(required=False)
    action = ActionInput(required=False)
    resource = EntityInput(required=False)
    context = serializers.DictField(required=False)  # type: ignore[assignment]


class EvaluationsInput(EvaluationInput):
    """Questions that share what they leave out with the request around them."""

    evaluations = EvaluationInput(many=True, required=False)
    options = serializers.DictField(required=False)


class SearchInput(EvaluationInput):
    page = PageInput(required=False)


EvaluationOutput = inline_serializer(
    "AuthzenDecision", {"decision": serializers.BooleanField(), "context": serializers.DictField(required=False)}
)
EvaluationsOutput = inline_serializer(
    "AuthzenDecisions", {"evaluations": serializers.ListField(child=serializers.DictField())}
)
SearchOutput = inline_serializer(
    "AuthzenResults",
    {"results": serializers.ListField(child=serializers.DictField()), "page": serializers.DictField(required=False)},
)


class EvaluationView(VaultAPIView):
    resource_type = "policy"

    @extend_schema(request=EvaluationInput, responses=EvaluationOutput)
    def post(self, request: Request) -> Response:
        """AuthZEN access evaluation."""
        body = _read(EvaluationInput, request)
        (reply,) = inquiries.inquire(self.principal, [_asked(body)])
        return Response(_render(reply))


class EvaluationsView(VaultAPIView):
    resource_type = "policy"

    @extend_schema(request=EvaluationsInput, responses=EvaluationsOutput)
    def post(self, request: Request) -> Response:
        """AuthZEN access evaluations: several questions at once, with the defaults around them."""
        body = _read(EvaluationsInput, request)
        listed = body.get("evaluations") or []
        if not listed:
            (reply,) = inquiries.inquire(self.principal, [_asked(body)])
            return Response(_render(reply))
        if len(listed) > _MOST:
            raise InvalidInput(errors=[FieldProblem("evaluations", f"has at most {_MOST} of them")])
        semantic = str(body.get("options", {}).get("evaluations_semantic", _SEMANTICS[0]))
        if semantic not in _SEMANTICS:
            raise InvalidInput(errors=[FieldProblem("options", f"evaluations_semantic is one of {_SEMANTICS}")])
        shared = ("subject", "action", "resource", "context")
        defaults: dict[str, Any] = {name: body[name] for name in shared if name in body}
        asked = [_asked({**defaults, **one}, f"/evaluations/{number}") for number, one in enumerate(listed)]
        replies = inquiries.inquire(self.principal, asked)
        return Response({"evaluations": [_render(reply) for reply in _until(replies, semantic)]})


class SubjectSearchView(VaultAPIView):
    resource_type = "policy"

    @extend_schema(request=SearchInput, responses=SearchOutput)
    def post(self, request: Request) -> Response:
        """AuthZEN subject search: who may do the action to the resource."""
        body = _read(SearchInput, request)
        asked = _asked(body, wanted="subject")
        inquiries.allow_search(self.principal, "subject")
        after, limit = _page(body)
        if asked.subject_kind not in _SUBJECTS:
            return Response(_results([], None))
        found, cursor = inquiries.allowed_subjects(asked, after=after, limit=limit)
        return Response(_results([{"type": asked.subject_kind, "id": str(one.id)} for one in found], cursor))


class ResourceSearchView(VaultAPIView):
    resource_type = "policy"

    @extend_schema(request=SearchInput, responses=SearchOutput)
    def post(self, request: Request) -> Response:
        """AuthZEN resource search: which datasets the subject may do the action to."""
        body = _read(SearchInput, request)
        asked = _asked(body, wanted="resource")
        inquiries.allow_search(self.principal, "resource")
        after, limit = _page(body)
        if asked.resource_type != _SEARCHABLE:
            return Response(_results([], None))
        found, cursor = inquiries.allowed_datasets(asked, after=after, limit=limit)
        return Response(_results([{"type": _SEARCHABLE, "id": one.question.resource.id} for one in found], cursor))


class ActionSearchView(VaultAPIView):
    resource_type = "policy"

    @extend_schema(request=SearchInput, responses=SearchOutput)
    def post(self, request: Request) -> Response:
        """AuthZEN action search: what the subject may do to the resource."""
        body = _read(SearchInput, request)
        asked = _asked(body, wanted="action")
        inquiries.allow_search(self.principal, "action")
        return Response(_results([{"name": one.question.action} for one in inquiries.allowed_actions(asked)], None))


def _read(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    body = shape(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def _asked(body: dict[str, Any], where: str = "", *, wanted: str = "") -> Asked:
    """The question of a body; ``wanted`` is the member a search looks for, which needs no id."""
    subject, resource, action = body.get("subject") or {}, body.get("resource") or {}, body.get("action") or {}
    given = {"subject": subject.get("id"), "resource": resource.get("id"), "action": action.get("name")}
    missing = [name for name, value in given.items() if not value and name != wanted]
    if missing:
        raise InvalidInput(errors=[FieldProblem(f"{where}/{name}", "is missing, or has no id") for name in missing])
    properties, facts = subject.get("properties") or {}, resource.get("properties") or {}
    context = body.get("context") or {}
    return Asked(
        subject_id=subject.get("id", ""),
        subject_kind=subject.get("type", "user"),
        action=action.get("name", ""),
        roles=_texts(properties.get("roles")) or (),
        attributes={name: properties[name] for name in ("department", "clearance") if _text(properties.get(name))},
        resource_type=resource.get("type", "dataset"),
        resource_id=resource.get("id", ""),
        classification=_text(facts.get("classification")),
        tags=_texts(facts.get("tags")),
        purpose=_text(context.get("purpose")) or None,
        ip_address=_text(context.get("ip_address")),
    )


def _text(value: Any) -> str:
    """A text that can be meant; anything else is not known."""
    return value if isinstance(value, str) and len(value) <= _ID and "\0" not in value else ""


def _texts(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, list) or len(value) > _MOST or not all(map(_text, value)):
        return None
    return tuple(value)


def _until(replies: list[Reply], semantic: str) -> list[Reply]:
    if semantic == _SEMANTICS[0]:
        return replies
    ends_with = semantic == _SEMANTICS[2]
    last = next((number for number, one in enumerate(replies) if one.is_allowed is ends_with), len(replies))
    return replies[: last + 1]


def _render(reply: Reply) -> dict[str, Any]:
    context: dict[str, Any] = {"reason": reply.decision.reason}
    if reply.decision.obligations:
        context["obligations"] = [describe_obligation(one) for one in reply.decision.obligations]
    return {"decision": reply.is_allowed, "context": context}


def _page(body: dict[str, Any]) -> tuple[UUID | None, int]:
    page = body.get("page") or {}
    token = page.get("token") or ""
    after = as_uuid(token) if token else None
    if token and after is None:
        raise InvalidInput(errors=[FieldProblem("/page/token", "is none that was given out")])
    return after, page.get("limit", _MOST)


def _results(results: list[dict[str, str]], cursor: UUID | None) -> dict[str, Any]:
    return {"results": results, "page": {"next_token": str(cursor) if cursor else ""}}
