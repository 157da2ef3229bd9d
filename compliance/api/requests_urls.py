"""Paths of requests of data subjects below /api/v1/."""

from typing import Final

from django.urls import path

from compliance.api import request_results as results
from compliance.api import request_searches as searches
from compliance.api import requests as views

_ONE: Final = "subject-requests/<uuid:subject_request_id>"

urlpatterns = [
    path("subject-requests", views.SubjectRequestListView.as_view(), name="subject-requests"),
    path("subject-requests/form", views.FormView.as_view(), name="subject-request-form"),
    path(_ONE, views.SubjectRequestView.as_view(), name="subject-request"),
    path(f"{_ONE}/assign", views.AssignmentView.as_view(), name="subject-request-assign"),
    path(f"{_ONE}/verify", views.VerificationOfSubjectView.as_view(), name="subject-request-verify"),
    path(f"{_ONE}/identity-link", views.IdentityLinkView.as_view(), name="subject-request-identity-link"),
    path(f"{_ONE}/move", views.MoveView.as_view(), name="subject-request-move"),
    path(f"{_ONE}/extend", views.ExtensionView.as_view(), name="subject-request-extend"),
    path(f"{_ONE}/refuse", views.RefusalView.as_view(), name="subject-request-refuse"),
    path(f"{_ONE}/answer", views.AnswerView.as_view(), name="subject-request-answer"),
    path(f"{_ONE}/correspondence", views.CorrespondenceView.as_view(), name="subject-request-correspondence"),
    path(f"{_ONE}/matches", views.MatchesView.as_view(), name="subject-request-matches"),
    path(f"{_ONE}/search", searches.RequestSearchView.as_view(), name="subject-request-search"),
    path(f"{_ONE}/erasure", searches.RequestErasureView.as_view(), name="subject-request-erasure"),
    path(f"{_ONE}/restriction", searches.RequestRestrictionView.as_view(), name="subject-request-restriction"),
    path(f"{_ONE}/restriction/lift", searches.RestrictionEndView.as_view(), name="subject-request-restriction-lift"),
    path(f"{_ONE}/package", results.PackageView.as_view(), name="subject-request-package"),
    path(f"{_ONE}/package/link", results.PackageLinkView.as_view(), name="subject-request-package-link"),
    path(f"{_ONE}/package/file", results.PackageFileView.as_view(), name="subject-request-package-file"),
    path(f"{_ONE}/corrections", results.CorrectionListView.as_view(), name="subject-request-corrections"),
    path(
        f"{_ONE}/corrections/<uuid:correction_id>/preview",
        results.CorrectionPreviewView.as_view(),
        name="subject-request-correction-preview",
    ),
    path(
        f"{_ONE}/corrections/<uuid:correction_id>/apply",
        results.CorrectionApplicationView.as_view(),
        name="subject-request-correction-apply",
    ),
]
