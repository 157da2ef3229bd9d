"""Paths of transfers below /api/v1/."""

from django.urls import path

from compliance.api.transfers import TransferListView

urlpatterns = [path("compliance/transfers", TransferListView.as_view(), name="transfer-log")]
