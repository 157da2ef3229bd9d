"""Paths of compliance below /api/v1/; every part lists its own in ``<part>_urls``."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
