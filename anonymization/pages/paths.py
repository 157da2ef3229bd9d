"""Paths of the screens below ``/admin/privacy/``: route, view, name."""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpResponse

from anonymization.pages.budget import budget_page, budgets_page
from anonymization.pages.feedback import feedback_page
from anonymization.pages.playground import playground_page
from anonymization.pages.policies import policies_page, policy_page
from anonymization.pages.releases import releases_page
from anonymization.pages.tokens import tokens_page
from anonymization.pages.trust import rules_page

PATHS: Final[tuple[tuple[str, Callable[..., HttpResponse], str], ...]] = (
    ("playground/", playground_page, "privacy_playground"),
    ("detection/", rules_page, "privacy_rules"),
    ("policies/", policies_page, "privacy_policies"),
    ("policies/<uuid:policy_id>/", policy_page, "privacy_policy"),
    ("budgets/", budgets_page, "privacy_budgets"),
    ("budgets/<uuid:family_id>/", budget_page, "privacy_budget"),
    ("releases/", releases_page, "privacy_releases"),
    ("feedback/", feedback_page, "privacy_feedback"),
    ("tokens/", tokens_page, "privacy_tokens"),
)


def bound(admin_view: Callable[[Any], Any]) -> list[tuple[str, Any, str]]:
    """The paths with every view behind the site's sign-in, scope and error pages."""
    return [(route, admin_view(view), name) for route, view, name in PATHS]
