"""Who is shown which entry of the sidebar, where Django's permissions do not say it."""

from django.http import HttpRequest

from access.services import visibility
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.scope import find_scope


def may_list(request: HttpRequest) -> bool:
    """Whoever was given one dataset has a list of datasets, whatever their roles; a page without a scope, such as one
    that tells of an error, goes by roles alone.
    """
    if find_scope() is None:
        return request.user.has_perm("datasets.view_dataset")
    return visibility.may_list(resolve_principal(request))
