"""Where a browser goes on to once somebody has signed in."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from access.auth.sessions import HALF_KEY, WANTED_KEY


def landing(request: HttpRequest, wanted: str) -> str:
    """``wanted`` if it is a page of this site, else the home page; after the second factor, where one is asked for."""
    wanted = without_purpose(wanted)
    if not is_own_address(request, wanted):
        wanted = reverse("admin:index")
    if request.session.get(HALF_KEY):
        request.session[WANTED_KEY] = wanted
        return reverse("admin:second_factor")
    return wanted


def is_own_address(request: HttpRequest, address: str) -> bool:
    """Whether an address that a request named leads to a page of this site."""
    return url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())


def without_purpose(address: str) -> str:
    """The address to go on to after signing in. It may come from a foreign link, which states no purpose."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "purpose"]
    return urlunsplit(parts._replace(query=urlencode(query)))
