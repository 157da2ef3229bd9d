"""Paths of the screens below ``/admin/access-control/``: route, view, name."""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpResponse

from access.pages.account import account_page
from access.pages.confirm import confirm_page
from access.pages.decisions import decision_page, decisions_page, who_page
from access.pages.emergencies import emergencies_page
from access.pages.evaluations import evaluation_page, evaluations_page
from access.pages.groups import group_page, groups_page
from access.pages.identity_provider import connection_test_page, identity_provider_page
from access.pages.identity_providers import identity_providers_page, new_identity_provider_page
from access.pages.lost_factors import reset_factors_page
from access.pages.persons import people_page, person_page
from access.pages.policies import policies_page, policy_page, replay_page
from access.pages.provisioning import provisioning_page
from access.pages.requests import mine_page, requests_page
from access.pages.reviews import review_page, reviews_page
from access.pages.roles import new_role_page, role_page, roles_page
from access.pages.saml_provider import fetch_metadata_page, saml_provider_page
from access.pages.second_factor import add_factor_page, second_factor_page
from access.pages.service_accounts import service_account_page, service_accounts_page
from access.pages.sessions import sessions_page
from access.pages.sign_in_rules import sign_in_rules_page

PATHS: Final[tuple[tuple[str, Callable[..., HttpResponse], str], ...]] = (
    ("second-factor/", second_factor_page, "second_factor"),
    ("second-factor/add/", add_factor_page, "add_factor"),
    ("confirm/", confirm_page, "confirm"),
    ("policies/", policies_page, "access_policies"),
    ("policies/<uuid:policy_id>/", policy_page, "access_policy"),
    ("replays/<uuid:replay_id>/", replay_page, "access_replay"),
    ("decisions/", decisions_page, "access_decisions"),
    ("decisions/<uuid:event_id>/", decision_page, "access_decision"),
    ("who/", who_page, "access_who"),
    ("evaluations/", evaluations_page, "access_evaluations"),
    ("evaluations/<uuid:bulk_id>/", evaluation_page, "access_evaluation"),
    ("requests/", requests_page, "access_requests"),
    ("mine/", mine_page, "access_mine"),
    ("emergencies/", emergencies_page, "access_emergencies"),
    ("reviews/", reviews_page, "access_reviews"),
    ("reviews/<uuid:review_id>/", review_page, "access_review"),
    ("account/", account_page, "account"),
    ("service-accounts/", service_accounts_page, "service_accounts"),
    ("service-accounts/<uuid:account_id>/", service_account_page, "service_account"),
    ("provisioning/", provisioning_page, "provisioning"),
    ("people/", people_page, "people"),
    ("people/<uuid:user_id>/", person_page, "person"),
    ("groups/", groups_page, "groups"),
    ("groups/<uuid:group_id>/", group_page, "group"),
    ("roles/", roles_page, "roles"),
    ("roles/new/", new_role_page, "new_role"),
    ("roles/<uuid:role_id>/", role_page, "role"),
    ("sessions/", sessions_page, "sessions"),
    ("users/<uuid:user_id>/second-factors/reset/", reset_factors_page, "reset_factors"),
    ("identity-providers/", identity_providers_page, "identity_providers"),
    ("identity-providers/new/<slug:kind>/", new_identity_provider_page, "new_identity_provider"),
    ("identity-providers/<uuid:provider_id>/", identity_provider_page, "identity_provider"),
    ("identity-providers/<uuid:provider_id>/test/", connection_test_page, "connection_test"),
    ("identity-providers/<uuid:provider_id>/saml/", saml_provider_page, "saml_provider"),
    ("identity-providers/<uuid:provider_id>/saml/fetch/", fetch_metadata_page, "fetch_saml_metadata"),
    ("sign-in-rules/", sign_in_rules_page, "sign_in_rules"),
)


def bound(admin_view: Callable[[Any], Any]) -> list[tuple[str, Any, str]]:
    """The paths with every view behind the site's sign-in, scope and error pages."""
    return [(route, admin_view(view), name) for route, view, name in PATHS]
