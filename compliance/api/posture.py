"""Posture over REST: how controls stand, the probes behind them, and evidence for what no probe can try."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING, paged
from compliance.api.posture_serializers import (
    ComplianceStatusOutput,
    ControlAttestationInput,
    ControlDetailOutput,
    ControlEvidenceOutput,
    ProbeKeysOutput,
    ProbeResultOutput,
    ProbeRunDetailOutput,
    ProbeRunListOutput,
    ProbeRunOutput,
    shown_control,
    shown_control_file,
    shown_result,
)
from compliance.models.posture import ControlEvidence, ProbeRun
from compliance.posture.controls import frameworks
from compliance.posture.evidence import Attestation, attest_control, get_evidence, open_document, withdraw_evidence
from compliance.posture.read import public_keys, read_control, read_result, read_status, results_of_run
from compliance.posture.run import get_probe_run, list_probe_runs, start_probes
from compliance.posture.signing import DOMAIN, as_text
from compliance.posture.standing import Standing, count_states
from vaultsite.kernel.api.pagination import PageRequest, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import InvalidCursor


class ComplianceStatusView(VaultAPIView):
    resource_type = "posture"

    @extend_schema(
        operation_id="getComplianceStatus",
        parameters=[OpenApiParameter("framework", OpenApiTypes.STR)],
        responses=ComplianceStatusOutput,
    )
    def get(self, request: Request) -> Response:
        """How every control stands, by framework, from probes that were run."""
        wanted = request.query_params.get("framework", "")
        return Response(shown_status(read_status(self.principal, framework=wanted), wanted))


def shown_status(found: Standing, wanted: str = "") -> dict[str, Any]:
    rows = {name: controls for name, controls in found.by_framework().items() if wanted in ("", name)}
    return {
        "at": found.at,
        "counts": count_states(found, wanted),
        "frameworks": [
            {
                "framework": name,
                "title": frameworks()[name].title,
                "source": frameworks()[name].source,
                "counts": count_states(found, name),
                "controls": [shown_control(one) for one in controls],
            }
            for name, controls in rows.items()
        ],
    }


class ControlView(VaultAPIView):
    resource_type = "control"

    @extend_schema(operation_id="getControl", responses=ControlDetailOutput)
    def get(self, _: Request, control: str) -> Response:
        """One control: how it stands, what its probes found last, and the evidence attached to it."""
        return Response(shown_control_file(read_control(self.principal, control_id=control)))


class ControlEvidenceListView(VaultAPIView):
    resource_type = "control"

    @extend_schema(
        operation_id="attestControl", request=ControlAttestationInput, responses={201: ControlEvidenceOutput}
    )
    def post(self, request: Request, control: str) -> Response:
        """Attest a control outside of the software by a document."""
        body = ControlAttestationInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        document = given.pop("document")
        made = attest_control(self.principal, control_id=control, attestation=Attestation(**given), document=document)
        location = reverse("control-evidence", args=[made.pk])
        return Response(_evidence(made), status=201, headers={"Location": location})


class ControlEvidenceView(VaultAPIView):
    resource_type = "evidence"

    @extend_schema(operation_id="getControlEvidence", responses=ControlEvidenceOutput)
    def get(self, _: Request, evidence_id: UUID) -> Response:
        """What was attested, by whom, and until when."""
        return Response(_evidence(get_evidence(self.principal, evidence_id=evidence_id)))

    @extend_schema(operation_id="withdrawControlEvidence", responses={204: None})
    def delete(self, _: Request, evidence_id: UUID) -> Response:
        """Withdraw evidence: it attests nothing any more, and its document is gone."""
        withdraw_evidence(self.principal, evidence_id=evidence_id)
        return Response(status=204)


class ControlEvidenceDocumentView(VaultAPIView):
    resource_type = "evidence"

    @extend_schema(
        operation_id="downloadControlEvidence",
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "The document.")},
    )
    def get(self, _: Request, evidence_id: UUID) -> HttpResponse:
        """The document, opened."""
        return as_download(*open_document(self.principal, evidence_id=evidence_id))


def as_download(evidence: ControlEvidence, document: bytes) -> HttpResponse:
    """A file under a name of the vault's own, never shown in the page."""
    return HttpResponse(
        document,
        content_type=evidence.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{evidence.control}-{evidence.pk}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


class ProbeRunListView(VaultAPIView):
    resource_type = "probe_run"

    @extend_schema(operation_id="listProbeRuns", parameters=PAGING, responses=ProbeRunListOutput)
    def get(self, request: Request) -> Response:
        """Runs of probes, the newest first."""
        wanted = read_page(request, members=1)
        found = list_probe_runs(self.principal, limit=wanted.limit + 1, after=_after(wanted))
        return paged(found, wanted, _run)

    @extend_schema(operation_id="startProbes", request=None, responses={202: ProbeRunOutput})
    def post(self, _: Request) -> Response:
        """Run all probes now."""
        run = start_probes(self.principal)
        return Response(_run(run), status=202, headers={"Location": reverse("probe-run", args=[run.pk])})


class ProbeRunView(VaultAPIView):
    resource_type = "probe_run"

    @extend_schema(operation_id="getProbeRun", responses=ProbeRunDetailOutput)
    def get(self, _: Request, probe_run_id: UUID) -> Response:
        """A run, and what each of its probes found so far."""
        run = get_probe_run(self.principal, probe_run_id)
        return Response({**_run(run), "results": [shown_result(one) for one in results_of_run(run)]})


class ProbeResultView(VaultAPIView):
    resource_type = "probe_result"

    @extend_schema(operation_id="getProbeResult", responses=ProbeResultOutput)
    def get(self, _: Request, probe_result_id: UUID) -> Response:
        """One result with the exact bytes that were signed, and whether the signature holds."""
        return Response(shown_result(read_result(self.principal, result_id=probe_result_id)))


class ProbeKeysView(VaultAPIView):
    resource_type = "posture"

    @extend_schema(operation_id="getProbeKeys", responses=ProbeKeysOutput)
    def get(self, _: Request) -> Response:
        """The public keys by which results are checked without the vault."""
        return Response({"prefix": as_text(DOMAIN), "data": [as_text(key) for key in public_keys(self.principal)]})


def _run(run: ProbeRun) -> dict[str, Any]:
    return dict(ProbeRunOutput(run).data)


def _evidence(evidence: ControlEvidence) -> dict[str, Any]:
    return dict(ControlEvidenceOutput(evidence).data)


def _after(wanted: PageRequest) -> UUID | None:
    if wanted.after is None:
        return None
    try:
        return UUID(wanted.after[0])
    except ValueError as exc:
        raise InvalidCursor from exc
