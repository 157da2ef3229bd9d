"""Paths of the anonymization API."""

from django.urls import path

from anonymization.api import anonymize, budget, feedback, policies, releases, tokens, trust, views

urlpatterns = [
    path("detect-pii", views.DetectView.as_view(), name="detect-pii"),
    path("anonymize", anonymize.AnonymizeView.as_view(), name="anonymize"),
    path("deanonymize", anonymize.DeanonymizeView.as_view(), name="deanonymize"),
    path("anonymization/policies", policies.PolicyListView.as_view(), name="policies"),
    path("anonymization/policies/presets", policies.PresetListView.as_view(), name="policy-presets"),
    path("anonymization/policies/validate", policies.PolicyValidationView.as_view(), name="policy-validate"),
    path("anonymization/policies/<uuid:policy_id>", policies.PolicyView.as_view(), name="policy"),
    path(
        "anonymization/policies/<uuid:policy_id>/versions", policies.VersionListView.as_view(), name="policy-versions"
    ),
    path(
        "anonymization/policies/<uuid:policy_id>/versions/<int:number>",
        policies.VersionView.as_view(),
        name="policy-version",
    ),
    path(
        "anonymization/policies/<uuid:policy_id>/versions/<int:number>/activate",
        policies.ActivationView.as_view(),
        name="policy-activate",
    ),
    path(
        "anonymization/policies/<uuid:policy_id>/deactivate",
        policies.DeactivationView.as_view(),
        name="policy-deactivate",
    ),
    path(
        "anonymization/policies/<uuid:policy_id>/attachments",
        policies.AttachmentListView.as_view(),
        name="policy-attachments",
    ),
    path(
        "anonymization/policies/<uuid:policy_id>/attachments/<uuid:attachment_id>",
        policies.AttachmentView.as_view(),
        name="policy-attachment",
    ),
    path("anonymization/operators", policies.OperatorListView.as_view(), name="operators"),
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
    path("detection/feedback", feedback.FeedbackListView.as_view(), name="detection-feedback"),
    path("detection/feedback/<uuid:feedback_id>/settle", feedback.FeedbackView.as_view(), name="feedback-settle"),
    path("detection/test-cases", feedback.CaseListView.as_view(), name="test-cases"),
    path("detection/test-cases/export", feedback.CaseExportView.as_view(), name="test-cases-export"),
    path("detection/test-cases/run", feedback.CaseRunView.as_view(), name="test-cases-run"),
    path("detection/test-cases/<uuid:case_id>", feedback.CaseView.as_view(), name="test-case"),
    path("detection/entities", feedback.EntityListView.as_view(), name="detection-entities"),
    path("privacy/budgets", budget.BudgetListView.as_view(), name="privacy-budgets"),
    path("privacy/budgets/<uuid:family_id>", budget.BudgetView.as_view(), name="privacy-budget"),
    path("privacy/releases", releases.ReleaseListView.as_view(), name="privacy-releases"),
    path("privacy/releases/<uuid:release_id>/withdrawal", releases.WithdrawalView.as_view(), name="release-withdrawal"),
    path("privacy/attestations", releases.AttestationListView.as_view(), name="recipient-attestations"),
    path(
        "privacy/recipients/<uuid:recipient>/attestation",
        releases.AttestationView.as_view(),
        name="recipient-attestation",
    ),
]
