"""Paths of the screens below ``/admin/oversight/``: route, view, name."""

from collections.abc import Callable
from typing import Any, Final

from django.http.response import HttpResponseBase

from audit.pages.alerts import alert_page, alerts_page
from audit.pages.deliveries import deliveries_page
from audit.pages.event import event_page, event_proof_file
from audit.pages.exports import audit_export_file, audit_exports_page
from audit.pages.notifications import notifications_page
from audit.pages.saved_views import saved_views_page
from audit.pages.subscriptions import new_subscription_page, subscription_page, subscriptions_page
from audit.pages.verification import log_keys_file, log_page, verification_page, verifications_page, verifier_file
from audit.pages.webhook import webhook_delivery_page, webhook_page
from audit.pages.webhooks import webhooks_page

PATHS: Final[tuple[tuple[str, Callable[..., HttpResponseBase], str], ...]] = (
    ("alerts/", alerts_page, "alerts"),
    ("alerts/<uuid:alert_id>/", alert_page, "alert"),
    ("delivery/", deliveries_page, "deliveries"),
    ("audit-exports/", audit_exports_page, "audit_exports"),
    ("audit-exports/<uuid:export_id>/file/", audit_export_file, "audit_export_file"),
    ("audit-views/", saved_views_page, "audit_views"),
    ("events/<uuid:event_id>/", event_page, "audit_event_page"),
    ("events/<uuid:event_id>/proof/", event_proof_file, "audit_event_proof"),
    ("log/", log_page, "audit_log"),
    ("log/keys/", log_keys_file, "audit_keys"),
    ("log/verifier/", verifier_file, "audit_verifier"),
    ("verification/", verifications_page, "verifications"),
    ("verification/<uuid:verification_id>/", verification_page, "verification"),
    ("subscriptions/", subscriptions_page, "subscriptions"),
    ("subscriptions/new/", new_subscription_page, "subscription_new"),
    ("subscriptions/<uuid:subscription_id>/", subscription_page, "subscription"),
    ("notifications/", notifications_page, "notifications"),
    ("webhooks/", webhooks_page, "webhooks"),
    ("webhooks/<uuid:webhook_id>/", webhook_page, "webhook"),
    ("webhooks/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/", webhook_delivery_page, "webhook_delivery"),
)


def bound(admin_view: Callable[[Any], Any]) -> list[tuple[str, Any, str]]:
    """The paths with every view behind the site's sign-in, scope and error pages."""
    return [(route, admin_view(view), name) for route, view, name in PATHS]
