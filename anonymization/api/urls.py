"""Paths of the anonymization API."""

from django.urls import path

from anonymization.api import views

urlpatterns = [
    path("detect-pii", views.DetectView.as_view(), name="detect-pii"),
    path("anonymize", views.AnonymizeView.as_view(), name="anonymize"),
]
