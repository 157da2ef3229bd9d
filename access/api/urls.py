"""Paths of the access API."""

from django.urls import URLPattern, URLResolver, include, path

from access.api import authzen, me, policy, tokens

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("access.api.grant_urls")),
    path("auth/token", tokens.TokenView.as_view(), name="auth-token"),
    path("auth/refresh", tokens.RefreshView.as_view(), name="auth-refresh"),
    path("auth/logout", tokens.LogoutView.as_view(), name="auth-logout"),
    path("auth/keys/rotate", tokens.SigningKeyRotationView.as_view(), name="auth-keys-rotate"),
    path("auth/jwks/<uuid:tenant_id>", tokens.JwksView.as_view(), name="auth-jwks"),
    path("me", me.MeView.as_view(), name="me"),
    path("policy/evaluate", policy.EvaluateView.as_view(), name="policy-evaluate"),
    path("access/v1/evaluation", authzen.EvaluationView.as_view(), name="authzen-evaluation"),
    path("access/v1/evaluations", authzen.EvaluationsView.as_view(), name="authzen-evaluations"),
    path("access/v1/search/subject", authzen.SubjectSearchView.as_view(), name="authzen-subjects"),
    path("access/v1/search/resource", authzen.ResourceSearchView.as_view(), name="authzen-resources"),
    path("access/v1/search/action", authzen.ActionSearchView.as_view(), name="authzen-actions"),
]
