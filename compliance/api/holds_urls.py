"""Paths of legal holds."""

from django.urls import path

from compliance.api.holds import (
    HoldConfirmationView,
    HoldListView,
    HoldReleaseConfirmationView,
    HoldReleaseView,
    HoldView,
)

urlpatterns = [
    path("legal-holds", HoldListView.as_view(), name="legal-holds"),
    path("legal-holds/<uuid:hold_id>", HoldView.as_view(), name="legal-hold"),
    path("legal-holds/<uuid:hold_id>/confirm", HoldConfirmationView.as_view(), name="legal-hold-confirm"),
    path("legal-holds/<uuid:hold_id>/release", HoldReleaseView.as_view(), name="legal-hold-release"),
    path(
        "legal-holds/<uuid:hold_id>/release/confirm",
        HoldReleaseConfirmationView.as_view(),
        name="legal-hold-release-confirm",
    ),
]
