"""Paths of the datasets API."""

from django.urls import path

from datasets.api import views

VERSION = "datasets/<uuid:dataset_id>/versions/<str:version>"

urlpatterns = [
    path("datasets", views.DatasetListView.as_view(), name="datasets"),
    path("datasets/<uuid:dataset_id>", views.DatasetView.as_view(), name="dataset"),
    path("datasets/<uuid:dataset_id>/data", views.DataView.as_view(), name="data"),
    path("ingests/<uuid:ingest_id>", views.IngestView.as_view(), name="ingest"),
    path("ingests/<uuid:ingest_id>/rejects", views.RejectsView.as_view(), name="rejects"),
    path("datasets/<uuid:dataset_id>/versions", views.VersionListView.as_view(), name="versions"),
    path(VERSION, views.VersionView.as_view(), name="version"),
    path(f"{VERSION}/records", views.RecordListView.as_view(), name="records"),
    path(f"{VERSION}/records/<str:record_id>", views.RecordView.as_view(), name="record"),
]
