"""REST: what a withdrawal leaves to be done, and how datasets name the people who agree."""

from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING
from compliance.api.consent_tasks_serializers import (
    ConsentLinkInput,
    ConsentLinkOutput,
    ConsentTaskListOutput,
    ConsentTaskOutput,
    RecallListOutput,
    RecallOutput,
    TaskDecisionInput,
)
from compliance.consents.tasks import decide_task, exports_to_recall, list_tasks
from datasets.services.consent_links import Declared, consent_link_of, declare_consent_link
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import InvalidCursor


class ConsentTaskListView(VaultAPIView):
    resource_type = "consent_task"

    @extend_schema(
        operation_id="listConsentTasks",
        parameters=[OpenApiParameter("open", OpenApiTypes.BOOL), *PAGING],
        responses=ConsentTaskListOutput,
    )
    def get(self, request: Request) -> Response:
        """Withdrawals whose records somebody decides on, the newest first."""
        wanted = read_page(request, members=1)
        try:
            after = UUID(wanted.after[0]) if wanted.after else None
        except ValueError as exc:
            raise InvalidCursor from exc
        is_open = request.query_params.get("open", "") == "true"
        found = list_tasks(self.principal, after=after, limit=wanted.limit + 1, is_open=is_open)
        more = encode_cursor([str(found[wanted.limit - 1].id)]) if len(found) > wanted.limit else None
        data = list(ConsentTaskOutput(found[: wanted.limit], many=True).data)
        return Response(page(data, limit=wanted.limit, next_cursor=more))


class ConsentTaskDecisionView(VaultAPIView):
    resource_type = "consent_task"

    @extend_schema(operation_id="decideConsentTask", request=TaskDecisionInput, responses=ConsentTaskOutput)
    def post(self, request: Request, task_id: UUID) -> Response:
        """Say that the records were erased, or on which other lawful ground they are kept."""
        body = TaskDecisionInput(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(ConsentTaskOutput(decide_task(self.principal, task_id=task_id, **body.validated_data)).data)


class RecallListView(VaultAPIView):
    resource_type = "export"

    @extend_schema(operation_id="listExportsToRecall", responses=RecallListOutput)
    def get(self, _: Request) -> Response:
        """Exports made before somebody in their dataset withdrew: no more downloaded, to be recalled."""
        found = exports_to_recall(self.principal)
        return Response(page(list(RecallOutput(found, many=True).data), limit=len(found), next_cursor=None))


class ConsentLinkView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(operation_id="getConsentLink", responses=ConsentLinkOutput)
    def get(self, _: Request, dataset_id: UUID) -> Response:
        """How records of the dataset name the people whose consent they need."""
        return Response(ConsentLinkOutput(consent_link_of(self.principal, dataset_id=dataset_id)).data)

    @extend_schema(operation_id="declareConsentLink", request=ConsentLinkInput, responses=ConsentLinkOutput)
    def put(self, request: Request, dataset_id: UUID) -> Response:
        """Declare it anew; without a field everybody is asked whom the subject index finds in a record."""
        body = ConsentLinkInput(data=request.data)
        body.is_valid(raise_exception=True)
        declared = declare_consent_link(self.principal, dataset_id=dataset_id, declared=Declared(**body.validated_data))
        return Response(ConsentLinkOutput(declared).data)
