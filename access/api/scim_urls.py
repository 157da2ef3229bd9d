"""Paths of SCIM, below /scim/v2."""

from typing import Final

from django.urls import URLPattern, path

from access.api import scim

urlpatterns: Final[list[URLPattern]] = [
    path("ServiceProviderConfig", scim.ConfigView.as_view(), name="scim-config"),
    path("ResourceTypes", scim.PublishedView.as_view(published="ResourceTypes"), name="scim-resource-types"),
    path("ResourceTypes/<str:name>", scim.PublishedView.as_view(published="ResourceTypes"), name="scim-resource-type"),
    path("Schemas", scim.PublishedView.as_view(), name="scim-schemas"),
    path("Schemas/<str:name>", scim.PublishedView.as_view(), name="scim-schema"),
    path(".search", scim.SearchEverythingView.as_view(), name="scim-search"),
    path("Users", scim.ResourcesView.as_view(kind=scim.USER), name="scim-users"),
    path("Users/.search", scim.SearchView.as_view(kind=scim.USER), name="scim-users-search"),
    path("Users/<str:resource_id>", scim.ResourceView.as_view(kind=scim.USER), name="scim-user"),
    path("Groups", scim.ResourcesView.as_view(kind=scim.GROUP), name="scim-groups"),
    path("Groups/.search", scim.SearchView.as_view(kind=scim.GROUP), name="scim-groups-search"),
    path("Groups/<str:resource_id>", scim.ResourceView.as_view(kind=scim.GROUP), name="scim-group"),
    path("Bulk", scim.NotServedView.as_view(), name="scim-bulk"),
    path("Me", scim.NotServedView.as_view(), name="scim-me"),
    path("<path:rest>", scim.UnknownPathView.as_view(), name="scim-unknown"),
]
