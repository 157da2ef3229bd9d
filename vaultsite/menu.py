"""Who is shown which entry of the sidebar, where Django's permissions do not say it."""

from django.http import HttpRequest

from access.services import visibility
from vaultsite.kernel.tenancy.ports import resolve_principal


def may_list(request: HttpRequest) -> bool:
    """Whoever was given one dataset has a list of datasets, whatever their roles."""
    return visibility.may_list(resolve_principal(request))
