"""Every path of the site."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from access.api.authzen_metadata import ConfigurationView
from vaultsite import health
from vaultsite.api import urlpatterns as api_patterns
from vaultsite.sign_in import federated_patterns
from vaultsite.subject_form import form_patterns

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("auth/", include(federated_patterns())),
    path("request/", include(form_patterns())),
    path("api/v1/", include(api_patterns)),
    path(".well-known/authzen-configuration", ConfigurationView.as_view(), name="authzen-configuration"),
    path("scim/v2/", include("access.api.scim_urls")),
    path("health", health.health),
    path("health/live", health.live),
    path("health/ready", health.ready),
]
handler400 = "vaultsite.health.bad_request"
handler404 = "vaultsite.health.not_found"
handler500 = "vaultsite.health.server_error"
