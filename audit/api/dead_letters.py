"""REST: what a message broker refused, and sending it again."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING, paged
from access.services.authorize import authorize
from audit.api.dead_letters_serializers import DeadLetterOutput, DeadLetterPageOutput, ReplayedOutput
from audit.models import DeadLetter
from audit.relay.replay import replay_all, replay_dead_letter
from audit.relay.status import list_dead_letters
from vaultsite.kernel.api.pagination import PageRequest, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput
from vaultsite.kernel.events.event import ResourceRef

_REPLAYED = OpenApiParameter("replayed", OpenApiTypes.BOOL, description="Those that were replayed, instead of the rest")


class DeadLetterListView(VaultAPIView):
    resource_type = "dead_letter"

    @extend_schema(operation_id="listDeadLetters", parameters=[_REPLAYED, *PAGING], responses=DeadLetterPageOutput)
    def get(self, request: Request) -> Response:
        """Events that the message broker refused, those given up last first."""
        authorize(self.principal, "delivery.read", ResourceRef("dead_letter"))
        wanted = read_page(request, members=1)
        replayed = _read_replayed(request)
        rows = list_dead_letters(replayed=replayed, limit=wanted.limit + 1, after=_after(wanted))
        return paged(rows, wanted, _shown)


class DeadLetterReplayView(VaultAPIView):
    resource_type = "dead_letter"

    @extend_schema(operation_id="replayDeadLetter", request=None, responses=DeadLetterOutput)
    def post(self, _: Request, dead_letter_id: UUID) -> Response:
        """Send it again. It is tried as often as any other event."""
        return Response(_shown(replay_dead_letter(self.principal, dead_letter_id=dead_letter_id)))


class DeadLettersReplayView(VaultAPIView):
    resource_type = "dead_letter"

    @extend_schema(operation_id="replayDeadLetters", request=None, responses=ReplayedOutput)
    def post(self, _: Request) -> Response:
        """Send the oldest again, up to 1,000, in their order."""
        return Response({"replayed": replay_all(self.principal)})


def _read_replayed(request: Request) -> bool:
    problems = [
        FieldProblem(name, "There is no such filter.")
        for name in sorted(request.query_params.keys() - {"replayed", "limit", "cursor"})
    ]
    given = request.query_params.get("replayed", "false")
    if given not in {"true", "false"}:
        problems.append(FieldProblem("replayed", "one of true, false"))
    if problems:
        raise InvalidInput(errors=problems)
    return given == "true"


def _after(wanted: PageRequest) -> UUID | None:
    try:
        return UUID(wanted.after[0]) if wanted.after else None
    except ValueError as exc:
        raise InvalidCursor from exc


def _shown(letter: DeadLetter) -> dict[str, Any]:
    return dict(DeadLetterOutput(letter).data)
