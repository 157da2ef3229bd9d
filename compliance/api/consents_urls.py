"""Paths of consents and purposes."""

from django.urls import path

from compliance.api.consent_tasks import (
    ConsentLinkView,
    ConsentTaskDecisionView,
    ConsentTaskListView,
    RecallListView,
)
from compliance.api.consents import (
    ConsentImportView,
    ConsentListView,
    ConsentSearchView,
    ConsentView,
    ConsentWithdrawalView,
    PersonWithdrawalView,
)
from compliance.api.purposes import PurposeListView, PurposeView

urlpatterns = [
    path("consents", ConsentListView.as_view(), name="consents"),
    path("consents/search", ConsentSearchView.as_view(), name="consent-search"),
    path("consents/import", ConsentImportView.as_view(), name="consent-import"),
    path("consents/withdraw", PersonWithdrawalView.as_view(), name="consent-withdraw-person"),
    path("consents/<uuid:consent_id>", ConsentView.as_view(), name="consent"),
    path("consents/<uuid:consent_id>/withdraw", ConsentWithdrawalView.as_view(), name="consent-withdraw"),
    path("consents/exports-to-recall", RecallListView.as_view(), name="consent-recalls"),
    path("consent-tasks", ConsentTaskListView.as_view(), name="consent-tasks"),
    path("consent-tasks/<uuid:task_id>/decide", ConsentTaskDecisionView.as_view(), name="consent-task-decide"),
    path("datasets/<uuid:dataset_id>/consent-link", ConsentLinkView.as_view(), name="consent-link"),
    path("purposes", PurposeListView.as_view(), name="purposes"),
    path("purposes/<str:code>", PurposeView.as_view(), name="purpose"),
]
