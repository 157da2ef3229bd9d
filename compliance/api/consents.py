"""REST: who has agreed to which purpose."""

from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING
from compliance.api.consents_serializers import (
    ConsentInput,
    ConsentListOutput,
    ConsentOutput,
    ImportedOutput,
    ImportInput,
    PersonInput,
    PersonWithdrawalInput,
    WithdrawalInput,
    WithdrawnOutput,
)
from compliance.consents.find import ShownConsent, consents_of, find_consent, list_consents, shown_consent
from compliance.consents.imports import MAX_BYTES, import_consents
from compliance.consents.record import record_consent
from compliance.consents.withdraw import withdraw_consent, withdraw_of_person
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.uploads import read_body
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import InvalidCursor


class ConsentListView(VaultAPIView):
    resource_type = "consent"

    @extend_schema(
        operation_id="listConsents",
        parameters=[OpenApiParameter("purpose", OpenApiTypes.STR), *PAGING],
        responses=ConsentListOutput,
    )
    def get(self, request: Request) -> Response:
        """Consents, those recorded last first; nothing names whose they are."""
        wanted = read_page(request, members=1)
        try:
            after = UUID(wanted.after[0]) if wanted.after else None
        except ValueError as exc:
            raise InvalidCursor from exc
        purpose = request.query_params.get("purpose", "")
        found = list_consents(self.principal, after=after, limit=wanted.limit + 1, purpose=purpose)
        more = encode_cursor([str(found[wanted.limit - 1].id)]) if len(found) > wanted.limit else None
        return Response(page(_many(found[: wanted.limit]), limit=wanted.limit, next_cursor=more))

    @extend_schema(
        operation_id="recordConsent", request=ConsentInput, responses={200: ConsentOutput, 201: ConsentOutput}
    )
    def post(self, request: Request) -> Response:
        """Record that somebody agreed; 200 where the same was recorded before."""
        body = ConsentInput(data=request.data)
        body.is_valid(raise_exception=True)
        recorded = record_consent(self.principal, purpose=body.validated_data["purpose"], given=body.given())
        shown = ConsentOutput(shown_consent(recorded.consent.pk)).data
        return Response(shown, status=201 if recorded.is_new else 200)


class ConsentView(VaultAPIView):
    resource_type = "consent"

    @extend_schema(operation_id="getConsent", responses=ConsentOutput)
    def get(self, _: Request, consent_id: UUID) -> Response:
        """One consent and what became of it."""
        return Response(ConsentOutput(find_consent(self.principal, consent_id)).data)


class ConsentSearchView(VaultAPIView):
    resource_type = "consent"

    @extend_schema(operation_id="searchConsents", request=PersonInput, responses=ConsentListOutput)
    def post(self, request: Request) -> Response:
        """Every consent of one person, newest first. The identifiers go in the body and are kept nowhere."""
        body = PersonInput(data=request.data)
        body.is_valid(raise_exception=True)
        found = consents_of(self.principal, identifiers=body.identifiers_given())
        return Response(page(_many(found), limit=len(found), next_cursor=None))


class ConsentWithdrawalView(VaultAPIView):
    resource_type = "consent"

    @extend_schema(operation_id="withdrawConsent", request=WithdrawalInput, responses=WithdrawnOutput)
    def post(self, request: Request, consent_id: UUID) -> Response:
        """End a person's consent to the purpose of this one; it counts from the next request on."""
        body = WithdrawalInput(data=request.data)
        body.is_valid(raise_exception=True)
        done = withdraw_consent(self.principal, consent_id=consent_id, **body.validated_data)
        return Response(WithdrawnOutput(done).data)


class PersonWithdrawalView(VaultAPIView):
    resource_type = "consent"

    @extend_schema(operation_id="withdrawConsentsOfPerson", request=PersonWithdrawalInput, responses=WithdrawnOutput)
    def post(self, request: Request) -> Response:
        """End a person's consent to a purpose, by their identifiers."""
        body = PersonWithdrawalInput(data=request.data)
        body.is_valid(raise_exception=True)
        done = withdraw_of_person(
            self.principal,
            purpose=body.validated_data["purpose"],
            identifiers=body.identifiers_given(),
            channel=body.validated_data["channel"],
            effect=body.validated_data["effect"],
        )
        return Response(WithdrawnOutput(done).data)


class ConsentImportView(VaultAPIView):
    resource_type = "consent"
    scope_per_request = False

    @extend_schema(
        operation_id="importConsents",
        parameters=[ImportInput],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses=ImportedOutput,
    )
    def post(self, request: Request) -> Response:
        """Record every line of a file (JSON lines or CSV), or none; errors name lines. Again changes nothing."""
        asked = ImportInput(data=request.query_params)
        asked.is_valid(raise_exception=True)
        body = b"".join(read_body(self.django_request, limit=MAX_BYTES))
        with self.open_scope():
            done = import_consents(
                self.principal,
                purpose=asked.validated_data["purpose"],
                body=body,
                format_=asked.validated_data["format"],
            )
        return Response(ImportedOutput(done).data)


def _many(found: list[ShownConsent]) -> list[object]:
    return list(ConsentOutput(found, many=True).data)
