"""People and programs by name, for who may know them by name."""

from collections.abc import Iterable
from uuid import UUID

from access.models import ApiKey, ServiceAccount, User
from access.services.authorize import may
from vaultsite.kernel.tenancy.principal import Principal


def names_of(principal: Principal, ids: Iterable[UUID]) -> dict[UUID, str]:
    """A name for each: "you", the name for who may read users and keys, else the end of the id."""
    wanted = set(ids)
    names = {each: f"..{str(each)[-8:]}" for each in wanted}
    if may(principal, "user.read"):
        names |= dict(User.objects.filter(pk__in=wanted).values_list("pk", "username"))
    if may(principal, "apikey.read"):
        for model in (ApiKey, ServiceAccount):
            names |= dict(model.objects.filter(pk__in=wanted).values_list("pk", "name"))
    return names | {principal.id: "you"}
