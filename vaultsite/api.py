"""The paths under /api/v1 and the schema that describes them."""

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("datasets.api.urls")),
    path("", include("anonymization.api.urls")),
    path("", include("audit.api.urls")),
    path("", include("access.api.urls")),
    path("", include("compliance.api.urls")),
    path("schema", SpectacularAPIView.as_view(authentication_classes=[]), name="schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="schema", authentication_classes=[]), name="api-docs"),
]
