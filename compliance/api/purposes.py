"""REST: purposes and what makes processing for them lawful."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from compliance.api.consents_serializers import PurposeInput, PurposeListOutput, PurposeOutput, TermsInput
from compliance.consents.purposes import change_purpose, create_purpose, find_purpose, list_purposes
from vaultsite.kernel.api.pagination import page
from vaultsite.kernel.api.views import VaultAPIView


class PurposeListView(VaultAPIView):
    resource_type = "purpose"

    @extend_schema(operation_id="listPurposes", responses=PurposeListOutput)
    def get(self, _: Request) -> Response:
        """Every purpose by code, with its lawful basis and the state of its consents."""
        found = [one.as_json() for one in list_purposes(self.principal)]
        return Response(page(list(PurposeOutput(found, many=True).data), limit=len(found), next_cursor=None))

    @extend_schema(operation_id="createPurpose", request=PurposeInput, responses={201: PurposeOutput})
    def post(self, request: Request) -> Response:
        """A new purpose, which readers may state from now on."""
        body = PurposeInput(data=request.data)
        body.is_valid(raise_exception=True)
        made = create_purpose(self.principal, code=body.validated_data["code"], terms=body.terms())
        return Response(PurposeOutput(made.as_json()).data, status=201)


class PurposeView(VaultAPIView):
    resource_type = "purpose"

    @extend_schema(operation_id="getPurpose", responses=PurposeOutput)
    def get(self, _: Request, code: str) -> Response:
        """One purpose."""
        return Response(PurposeOutput(find_purpose(self.principal, code).as_json()).data)

    @extend_schema(operation_id="changePurpose", request=TermsInput, responses=PurposeOutput)
    def put(self, request: Request, code: str) -> Response:
        """Say anew what a purpose is. With consent as its basis, records without are left out from the next read on."""
        body = TermsInput(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(PurposeOutput(change_purpose(self.principal, code=code, terms=body.terms()).as_json()).data)
