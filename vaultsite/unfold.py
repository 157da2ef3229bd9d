"""How the browser side looks: names, colours and navigation for django-unfold."""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _may(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(permission)


def _item(title: str, icon: str, url_name: str, permission: str = "") -> dict[str, Any]:
    item = {"title": title, "icon": icon, "link": reverse_lazy(url_name)}
    return item | ({"permission": _may(permission)} if permission else {})


def tenant_label(request: HttpRequest) -> list[str] | None:
    """The organization the browser is signed in to, shown at the top of every page."""
    name = getattr(request, "vault_tenant_name", None)
    return [name, "info"] if name else None


UNFOLD: Final[dict[str, Any]] = {
    "SITE_TITLE": "LLM Data Vault",
    "SITE_HEADER": "LLM Data Vault",
    "SITE_SYMBOL": "encrypted",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("vault/favicon.svg")},
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": tenant_label,
    "STYLES": [lambda _: static("vault/vault.css")],
    "SCRIPTS": [lambda _: static("vault/live.js"), lambda _: static("vault/vault.js")],
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "primary": {
            "50": "oklch(97.7% .013 195)",
            "100": "oklch(94.5% .03 195)",
            "200": "oklch(89.5% .055 195)",
            "300": "oklch(82.5% .085 195)",
            "400": "oklch(74% .105 195)",
            "500": "oklch(64% .11 196)",
            "600": "oklch(49% .088 197)",
            "700": "oklch(43% .077 197)",
            "800": "oklch(37% .065 198)",
            "900": "oklch(32% .054 198)",
            "950": "oklch(24% .042 199)",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "items": [
                    _item("Home", "home", "admin:index"),
                    _item("Tour", "explore", "admin:tour"),
                    _item("Your sign-in", "passkey", "admin:account"),
                ],
            },
            {
                "title": "Data",
                "separator": True,
                "items": [
                    _item("Datasets", "database", "admin:datasets_dataset_changelist")
                    | {"permission": "vaultsite.menu.may_list"},
                    _item("Inventory", "inventory_2", "admin:datasets_inventory", "datasets.view_dataset"),
                    _item("Quotas", "speed", "admin:datasets_quotas", "datasets.view_quota"),
                ],
            },
            {
                "title": "Privacy",
                "separator": True,
                "items": [
                    _item("Playground", "science", "admin:privacy_playground", "anonymization.view_text"),
                    _item("Detection rules", "tune", "admin:privacy_rules", "anonymization.view_detection"),
                    _item("Policies", "policy", "admin:privacy_policies", "anonymization.view_policy"),
                    _item("Feedback", "rate_review", "admin:privacy_feedback", "anonymization.view_feedback"),
                    _item("Token vault", "token", "admin:privacy_tokens", "anonymization.view_token"),
                    _item("Privacy budgets", "data_usage", "admin:privacy_budgets", "anonymization.view_budget"),
                    _item("Releases", "outbox", "admin:privacy_releases", "anonymization.view_release"),
                ],
            },
            {
                "title": "Access",
                "separator": True,
                "items": [
                    _item("My access", "verified_user", "admin:access_mine", "access.view_lease"),
                    _item("Access policies", "gavel", "admin:access_policies", "access.view_accesspolicy"),
                    _item("Decisions", "rule", "admin:access_decisions", "access.view_accesspolicy"),
                    _item("Who can see what", "visibility", "admin:access_who", "access.view_policyreplay"),
                    _item("Many questions", "quiz", "admin:access_evaluations", "access.view_policyreplay"),
                    _item("Access requests", "inbox", "admin:access_requests", "access.view_accessrequest"),
                    _item("Emergency access", "e911_emergency", "admin:access_emergencies", "access.view_breakglass"),
                    _item("Access reviews", "fact_check", "admin:access_reviews", "access.view_accessreview"),
                ],
            },
            {
                "title": "Oversight",
                "separator": True,
                "items": [
                    _item("Audit", "policy", "admin:audit_auditevent_changelist", "audit.view_auditevent"),
                    _item("Audit log", "account_tree", "admin:audit_log", "audit.view_auditleaf"),
                    _item("Verification", "verified", "admin:verifications", "audit.view_auditverification"),
                    _item("Audit exports", "download", "admin:audit_exports", "audit.view_auditexport"),
                    _item("Alerts", "notifications", "admin:alerts", "audit.view_alert"),
                    _item("Event subscriptions", "rss_feed", "admin:subscriptions", "audit.view_eventsubscription"),
                    _item("Event delivery", "outbox", "admin:deliveries", "audit.view_deadletter"),
                    _item("Webhooks", "webhook", "admin:webhooks", "audit.view_webhookendpoint"),
                    _item("Purposes", "flag", "admin:access_purpose_changelist", "access.view_purpose"),
                    _item("Encryption keys", "key", "admin:datasets_keys", "access.view_encryptionkey"),
                ],
            },
            {
                "title": "Compliance",
                "separator": True,
                "items": [
                    _item("Requests", "person_search", "admin:subject_requests", "compliance.view_subjectrequest"),
                    _item("Incidents", "crisis_alert", "admin:incidents", "compliance.view_incident"),
                    _item("Posture", "shield", "admin:compliance_home", "compliance.view_proberun"),
                    _item("Search and erasure", "person_search", "admin:subjects", "compliance.view_subjectsearch"),
                    _item("Returns", "undo", "admin:subject_returns", "datasets.view_identifierreturn"),
                    _item("Consent", "handshake", "admin:consent", "compliance.view_consent"),
                    _item("Register", "menu_book", "admin:register", "compliance.view_party"),
                    _item("Retention", "auto_delete", "admin:retention", "compliance.view_retentionpolicy"),
                    _item("Legal holds", "gavel", "admin:holds", "compliance.view_legalhold"),
                    _item("Reports", "summarize", "admin:reports", "compliance.view_report"),
                    _item("Transfers", "flight_takeoff", "admin:transfers", "compliance.view_transfer"),
                    _item("Backups", "backup", "admin:compliance_backups", "compliance.view_backuprun"),
                ],
            },
            {
                "title": "People and programs",
                "separator": True,
                "items": [
                    _item("People", "person", "admin:people", "access.view_user"),
                    _item("Groups", "group", "admin:groups", "access.view_group"),
                    _item("Roles", "badge", "admin:roles", "access.view_role"),
                    _item("Role bindings", "link", "admin:access_rolebinding_changelist", "access.view_rolebinding"),
                    _item("Service accounts", "smart_toy", "admin:service_accounts", "access.view_serviceaccount"),
                    _item("Provisioning", "sync_alt", "admin:provisioning", "access.view_directoryuser"),
                    _item("API keys", "vpn_key", "admin:access_apikey_changelist", "access.view_apikey"),
                    _item("Sessions", "devices", "admin:sessions", "access.view_vaultsession"),
                    _item("Identity providers", "login", "admin:identity_providers", "access.view_identityprovider"),
                    _item("Sign-in rules", "lock_person", "admin:sign_in_rules", "access.view_signinpolicy"),
                ],
            },
        ],
    },
}
