"""REST: retention policies, what they would do, and the runs that do it."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING, paged
from access.services.authorize import authorize
from compliance.api.retention_serializers import (
    AnonymizedOutput,
    CalendarMonthOutput,
    RetentionCalendarOutput,
    RetentionClockOutput,
    RetentionEventInput,
    RetentionEventOutput,
    RetentionPolicyInput,
    RetentionPolicyListOutput,
    RetentionPolicyOutput,
    RetentionPreviewInput,
    RetentionPreviewOutput,
    RetentionRunListOutput,
    RetentionRunOutput,
    RetentionStepListOutput,
    RetentionStepOutput,
)
from compliance.models import RetentionPolicy, RetentionRun, RetentionStep
from compliance.retention.clock import confirm_clock
from compliance.retention.plan import start_run
from compliance.retention.policies import change_policy, create_policy, end_policy, record_event, terms_from
from compliance.retention.preview import calendar, preview
from compliance.retention.selectors import (
    find_clock,
    find_policy,
    find_run,
    list_policies,
    list_runs,
    list_steps,
    maskings_of,
)
from datasets.models import Masking
from vaultsite.kernel.api.pagination import PageRequest, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import InvalidCursor
from vaultsite.kernel.events.event import ResourceRef

#: Of an organization that has had no policy.
_NO_CLOCK: Final = {**dict.fromkeys(RetentionClockOutput.Meta.fields), "suspicion": ""}


def _after(wanted: PageRequest) -> UUID | None:
    if wanted.after is None:
        return None
    try:
        return UUID(wanted.after[0])
    except ValueError as exc:
        raise InvalidCursor from exc


def _policy(policy: RetentionPolicy) -> dict[str, Any]:
    return dict(RetentionPolicyOutput(policy).data)


def _run(run: RetentionRun) -> dict[str, Any]:
    return dict(RetentionRunOutput(run).data)


def _step(step: RetentionStep, maskings: Mapping[UUID, Masking]) -> dict[str, Any]:
    masking = maskings.get(step.masking) if step.masking else None
    return dict(RetentionStepOutput(step).data) | {"anonymized": AnonymizedOutput(masking).data if masking else None}


class RetentionPolicyListView(VaultAPIView):
    resource_type = "retention_policy"

    @extend_schema(operation_id="listRetentionPolicies", parameters=PAGING, responses=RetentionPolicyListOutput)
    def get(self, request: Request) -> Response:
        """The policies in force, the oldest first."""
        authorize(self.principal, "retention.read", ResourceRef("retention_policy"))
        wanted = read_page(request, members=1)
        return paged(list_policies(limit=wanted.limit + 1, after=_after(wanted)), wanted, _policy)

    @extend_schema(
        operation_id="createRetentionPolicy", request=RetentionPolicyInput, responses={201: RetentionPolicyOutput}
    )
    def post(self, request: Request) -> Response:
        """A policy in force from now on. What it is about to do is announced to owners first."""
        body = RetentionPolicyInput(data=request.data)
        body.is_valid(raise_exception=True)
        terms = terms_from(body.validated_data)
        return Response(_policy(create_policy(self.principal, terms=terms)), status=201)


class RetentionPolicyView(VaultAPIView):
    resource_type = "retention_policy"

    @extend_schema(operation_id="getRetentionPolicy", responses=RetentionPolicyOutput)
    def get(self, _: Request, retention_policy_id: UUID) -> Response:
        """One policy in force."""
        authorize(self.principal, "retention.read", ResourceRef("retention_policy", str(retention_policy_id)))
        return Response(_policy(find_policy(retention_policy_id)))

    @extend_schema(
        operation_id="changeRetentionPolicy",
        request=RetentionPolicyInput(partial=True),
        responses=RetentionPolicyOutput,
    )
    def patch(self, request: Request, retention_policy_id: UUID) -> Response:
        """Another wording; what was announced by the old one is withdrawn, and announced anew."""
        body = RetentionPolicyInput(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        policy = change_policy(self.principal, policy_id=retention_policy_id, changes=body.validated_data)
        return Response(_policy(policy))

    @extend_schema(operation_id="endRetentionPolicy", responses={204: None})
    def delete(self, _: Request, retention_policy_id: UUID) -> Response:
        """Take it out of force; its history stays."""
        end_policy(self.principal, policy_id=retention_policy_id)
        return Response(status=204)


class RetentionPreviewView(VaultAPIView):
    resource_type = "retention_policy"

    @extend_schema(operation_id="previewRetention", request=RetentionPreviewInput, responses=RetentionPreviewOutput)
    def post(self, request: Request) -> Response:
        """What the policies would do within so many days, or what one that is not in force would do among them."""
        body = RetentionPreviewInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        tried = given.get("policy")
        terms = None if tried is None else terms_from(tried)
        found = preview(self.principal, terms=terms, instead_of=given.get("instead_of"), days=given["days"])
        return Response(RetentionPreviewOutput(found).data)


class RetentionCalendarView(VaultAPIView):
    resource_type = "retention_policy"

    @extend_schema(operation_id="getRetentionCalendar", responses=RetentionCalendarOutput)
    def get(self, _: Request) -> Response:
        """How many datasets fall due in each of the next months."""
        return Response({"data": [CalendarMonthOutput(one).data for one in calendar(self.principal)]})


class RetentionRunListView(VaultAPIView):
    resource_type = "retention_run"

    @extend_schema(operation_id="listRetentionRuns", parameters=PAGING, responses=RetentionRunListOutput)
    def get(self, request: Request) -> Response:
        """Runs, the newest first."""
        authorize(self.principal, "retention.read", ResourceRef("retention_run"))
        wanted = read_page(request, members=1)
        return paged(list_runs(limit=wanted.limit + 1, after=_after(wanted)), wanted, _run)

    @extend_schema(operation_id="startRetentionRun", request=None, responses={202: RetentionRunOutput})
    def post(self, _: Request) -> Response:
        """Begin a run now; the one under way, if there is one."""
        run = start_run(self.principal)
        response = Response(_run(run), status=202)
        response["Location"] = reverse("retention-run", args=[run.pk])
        return response


class RetentionRunView(VaultAPIView):
    resource_type = "retention_run"

    @extend_schema(operation_id="getRetentionRun", responses=RetentionRunOutput)
    def get(self, _: Request, retention_run_id: UUID) -> Response:
        """One run, and how many datasets came to which outcome."""
        authorize(self.principal, "retention.read", ResourceRef("retention_run", str(retention_run_id)))
        return Response(_run(find_run(retention_run_id)))


class RetentionStepListView(VaultAPIView):
    resource_type = "retention_run"

    @extend_schema(operation_id="listRetentionSteps", parameters=PAGING, responses=RetentionStepListOutput)
    def get(self, request: Request, retention_run_id: UUID) -> Response:
        """What a run did about each dataset, in the order it did it."""
        authorize(self.principal, "retention.read", ResourceRef("retention_run", str(retention_run_id)))
        wanted = read_page(request, members=1)
        rows = list_steps(find_run(retention_run_id), limit=wanted.limit + 1, after=_after(wanted))
        maskings = maskings_of(rows)
        return paged(rows, wanted, lambda step: _step(step, maskings))


class RetentionEventView(VaultAPIView):
    resource_type = "retention_event"

    @extend_schema(
        operation_id="recordRetentionEvent", request=RetentionEventInput, responses={201: RetentionEventOutput}
    )
    def post(self, request: Request) -> Response:
        """Say that an event happened from which periods of a dataset count; said again, the date is corrected."""
        body = RetentionEventInput(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(RetentionEventOutput(record_event(self.principal, **body.validated_data)).data, status=201)


class RetentionClockView(VaultAPIView):
    resource_type = "retention_clock"

    @extend_schema(operation_id="getRetentionClock", responses=RetentionClockOutput)
    def get(self, _: Request) -> Response:
        """The database's time at the last run, and whether runs wait because of it."""
        authorize(self.principal, "retention.read", ResourceRef("retention_clock"))
        clock = find_clock()
        return Response(RetentionClockOutput(clock).data if clock else _NO_CLOCK)


class RetentionClockConfirmationView(VaultAPIView):
    resource_type = "retention_clock"

    @extend_schema(operation_id="confirmRetentionClock", request=None, responses=RetentionClockOutput)
    def post(self, _: Request) -> Response:
        """Say that the database's time is right: runs go on."""
        return Response(RetentionClockOutput(confirm_clock(self.principal)).data)
