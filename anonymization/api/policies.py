"""REST: anonymization policies, their versions, what they are attached to, and the presets."""

from typing import Any
from uuid import UUID

import orjson
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from anonymization.api.policy_shapes import (
    AttachmentInput,
    AttachmentOutput,
    DocumentInput,
    OperatorOutput,
    PolicyChange,
    PolicyInput,
    PolicyOutput,
    PolicyVersionInput,
    PolicyVersionOutput,
    PresetOutput,
    ValidationOutput,
)
from anonymization.models import AnonymizationPolicy, PolicyVersion
from anonymization.operators.registry import OPERATORS, get_operator, parameters_schema
from anonymization.policies.presets import PRESETS
from anonymization.policies.schema import policy_schema
from anonymization.services import policies
from anonymization.services.policies import NewPolicy
from anonymization.services.policy_source import version_of
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView


class PolicyListView(VaultAPIView):
    resource_type = "anonymization_policy"

    @extend_schema(responses=PolicyOutput(many=True))
    def get(self, request: Request) -> Response:
        """The policies, in order of name."""
        wanted = read_page(request, members=1)
        found = policies.list_policies(self.principal, after=wanted.after, limit=wanted.limit + 1)
        rows = found[: wanted.limit]
        cursor = encode_cursor([rows[-1].name]) if len(found) > wanted.limit else None
        return Response(page([_policy(row) for row in rows], limit=wanted.limit, next_cursor=cursor))

    @extend_schema(request=PolicyInput, responses={201: PolicyOutput})
    def post(self, request: Request) -> Response:
        """Make a policy, from a document or a preset; it binds nobody before a version is active and attached."""
        body = PolicyInput(data=request.data)
        body.is_valid(raise_exception=True)
        policy = policies.create_policy(self.principal, NewPolicy(**body.validated_data))
        return Response(_policy(policy), status=201)


class PolicyView(VaultAPIView):
    resource_type = "anonymization_policy"

    @extend_schema(responses=PolicyOutput)
    def get(self, request: Request, policy_id: UUID) -> Response:
        """One policy with its attachments."""
        del request
        return Response(_policy(policies.get_policy(self.principal, policy_id)))

    @extend_schema(request=PolicyChange, responses=PolicyOutput)
    def patch(self, request: Request, policy_id: UUID) -> Response:
        """Change what the policy says of itself; the name stays."""
        body = PolicyChange(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(_policy(policies.change_policy(self.principal, policy_id=policy_id, **body.validated_data)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, policy_id: UUID) -> Response:
        """Take the policy away; refused while it is attached to anything."""
        del request
        policies.delete_policy(self.principal, policy_id=policy_id)
        return Response(status=204)


class VersionListView(VaultAPIView):
    resource_type = "anonymization_policy"

    @extend_schema(operation_id="anonymization_policy_versions_list", responses=PolicyVersionOutput(many=True))
    def get(self, request: Request, policy_id: UUID) -> Response:
        """The versions of a policy, newest first."""
        wanted = read_page(request, members=1)
        policy = policies.get_policy(self.principal, policy_id)
        found = policies.list_versions(policy, after=wanted.after, limit=wanted.limit + 1)
        rows = found[: wanted.limit]
        cursor = encode_cursor([str(rows[-1].number)]) if len(found) > wanted.limit else None
        data = [_version(policy, row) for row in rows]
        return Response(page(data, limit=wanted.limit, next_cursor=cursor))

    @extend_schema(request=PolicyVersionInput, responses={201: PolicyVersionOutput})
    def post(self, request: Request, policy_id: UUID) -> Response:
        """Add a version; it binds at once when asked to."""
        body = PolicyVersionInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        made = policies.add_version(
            self.principal,
            policy_id=policy_id,
            document=given["document"],
            message=given["message"],
            is_active=given["activate"],
        )
        made.policy.refresh_from_db()
        return Response(_version(made.policy, made), status=201)


class VersionView(VaultAPIView):
    resource_type = "anonymization_policy"

    @extend_schema(responses=PolicyVersionOutput)
    def get(self, request: Request, policy_id: UUID, number: int) -> Response:
        """One version of a policy."""
        del request
        policy = policies.get_policy(self.principal, policy_id)
        return Response(_version(policy, version_of(policy, number)))


class ActivationView(VaultAPIView):
    resource_type = "anonymization_policy"

    @extend_schema(request=None, responses=PolicyOutput)
    def post(self, request: Request, policy_id: UUID, number: int) -> Response:
        """Make this version the one that binds."""
        del request
        return Response(_policy(policies.activate_version(self.principal, policy_id=policy_id, number=number)))


class DeactivationView(VaultAPIView):
    resource_type = "anonymization_policy"

    @extend_schema(request=None, responses=PolicyOutput)
    def post(self, request: Request, policy_id: UUID) -> Response:
        """Make no version the one that binds: what the policy is attached to cannot be read then."""
        del request
        return Response(_policy(policies.activate_version(self.principal, policy_id=policy_id, number=None)))


class AttachmentListView(VaultAPIView):
    resource_type = "anonymization_policy"

    @extend_schema(operation_id="anonymization_policy_attachments_list", responses=AttachmentOutput(many=True))
    def get(self, request: Request, policy_id: UUID) -> Response:
        """What the policy is attached to."""
        del request
        attached = policies.attachments_of(policies.get_policy(self.principal, policy_id))
        return Response(page(list(AttachmentOutput(attached, many=True).data), limit=len(attached), next_cursor=None))

    @extend_schema(request=AttachmentInput, responses={201: AttachmentOutput})
    def post(self, request: Request, policy_id: UUID) -> Response:
        """Attach the policy to a dataset, a role or a purpose."""
        body = AttachmentInput(data=request.data)
        body.is_valid(raise_exception=True)
        made = policies.attach_policy(self.principal, policy_id=policy_id, **body.validated_data)
        return Response(AttachmentOutput(made).data, status=201)


class AttachmentView(VaultAPIView):
    resource_type = "anonymization_policy"

    @extend_schema(responses={204: None})
    def delete(self, request: Request, policy_id: UUID, attachment_id: UUID) -> Response:
        """Detach the policy from what this attachment names."""
        del request
        policies.detach_policy(self.principal, policy_id=policy_id, attachment_id=attachment_id)
        return Response(status=204)


class PresetListView(VaultAPIView):
    resource_type = "anonymization_policy"

    @extend_schema(operation_id="anonymization_presets_list", responses=PresetOutput(many=True))
    def get(self, request: Request) -> Response:
        """The policies that come with the vault."""
        del request
        authorize(self.principal, "anonymization.read", policies.resource_of())
        data = [
            {"name": name, "title": one.title, "follows": one.source, "caveat": one.caveat, "document": one.document}
            for name, one in PRESETS.items()
        ]
        return Response(page(data, limit=len(data), next_cursor=None))


class OperatorListView(VaultAPIView):
    resource_type = "anonymization_policy"

    @extend_schema(operation_id="anonymization_operators_list", responses=OperatorOutput(many=True))
    def get(self, request: Request) -> Response:
        """The operators with the schema of their parameters, strictest last; and in ``schema`` that of policies."""
        del request
        authorize(self.principal, "anonymization.read", policies.resource_of())
        known = sorted((get_operator(name) for name in OPERATORS), key=lambda operator: operator.rank)
        data = [
            {
                "name": one.name,
                "title": one.title,
                "description": one.description,
                "is_reversible": one.is_reversible,
                "rank": one.rank,
                "parameters": parameters_schema(one.name),
            }
            for one in known
        ]
        return Response(page(data, limit=len(data), next_cursor=None) | {"schema": policy_schema()})


class PolicyValidationView(VaultAPIView):
    resource_type = "anonymization_policy"

    @extend_schema(request=DocumentInput, responses=ValidationOutput)
    def post(self, request: Request) -> Response:
        """Whether a document is a valid policy; nothing is stored."""
        body = DocumentInput(data=request.data)
        body.is_valid(raise_exception=True)
        document = policies.check_document(self.principal, body.validated_data["document"])
        return Response({"valid": True, "sha256": document.digest.hex(), "places": list(document.fields)})


def _policy(policy: AnonymizationPolicy) -> dict[str, Any]:
    attached = policies.attachments_of(policy)
    shown = PolicyOutput(policy).data
    return {**shown, "attachments": list(AttachmentOutput(attached, many=True).data)}


def _version(policy: AnonymizationPolicy, version: PolicyVersion) -> dict[str, Any]:
    return {
        "policy": str(policy.pk),
        "number": version.number,
        "is_active": version.number == policy.active_version,
        "sha256": bytes(version.digest).hex(),
        "message": version.message,
        "created_by": str(version.created_by),
        "created_at": version.created_at.isoformat(),
        "document": orjson.loads(bytes(version.document)),
    }
