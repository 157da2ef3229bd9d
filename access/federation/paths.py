"""Paths below ``/auth/`` that providers send browsers to, and call themselves: route, view, name."""

from collections.abc import Callable
from typing import Final

from django.http import HttpResponse

from access.federation.oidc.back_channel import logout
from access.federation.oidc.views import BeginView, CallbackView
from access.federation.saml import views as saml

PATHS: Final[tuple[tuple[str, Callable[..., HttpResponse], str], ...]] = (
    ("<slug:organization>/<slug:provider>/begin/", BeginView.as_view(), "oidc_begin"),
    ("<slug:organization>/<slug:provider>/callback/", CallbackView.as_view(), "oidc_callback"),
    ("<slug:organization>/<slug:provider>/back-channel-logout/", logout, "oidc_logout"),
    ("saml/<slug:organization>/<slug:provider>/begin/", saml.begin, "saml_begin"),
    ("saml/<slug:organization>/<slug:provider>/consume/", saml.consume, "saml_consume"),
    ("saml/<slug:organization>/<slug:provider>/finish/", saml.finish, "saml_finish"),
    ("saml/<slug:organization>/<slug:provider>/sign-out/", saml.sign_out, "saml_sign_out"),
    ("saml/<slug:organization>/<slug:provider>/metadata/", saml.metadata, "saml_metadata"),
)
