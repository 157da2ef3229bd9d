"""Paths of the anonymization API."""

from django.urls import path

from anonymization.api import tokens, trust, views

urlpatterns = [
    path("detect-pii", views.DetectView.as_view(), name="detect-pii"),
    path("anonymize", views.AnonymizeView.as_view(), name="anonymize"),
    path("tokenize", tokens.TokenizeView.as_view(), name="tokenize"),
    path("detokenize", tokens.DetokenizeView.as_view(), name="detokenize"),
    path("tokens/scopes", tokens.SpaceListView.as_view(), name="token-scopes"),
    path("tokens/scopes/<uuid:space_id>/rotation", tokens.SpaceRotationView.as_view(), name="token-rotation"),
    path("tokens/scopes/<uuid:space_id>/expiry", tokens.SpaceExpiryView.as_view(), name="token-expiry"),
    path("tokens/scopes/<uuid:space_id>/frequent-value", tokens.FrequentValueView.as_view(), name="token-frequent"),
    path("detection/allow-list", trust.AllowListView.as_view(), name="allow-list"),
    path("detection/allow-list/<uuid:rule_id>", trust.AllowEntryView.as_view(), name="allow-entry"),
    path("detection/deny-list", trust.DenyListView.as_view(), name="deny-list"),
    path("detection/deny-list/<uuid:rule_id>", trust.DenyEntryView.as_view(), name="deny-entry"),
    path("detection/field-rules", trust.FieldRuleListView.as_view(), name="field-rules"),
    path("detection/field-rules/<uuid:rule_id>", trust.FieldRuleView.as_view(), name="field-rule"),
    path("detection/thresholds", trust.ThresholdListView.as_view(), name="thresholds"),
    path("detection/thresholds/<uuid:rule_id>", trust.ThresholdView.as_view(), name="threshold"),
]
