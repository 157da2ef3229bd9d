"""What a tenant asks of the people who sign in."""

from django.db import models
from django.db.models import Q

from vaultsite.kernel.tenancy.models import TenantModel

#: Minutes for which a proof of who somebody is stands for sensitive acts.
STEP_UP_MINUTES = (1, 480)
#: Browsers that one person may be signed in with at once.
SESSIONS = (1, 100)


class SignInPolicy(TenantModel):
    """At most one a tenant; a tenant without a row has the defaults of ``access.services.assurance``.

    ``mfa_roles`` are codes of roles whose holders sign in with a second factor, ``mfa_classifications`` those of data
    that is released to people who did so alone.
    """

    mfa_roles = models.JSONField(default=list)
    mfa_classifications = models.JSONField(default=list)
    step_up_minutes = models.PositiveIntegerField(default=15)
    max_sessions = models.PositiveIntegerField(default=10)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["tenant"], name="access_signinpolicy_one"),
            models.CheckConstraint(
                condition=Q(step_up_minutes__range=STEP_UP_MINUTES) & Q(max_sessions__range=SESSIONS),
                name="access_signinpolicy_ranges",
            ),
        ]
