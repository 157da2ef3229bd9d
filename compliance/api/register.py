"""REST: the register of processing, its parties, and impact assessments begun from it."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from compliance.api.register_serializers import PartyInput, PartyListOutput, PartyOutput, RegisterInput
from compliance.register.art30 import as_csv, controller_register, processor_register
from compliance.register.dpia import draft_assessment
from compliance.register.parties import KnownParty, PartyFacts, add_party, change_party, end_party, list_parties
from vaultsite.kernel.api.pagination import page
from vaultsite.kernel.api.views import VaultAPIView


class RegisterView(VaultAPIView):
    resource_type = "register"

    @extend_schema(operation_id="getRegister", parameters=[RegisterInput], responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response | HttpResponse:
        """The records of processing (GDPR Art. 30) as they are now, as controller or as processor; JSON or CSV."""
        asked = RegisterInput(data=request.query_params)
        asked.is_valid(raise_exception=True)
        is_controller = asked.validated_data["role"] == "controller"
        register = (controller_register if is_controller else processor_register)(self.principal)
        if asked.validated_data["as"] == "json":
            return Response(register)
        answer = HttpResponse(as_csv(register), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="register-{asked.validated_data["role"]}.csv"'
        answer["Cache-Control"] = "no-store"
        return answer


class PartyListView(VaultAPIView):
    resource_type = "party"

    @extend_schema(operation_id="listProcessors", responses=PartyListOutput)
    def get(self, _: Request) -> Response:
        """Processors, recipients, clients and who the controller is, by role."""
        found = [_shown(one) for one in list_parties(self.principal)]
        return Response(page(found, limit=len(found), next_cursor=None))

    @extend_schema(operation_id="addProcessor", request=PartyInput, responses={201: PartyOutput})
    def post(self, request: Request) -> Response:
        """A party that takes part in the processing from now on."""
        body = PartyInput(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(_shown(add_party(self.principal, facts=PartyFacts(**body.validated_data))), status=201)


class PartyView(VaultAPIView):
    resource_type = "party"

    @extend_schema(operation_id="changeProcessor", request=PartyInput, responses=PartyOutput)
    def put(self, request: Request, party_id: UUID) -> Response:
        """Say anew what a party is and does, and what covers a transfer to it."""
        body = PartyInput(data=request.data)
        body.is_valid(raise_exception=True)
        facts = PartyFacts(**body.validated_data)
        return Response(_shown(change_party(self.principal, party_id=party_id, facts=facts)))

    @extend_schema(operation_id="endProcessor", responses={204: None})
    def delete(self, _: Request, party_id: UUID) -> Response:
        """The party takes part no more."""
        end_party(self.principal, party_id=party_id)
        return Response(status=204)


class AssessmentView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(
        operation_id="draftAssessment",
        parameters=[OpenApiParameter("dataset_id", OpenApiTypes.UUID, OpenApiParameter.PATH)],
        responses={(200, "text/markdown"): OpenApiTypes.STR},
    )
    def get(self, _: Request, dataset_id: UUID) -> HttpResponse:
        """An impact assessment of one dataset, begun: facts filled in, what people must answer marked. Markdown."""
        text = draft_assessment(self.principal, dataset_id=dataset_id)
        answer = HttpResponse(text, content_type="text/markdown; charset=utf-8")
        answer["Cache-Control"] = "no-store"
        return answer


def _shown(one: KnownParty) -> dict[str, Any]:
    said = {"id": one.id, "added_at": one.added_at, "is_transfer": one.is_transfer, **vars(one.facts)}
    return dict(PartyOutput(said).data)
