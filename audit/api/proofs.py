"""Proofs of the audit over REST."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from audit.api.proof_serializers import (
    CheckpointPageSerializer,
    CheckpointSerializer,
    ConsistencySerializer,
    EventProofSerializer,
    LogKeysSerializer,
    VerificationPageSerializer,
    VerificationSerializer,
)
from audit.proofs.bundle import public_keys
from audit.proofs.events import list_checkpoints, newest_checkpoint, prove_consistency, prove_event
from audit.proofs.jobs import get_verification, list_verifications, start_verification
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput
from vaultsite.kernel.events.event import ResourceRef

_READ = "audit.read"


class EventProofView(VaultAPIView):
    """The proof that one event stands in the log."""

    resource_type = "audit"

    @extend_schema(operation_id="getAuditEventProof", responses=EventProofSerializer)
    def get(self, _request: Request, event_id: UUID) -> Response:
        authorize(self.principal, _READ, ResourceRef("audit", str(event_id)))
        return Response(EventProofSerializer(prove_event(self.principal.tenant_id, event_id)).data)


class CheckpointList(VaultAPIView):
    """The signed checkpoints of the caller's log, the newest first."""

    resource_type = "audit"

    @extend_schema(
        operation_id="listAuditCheckpoints",
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("cursor", str)],
        responses=CheckpointPageSerializer,
    )
    def get(self, request: Request) -> Response:
        authorize(self.principal, _READ, ResourceRef("audit"))
        wanted = read_page(request, members=1)
        below = _size(wanted.after[0]) if wanted.after else None
        found = list_checkpoints(self.principal.tenant_id, limit=wanted.limit + 1, below=below)
        shown = found[: wanted.limit]
        cursor = encode_cursor([str(shown[-1].size)]) if len(found) > wanted.limit else None
        data = [CheckpointSerializer(checkpoint).data for checkpoint in shown]
        return Response(page(data, limit=wanted.limit, next_cursor=cursor))


class LatestCheckpoint(VaultAPIView):
    """The newest signed checkpoint."""

    resource_type = "audit"

    @extend_schema(operation_id="getLatestAuditCheckpoint", responses=CheckpointSerializer)
    def get(self, _request: Request) -> Response:
        authorize(self.principal, _READ, ResourceRef("audit"))
        return Response(CheckpointSerializer(newest_checkpoint(self.principal.tenant_id)).data)


class ConsistencyView(VaultAPIView):
    """The proof that the log of one checkpoint is the beginning of that of another."""

    resource_type = "audit"

    @extend_schema(
        operation_id="getAuditConsistencyProof",
        parameters=[OpenApiParameter("from", int, required=True), OpenApiParameter("to", int, required=True)],
        responses=ConsistencySerializer,
    )
    def get(self, request: Request) -> Response:
        authorize(self.principal, _READ, ResourceRef("audit"))
        sizes = [_positive(request, name) for name in ("from", "to")]
        return Response(ConsistencySerializer(prove_consistency(self.principal.tenant_id, *sizes)).data)


class LogKeys(VaultAPIView):
    """The public keys that sign, and signed, the checkpoints of the caller's log."""

    resource_type = "audit"

    @extend_schema(operation_id="getAuditKeys", responses=LogKeysSerializer)
    def get(self, _request: Request) -> Response:
        authorize(self.principal, _READ, ResourceRef("audit"))
        return Response({"data": public_keys(self.principal.tenant_id).splitlines()})


class VerificationList(VaultAPIView):
    """Verifications of the whole log."""

    resource_type = "audit_log"

    @extend_schema(operation_id="listAuditVerifications", responses=VerificationPageSerializer)
    def get(self, _request: Request) -> Response:
        found = list_verifications(self.principal)
        return Response({"data": [VerificationSerializer(one).data for one in found]})

    @extend_schema(operation_id="startAuditVerification", request=None, responses={202: VerificationSerializer})
    def post(self, request: Request) -> Response:
        job = start_verification(self.principal)
        job.refresh_from_db()
        headers = {"Location": f"{request.path}/{job.pk}"}
        return Response(VerificationSerializer(job).data, status=202, headers=headers)


class VerificationDetail(VaultAPIView):
    """One verification: how far it is, and what it found."""

    resource_type = "audit_log"

    @extend_schema(operation_id="getAuditVerification", responses=VerificationSerializer)
    def get(self, _request: Request, verification_id: UUID) -> Response:
        return Response(VerificationSerializer(get_verification(self.principal, verification_id=verification_id)).data)


def _size(text: str) -> int:
    try:
        return int(text)
    except (TypeError, ValueError) as exc:
        raise InvalidCursor from exc


def _positive(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not (text.isascii() and text.isdecimal() and 0 < len(text) <= 18 and int(text) > 0):  # noqa: PLR2004 - bigint
        raise InvalidInput(errors=[FieldProblem(name, "the size of a checkpoint, a whole number from 1 on")])
    return int(text)
