"""A role: a named set of permissions."""

from django.db import models

from vaultsite.kernel.tenancy.models import TenantModel


class Role(TenantModel):
    """``permissions`` is a sorted list of names from ``access.policy.builtin.PERMISSIONS``: all that the role permits.

    Of a role that a tenant made, ``own_permissions`` are those it was given itself, and ``permissions`` has those of
    the roles it inherits beside them; their codes are ``inherited``, at whatever distance. ``services.role_graph``
    keeps both.
    """

    code = models.CharField(max_length=63)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True, default="")
    permissions = models.JSONField(default=list)
    own_permissions = models.JSONField(default=list)
    inherited = models.JSONField(default=list)
    is_builtin = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["tenant", "code"], name="access_role_code"),
        ]

    def __str__(self) -> str:
        return self.name
