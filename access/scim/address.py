"""Where SCIM is served."""

from typing import Final

from django.http import HttpRequest

#: Below the site's root: what directories call the tenant URL. The credential names the tenant.
PATH: Final = "/scim/v2"


def base_of(request: HttpRequest) -> str:
    """The whole address, as this request came to it."""
    return request.build_absolute_uri(PATH)
