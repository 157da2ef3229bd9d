"""Paths of the anonymization API."""

from django.urls import path

from anonymization.api import tokens, views

urlpatterns = [
    path("detect-pii", views.DetectView.as_view(), name="detect-pii"),
    path("anonymize", views.AnonymizeView.as_view(), name="anonymize"),
    path("tokenize", tokens.TokenizeView.as_view(), name="tokenize"),
    path("detokenize", tokens.DetokenizeView.as_view(), name="detokenize"),
    path("tokens/scopes", tokens.SpaceListView.as_view(), name="token-scopes"),
    path("tokens/scopes/<uuid:space_id>/rotation", tokens.SpaceRotationView.as_view(), name="token-rotation"),
    path("tokens/scopes/<uuid:space_id>/expiry", tokens.SpaceExpiryView.as_view(), name="token-expiry"),
    path("tokens/scopes/<uuid:space_id>/frequent-value", tokens.FrequentValueView.as_view(), name="token-frequent"),
]
