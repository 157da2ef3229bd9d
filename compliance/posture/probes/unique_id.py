"""Unique identity: nobody gets a name that somebody has, neither by the service nor past it."""

from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from access.errors import NameTaken
from access.models import User
from access.services.users import create_user
from compliance.posture.outcome import Outcome, judged
from compliance.posture.sandbox import actor, sandbox
from vaultsite.kernel.tenancy.principal import Principal


def probe(tenant_id: UUID) -> Outcome:
    admin, breaches = actor(tenant_id, "tenant_admin"), list[str]()
    name = f"probe-{uuid4().hex}"
    with sandbox(tenant_id, admin):
        create_user(admin, username=name)
        if _is_made(admin, name):
            breaches.append("two people were given one name")
        if _is_written(name):
            breaches.append("the database took a second person of one name")
    return judged(breaches, attempts=2)


def _is_made(admin: Principal, name: str) -> bool:
    try:
        with transaction.atomic():
            create_user(admin, username=name)
    except NameTaken:
        return False
    return True


def _is_written(name: str) -> bool:
    try:
        with transaction.atomic():
            User.objects.create(username=name, is_active=False)
            transaction.set_rollback(True)
    except IntegrityError:
        return False
    return True
