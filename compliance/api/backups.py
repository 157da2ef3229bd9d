"""REST: backups and drills, to read. Operators make them on the machine, with a key that the API never sees."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING, paged
from access.services.authorize import authorize
from compliance.api.backups_serializers import BackupListOutput, BackupOutput, DrillListOutput, DrillOutput
from compliance.backup.selectors import list_backups, list_drills
from compliance.models import BackupRun, RestoreDrill
from vaultsite.kernel.api.pagination import PageRequest, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import InvalidCursor
from vaultsite.kernel.events.event import ResourceRef


class BackupListView(VaultAPIView):
    resource_type = "backup"

    @extend_schema(operation_id="listBackups", parameters=PAGING, responses=BackupListOutput)
    def get(self, request: Request) -> Response:
        """Backups of the vault that the organization is in, the newest first."""
        authorize(self.principal, "backup.read", ResourceRef("backup"))
        wanted = read_page(request, members=1)
        return paged(list_backups(limit=wanted.limit + 1, after=_after(wanted)), wanted, _backup)


class DrillListView(VaultAPIView):
    resource_type = "backup"

    @extend_schema(operation_id="listRestoreDrills", parameters=PAGING, responses=DrillListOutput)
    def get(self, request: Request) -> Response:
        """Trials of backups, the newest first."""
        authorize(self.principal, "backup.read", ResourceRef("backup"))
        wanted = read_page(request, members=1)
        return paged(list_drills(limit=wanted.limit + 1, after=_after(wanted)), wanted, _drill)


def _after(wanted: PageRequest) -> UUID | None:
    if wanted.after is None:
        return None
    try:
        return UUID(wanted.after[0])
    except ValueError as exc:
        raise InvalidCursor from exc


def _backup(run: BackupRun) -> dict[str, Any]:
    return dict(BackupOutput(run).data)


def _drill(drill: RestoreDrill) -> dict[str, Any]:
    return dict(DrillOutput(drill).data)
