"""Paths of the API of leases, requests for them, emergencies and reviews."""

from django.urls import path

from access.api import break_glass, leases, reviews

REQUEST = "access-requests/<uuid:access_request_id>"
EMERGENCY = "break-glass/<uuid:emergency_id>"
REVIEW = "access-reviews/<uuid:review_id>"

urlpatterns = [
    path("access-requests", leases.RequestListView.as_view(), name="access-requests"),
    path(REQUEST, leases.RequestView.as_view(), name="access-request"),
    path(f"{REQUEST}/approve", leases.ApprovalView.as_view(), name="access-request-approve"),
    path(f"{REQUEST}/refuse", leases.RefusalView.as_view(), name="access-request-refuse"),
    path("leases", leases.LeaseListView.as_view(), name="leases"),
    path("leases/<uuid:lease_id>", leases.LeaseView.as_view(), name="lease"),
    path("leases/<uuid:lease_id>/revoke", leases.RevocationView.as_view(), name="lease-revoke"),
    path("leases/<uuid:lease_id>/extend", leases.ExtensionView.as_view(), name="lease-extend"),
    path("break-glass", break_glass.CallListView.as_view(), name="break-glass"),
    path(EMERGENCY, break_glass.CallView.as_view(), name="break-glass-call"),
    path(f"{EMERGENCY}/confirm", break_glass.ConfirmView.as_view(), name="break-glass-confirm"),
    path(f"{EMERGENCY}/refuse", break_glass.RefuseView.as_view(), name="break-glass-refuse"),
    path(f"{EMERGENCY}/review", break_glass.CallReviewView.as_view(), name="break-glass-review"),
    path("access-reviews", reviews.ReviewListView.as_view(), name="access-reviews"),
    path(REVIEW, reviews.ReviewView.as_view(), name="access-review"),
    path(f"{REVIEW}/items", reviews.ItemListView.as_view(), name="access-review-items"),
    path(f"{REVIEW}/items/<uuid:item_id>", reviews.ItemView.as_view(), name="access-review-item"),
    path(f"{REVIEW}/close", reviews.ClosingView.as_view(), name="access-review-close"),
    path(f"{REVIEW}/report", reviews.ReportView.as_view(), name="access-review-report"),
]
