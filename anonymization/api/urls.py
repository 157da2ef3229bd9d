"""Paths of the anonymization API."""

from django.urls import path

from anonymization.api import tokens, views

urlpatterns = [
    path("detect-pii", views.DetectView.as_view(), name="detect-pii"),
    path("anonymize", views.AnonymizeView.as_view(), name="anonymize"),
    path("tokenize", tokens.TokenizeView.as_view(), name="tokenize"),
    path("detokenize", tokens.DetokenizeView.as_view(), name="detokenize"),
]
