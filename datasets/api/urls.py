"""Paths of the datasets API."""

from django.urls import path

from datasets.api import branches, lineage, search, views

VERSION = "datasets/<uuid:dataset_id>/versions/<str:version>"
BRANCH = "datasets/<uuid:dataset_id>/branches/<path:branch>"

urlpatterns = [
    path("datasets", views.DatasetListView.as_view(), name="datasets"),
    path("datasets/search", search.SearchView.as_view(), name="dataset-search"),
    path("datasets/inventory", search.InventoryView.as_view(), name="inventory"),
    path("datasets/<uuid:dataset_id>/metadata", search.MetadataView.as_view(), name="metadata"),
    path("datasets/<uuid:dataset_id>/lineage", lineage.DatasetLineageView.as_view(), name="lineage"),
    path("datasets/<uuid:dataset_id>/lineage/path", lineage.PathView.as_view(), name="lineage-path"),
    path("datasets/<uuid:dataset_id>/impact", lineage.ImpactView.as_view(), name="impact"),
    path("lineage/openlineage", lineage.OpenLineageView.as_view(), name="openlineage"),
    path(f"{VERSION}/openlineage", lineage.VersionEventView.as_view(), name="version-event"),
    path("datasets/<uuid:dataset_id>", views.DatasetView.as_view(), name="dataset"),
    path("datasets/<uuid:dataset_id>/data", views.DataView.as_view(), name="data"),
    path("ingests/<uuid:ingest_id>", views.IngestView.as_view(), name="ingest"),
    path("ingests/<uuid:ingest_id>/rejects", views.RejectsView.as_view(), name="rejects"),
    path("datasets/<uuid:dataset_id>/versions", views.VersionListView.as_view(), name="versions"),
    path("datasets/<uuid:dataset_id>/branches", branches.BranchListView.as_view(), name="branches"),
    path(f"{BRANCH}/rollback", branches.RollbackView.as_view(), name="rollback"),
    path(BRANCH, branches.BranchView.as_view(), name="branch"),
    path("datasets/<uuid:dataset_id>/tags", branches.TagListView.as_view(), name="tags"),
    path("datasets/<uuid:dataset_id>/tags/<path:tag>", branches.TagView.as_view(), name="tag"),
    path("datasets/<uuid:dataset_id>/log", branches.LogView.as_view(), name="log"),
    path(VERSION, views.VersionView.as_view(), name="version"),
    path(f"{VERSION}/records", views.RecordListView.as_view(), name="records"),
    path(f"{VERSION}/records/<str:record_id>", views.RecordView.as_view(), name="record"),
]
