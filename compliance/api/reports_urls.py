"""Paths of reports."""

from django.urls import path

from compliance.api.reports import ReportAliasView, ReportFileView, ReportListView, ReportView

urlpatterns = [
    path("compliance/report", ReportAliasView.as_view(), name="compliance-report-alias"),
    path("compliance/reports", ReportListView.as_view(), name="compliance-reports"),
    path("compliance/reports/<uuid:report_id>", ReportView.as_view(), name="compliance-report"),
    path("compliance/reports/<uuid:report_id>/file", ReportFileView.as_view(), name="compliance-report-file"),
]
