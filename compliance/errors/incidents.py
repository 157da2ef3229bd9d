"""Errors of incidents: VAULT_COMP_8140 to 8159."""

from vaultsite.kernel.errors import VaultError


class IncidentNotFound(VaultError):
    """There is none of this id that the principal may see."""

    code, slug, status = "VAULT_COMP_8140", "incident-not-found", 404
    title = "There is no such incident"
    outcome = "denied"


class IncidentAboutYourself(VaultError):
    """Whom an incident is about manages it for nobody: not by a program of theirs either, nor for one."""

    code, slug, status = "VAULT_COMP_8141", "incident-about-yourself", 403
    title = "Somebody else has to manage this incident"
    outcome = "denied"


class WrongIncidentState(VaultError):
    """What was asked for belongs to another state of the incident (``is_now``)."""

    code, slug, status = "VAULT_COMP_8142", "wrong-incident-state", 409
    title = "The incident is in another state"


class IncidentDutiesOpen(VaultError):
    """An incident is closed when nothing is left to do about it; ``errors`` names what is."""

    code, slug, status = "VAULT_COMP_8143", "incident-duties-open", 409
    title = "Something is left to do about this incident"


class AlertHasIncident(VaultError):
    """An alert becomes one incident (``incident``)."""

    code, slug, status = "VAULT_COMP_8144", "alert-has-incident", 409
    title = "There is an incident of this alert already"


class IncidentScopeNotFound(VaultError):
    """The incident has no scope of this id."""

    code, slug, status = "VAULT_COMP_8145", "incident-scope-not-found", 404
    title = "There is no such scope"
    outcome = "denied"


class IncidentTaskNotFound(VaultError):
    """The incident has no task of this id."""

    code, slug, status = "VAULT_COMP_8146", "incident-task-not-found", 404
    title = "There is no such task"
    outcome = "denied"


class BreachNoticeNotFound(VaultError):
    """The incident has no notice of this id."""

    code, slug, status = "VAULT_COMP_8147", "breach-notice-not-found", 404
    title = "There is no such notice"
    outcome = "denied"


class BreachNoticeSent(VaultError):
    """What was sent stays as it was sent; what there is to add goes into the next phase."""

    code, slug, status = "VAULT_COMP_8148", "breach-notice-sent", 409
    title = "The notice was sent: write the next phase"


class BreachNoticeIncomplete(VaultError):
    """The text still says what has to be completed (``left`` places)."""

    code, slug, status = "VAULT_COMP_8149", "breach-notice-incomplete", 409
    title = "The notice has places to complete"


class BreachNoticeChanged(VaultError):
    """Somebody saved the text since it was read (``newest`` is its number now)."""

    code, slug, status = "VAULT_COMP_8150", "breach-notice-changed", 409
    title = "Somebody else has changed the notice meanwhile"


class IncidentTaskDone(VaultError):
    """A task that is done stays as it is."""

    code, slug, status = "VAULT_COMP_8151", "incident-task-done", 409
    title = "The task is done already"


class TooManyScopes(VaultError):
    """One scope of an incident is computed at a time."""

    code, slug, status = "VAULT_COMP_8152", "incident-scope-under-way", 409
    title = "A scope of this incident is being computed"
    retry_after = 10
