"""Paths of the access API."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
