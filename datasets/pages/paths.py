"""Paths of the screens below ``/admin/datasets/dataset/``: route, view, name."""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpResponse

from datasets.pages.access import access_page
from datasets.pages.analytics import guaranteed_list_page, guaranteed_page, guaranteed_wizard
from datasets.pages.anonymization import anonymization_page
from datasets.pages.branches import branches_page
from datasets.pages.canaries import canaries_page
from datasets.pages.compare import compare_page
from datasets.pages.drafts import draft_page, drafts_page
from datasets.pages.exports import export_page, export_wizard, exports_page, passport_page
from datasets.pages.findings import findings_page
from datasets.pages.inventory import inventory_page
from datasets.pages.keys import keys_page
from datasets.pages.lifecycle import change_state, deleted_page, quotas_page
from datasets.pages.lineage import lineage_page
from datasets.pages.merges import merge_page, merges_page, request_page
from datasets.pages.quarantine import quarantine_page
from datasets.pages.query import query_page
from datasets.pages.release_rules import release_rules_page
from datasets.pages.schemas import schemas_page
from datasets.pages.statistics import statistics_page
from datasets.pages.upkeep import erasure_page, erasures_page, storage_page

PATHS: Final[tuple[tuple[str, Callable[..., HttpResponse], str], ...]] = (
    ("keys/", keys_page, "datasets_keys"),
    ("inventory/", inventory_page, "datasets_inventory"),
    ("<uuid:dataset_id>/lineage/", lineage_page, "datasets_lineage"),
    ("<uuid:dataset_id>/storage/", storage_page, "datasets_storage"),
    ("<uuid:dataset_id>/erasures/", erasures_page, "datasets_erasures"),
    ("erasures/<uuid:erasure_id>/", erasure_page, "datasets_erasure"),
    ("<uuid:dataset_id>/findings/", findings_page, "datasets_findings"),
    ("<uuid:dataset_id>/anonymization/", anonymization_page, "datasets_anonymization"),
    ("<uuid:dataset_id>/access/", access_page, "datasets_access"),
    ("<uuid:dataset_id>/quarantine/", quarantine_page, "datasets_quarantine"),
    ("<uuid:dataset_id>/canaries/", canaries_page, "datasets_canaries"),
    ("<uuid:dataset_id>/query/", query_page, "datasets_query"),
    ("<uuid:dataset_id>/statistics/", statistics_page, "datasets_statistics"),
    ("<uuid:dataset_id>/schema/", schemas_page, "datasets_schemas"),
    ("<uuid:dataset_id>/branches/", branches_page, "datasets_branches"),
    ("<uuid:dataset_id>/state/", change_state, "datasets_state"),
    ("deleted/", deleted_page, "datasets_deleted"),
    ("quotas/", quotas_page, "datasets_quotas"),
    ("<uuid:dataset_id>/exports/", exports_page, "datasets_exports"),
    ("<uuid:dataset_id>/exports/new/", export_wizard, "datasets_export_new"),
    ("exports/<uuid:export_id>/", export_page, "datasets_export"),
    ("exports/<uuid:export_id>/passport/", passport_page, "datasets_export_passport"),
    ("<uuid:dataset_id>/guaranteed/", guaranteed_list_page, "datasets_guaranteed"),
    ("<uuid:dataset_id>/guaranteed/new/", guaranteed_wizard, "datasets_guaranteed_new"),
    ("guaranteed/<uuid:export_id>/", guaranteed_page, "datasets_guaranteed_export"),
    ("<uuid:dataset_id>/release-rules/", release_rules_page, "datasets_release_rules"),
    ("<uuid:dataset_id>/drafts/", drafts_page, "datasets_drafts"),
    ("<uuid:dataset_id>/drafts/<uuid:draft_id>/", draft_page, "datasets_draft"),
    ("<uuid:dataset_id>/compare/", compare_page, "datasets_compare"),
    ("<uuid:dataset_id>/merges/", merges_page, "datasets_merges"),
    ("merges/<uuid:merge_id>/", merge_page, "datasets_merge"),
    ("merge-requests/<uuid:request_id>/", request_page, "datasets_merge_request"),
)


def bound(admin_view: Callable[[Any], Any]) -> list[tuple[str, Any, str]]:
    """The paths with every view behind the site's sign-in, scope and error pages."""
    return [(route, admin_view(view), name) for route, view, name in PATHS]
