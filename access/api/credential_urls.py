"""Paths of credentials: tokens, keys, service accounts, and who the caller is."""

from django.urls import path

from access.api import api_keys, me, service_accounts, tokens

urlpatterns = [
    path("auth/token", tokens.TokenView.as_view(), name="auth-token"),
    path("auth/refresh", tokens.RefreshView.as_view(), name="auth-refresh"),
    path("auth/logout", tokens.LogoutView.as_view(), name="auth-logout"),
    path("auth/keys/rotate", tokens.SigningKeyRotationView.as_view(), name="auth-keys-rotate"),
    path("auth/jwks/<uuid:tenant_id>", tokens.JwksView.as_view(), name="auth-jwks"),
    path("me", me.MeView.as_view(), name="me"),
    path("api-keys", api_keys.ApiKeyListView.as_view(), name="api-keys"),
    path("api-keys/<uuid:api_key_id>", api_keys.ApiKeyView.as_view(), name="api-key"),
    path("api-keys/<uuid:api_key_id>/rotate", api_keys.ApiKeyRotationView.as_view(), name="api-key-rotate"),
    path("service-accounts", service_accounts.ServiceAccountListView.as_view(), name="service-accounts"),
    path(
        "service-accounts/<uuid:service_account_id>",
        service_accounts.ServiceAccountView.as_view(),
        name="service-account",
    ),
    path(
        "service-accounts/<uuid:service_account_id>/certificates",
        service_accounts.CertificateListView.as_view(),
        name="service-account-certificates",
    ),
    path(
        "service-accounts/<uuid:service_account_id>/certificates/<uuid:certificate_id>",
        service_accounts.CertificateView.as_view(),
        name="service-account-certificate",
    ),
]
