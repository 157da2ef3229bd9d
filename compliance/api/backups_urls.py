"""Paths of backups below /api/v1/."""

from django.urls import path

from compliance.api.backups import BackupListView, DrillListView

urlpatterns = [
    path("backups", BackupListView.as_view()),
    path("backups/drills", DrillListView.as_view()),
]
