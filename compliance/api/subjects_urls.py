"""Paths of searches for people and their erasure."""

from django.urls import path

from compliance.api.subject_returns import ReturnDismissView, ReturnEraseView, ReturnListView, ReturnSearchView
from compliance.api.subjects import (
    RecipientProofView,
    RecipientTaskListView,
    SubjectErasureListView,
    SubjectErasureView,
    SubjectIndexView,
    SubjectManifestView,
    SubjectMatchListView,
    SubjectReceiptView,
    SubjectSearchListView,
    SubjectSearchView,
    SubjectVerifierView,
)

urlpatterns = [
    path("subjects/search", SubjectIndexView.as_view(), name="subject-index"),
    path("subject-searches", SubjectSearchListView.as_view(), name="subject-searches"),
    path("subject-searches/<uuid:subject_search_id>", SubjectSearchView.as_view(), name="subject-search"),
    path("subject-searches/<uuid:subject_search_id>/matches", SubjectMatchListView.as_view(), name="subject-matches"),
    path("subject-returns", ReturnListView.as_view(), name="subject-returns"),
    path("subject-returns/<uuid:subject_return_id>/search", ReturnSearchView.as_view(), name="subject-return-search"),
    path("subject-returns/<uuid:subject_return_id>/erase", ReturnEraseView.as_view(), name="subject-return-erase"),
    path(
        "subject-returns/<uuid:subject_return_id>/dismiss", ReturnDismissView.as_view(), name="subject-return-dismiss"
    ),
    path("subject-erasures", SubjectErasureListView.as_view(), name="subject-erasures"),
    path("subject-erasures/verifier", SubjectVerifierView.as_view(), name="subject-receipt-verifier"),
    path("subject-erasures/<uuid:subject_erasure_id>", SubjectErasureView.as_view(), name="subject-erasure"),
    path("subject-erasures/<uuid:subject_erasure_id>/receipt", SubjectReceiptView.as_view(), name="subject-receipt"),
    path("subject-erasures/<uuid:subject_erasure_id>/manifest", SubjectManifestView.as_view(), name="subject-manifest"),
    path(
        "subject-erasures/<uuid:subject_erasure_id>/recipients", RecipientTaskListView.as_view(), name="recipient-tasks"
    ),
    path(
        "subject-erasures/<uuid:subject_erasure_id>/recipients/<uuid:recipient_task_id>",
        RecipientProofView.as_view(),
        name="recipient-task",
    ),
]
