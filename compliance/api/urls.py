"""Paths of compliance below /api/v1/; every part lists its own in ``<part>_urls``."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("compliance.api.requests_urls")),
    path("", include("compliance.api.incidents_urls")),
    path("", include("compliance.api.backups_urls")),
    path("", include("compliance.api.posture_urls")),
    path("", include("compliance.api.retention_urls")),
    path("", include("compliance.api.holds_urls")),
    path("", include("compliance.api.hold_notices_urls")),
    path("", include("compliance.api.consents_urls")),
    path("", include("compliance.api.register_urls")),
    path("", include("compliance.api.reports_urls")),
    path("", include("compliance.api.subjects_urls")),
    path("", include("compliance.api.transfers_urls")),
]
