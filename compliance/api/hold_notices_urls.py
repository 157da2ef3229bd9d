"""Paths of notices of legal holds."""

from django.urls import path

from compliance.api.hold_notices import (
    HoldAcknowledgementView,
    HoldNoticeListView,
    OwnHoldAcknowledgementView,
    OwnHoldNoticeListView,
    OwnHoldNoticeView,
)

urlpatterns = [
    path("legal-holds/<uuid:hold_id>/notices", HoldNoticeListView.as_view(), name="legal-hold-notices"),
    path(
        "legal-holds/<uuid:hold_id>/notices/<uuid:hold_notice_id>/acknowledgement",
        HoldAcknowledgementView.as_view(),
        name="legal-hold-acknowledgement",
    ),
    path("me/hold-notices", OwnHoldNoticeListView.as_view(), name="own-hold-notices"),
    path("me/hold-notices/<uuid:hold_notice_id>", OwnHoldNoticeView.as_view(), name="own-hold-notice"),
    path(
        "me/hold-notices/<uuid:hold_notice_id>/acknowledge",
        OwnHoldAcknowledgementView.as_view(),
        name="own-hold-acknowledgement",
    ),
]
