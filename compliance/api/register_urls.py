"""Paths of the register."""

from django.urls import path

from compliance.api.register import AssessmentView, PartyListView, PartyView, RegisterView

urlpatterns = [
    path("register", RegisterView.as_view(), name="register"),
    path("processors", PartyListView.as_view(), name="processors"),
    path("processors/<uuid:party_id>", PartyView.as_view(), name="processor"),
    path("dpia/<uuid:dataset_id>", AssessmentView.as_view(), name="dpia"),
]
