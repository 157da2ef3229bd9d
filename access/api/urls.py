"""Paths of the access API."""

from django.urls import URLPattern, URLResolver, include, path

from access.api import authzen, bulk_evaluations, policy

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("access.api.grant_urls")),
    path("", include("access.api.credential_urls")),
    path("", include("access.api.principal_urls")),
    path("policy/evaluate", policy.EvaluateView.as_view(), name="policy-evaluate"),
    path("policy/evaluations", bulk_evaluations.BulkEvaluationsView.as_view(), name="policy-evaluations"),
    path("policy/evaluations/<uuid:bulk_id>", bulk_evaluations.BulkEvaluationView.as_view(), name="policy-evaluation"),
    path(
        "policy/evaluations/<uuid:bulk_id>/answers", bulk_evaluations.BulkAnswersView.as_view(), name="policy-answers"
    ),
    path("access/v1/evaluation", authzen.EvaluationView.as_view(), name="authzen-evaluation"),
    path("access/v1/evaluations", authzen.EvaluationsView.as_view(), name="authzen-evaluations"),
    path("access/v1/search/subject", authzen.SubjectSearchView.as_view(), name="authzen-subjects"),
    path("access/v1/search/resource", authzen.ResourceSearchView.as_view(), name="authzen-resources"),
    path("access/v1/search/action", authzen.ActionSearchView.as_view(), name="authzen-actions"),
]
