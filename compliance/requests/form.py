"""The public form: people ask an organization here, and prove that the address they gave is theirs."""

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Final

from django.db.models.functions import Now
from django.utils import timezone

from access.selectors import find_tenant
from access.services.authorize import authorize
from audit.notifications.mail import is_mail_configured
from compliance.errors.requests import FormClosed, LinkRefused
from compliance.models import IntakeForm, SubjectRequest
from compliance.models.link import LinkKind
from compliance.models.request import Channel, IdentityMethod, Law, RequestType
from compliance.requests.intake import MANAGE, READ, Intake, make_request
from compliance.requests.links import find_link, mail_identity_link, use_link
from compliance.requests.sealed import SubjectFacts, is_mail_address, subject_key
from compliance.requests.states import State, locked, move, resource_of_request
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import current_scope, tenant_scope

#: Requests by the form that no link has confirmed yet: of one address in a day, and of an organization in an hour.
MOST_OF_ONE: Final = 3
MOST_OF_ALL: Final = 200


def form_settings(principal: Principal) -> IntakeForm:
    """The form of the tenant; closed where nobody opened it. Raises AccessDenied."""
    authorize(principal, READ, resource_of_request("form"))
    return IntakeForm.objects.first() or IntakeForm(changed_by=principal.id)


def set_form(principal: Principal, *, is_open: bool, law: Law) -> IntakeForm:
    """Open or close the public form. Raises AccessDenied."""
    authorize(principal, MANAGE, resource_of_request("form"), facts={"is_open": is_open, "law": law.value})
    facts = {"is_open": is_open, "law": law, "changed_by": principal.id, "changed_at": Now()}
    row, _ = IntakeForm.objects.update_or_create(defaults=facts)
    row.refresh_from_db()
    return row


class Organization:
    """Whom a link or form is of, for somebody who proves nothing. Raises LinkRefused where there is no such one."""

    def __init__(self, slug: str, facts: RequestFacts) -> None:
        tenant = find_tenant(slug)
        if tenant is None:
            raise LinkRefused
        self.tenant_id, self.organization, self._facts = tenant.pk, tenant.name, facts
        self.principal = Principal.nobody(tenant.pk)

    def scope(self) -> AbstractContextManager[object]:
        return tenant_scope(self.tenant_id, self.principal, self._facts)

    def look_up(self, kind: LinkKind, token: str) -> None:
        """Whether a link holds, without using it. Raises LinkRefused."""
        with self.scope():
            find_link(kind, token)

    def confirm(self, token: str) -> SubjectRequest:
        """Whoever follows the link has the address. Raises LinkRefused."""
        with self.scope():
            return confirm_identity(token)


class OpenForm(Organization):
    """The open form of one organization. Raises FormClosed where there is none, whatever the reason."""

    def __init__(self, slug: str, facts: RequestFacts) -> None:
        try:
            super().__init__(slug, facts)
        except LinkRefused:
            raise FormClosed from None
        with self.scope():
            row = IntakeForm.objects.filter(is_open=True).first()
        if row is None or not is_mail_configured():
            raise FormClosed
        self.law = Law(row.law)

    def submit(self, kind: RequestType, facts: SubjectFacts) -> None:
        """Take a request in and have its link mailed; says nothing of whether it was taken. Raises InvalidInput."""
        problems = facts.problems()
        if not is_mail_address(facts.contact):
            problems.append(FieldProblem("/contact", "an e-mail address"))
        if problems:
            raise InvalidInput(errors=problems)
        with self.scope():
            if _is_too_much(facts):
                return
            by = current_scope().principal.id
            request = make_request(Intake(kind, self.law, Channel.FORM), facts, by=by)
            mail_identity_link(request)
            move(request, State.IDENTITY_PENDING)


def confirm_identity(token: str) -> SubjectRequest:
    """Use up the token of an identity link, in the open scope; the request is verified if it waited for that.

    Raises LinkRefused.
    """
    link = use_link(LinkKind.IDENTITY, token)
    request = locked(link.request_id)
    if request.state == State.IDENTITY_PENDING:
        move(request, State.VERIFIED, identity_method=IdentityMethod.EMAIL_LINK, verified_at=timezone.now())
    return request


def _is_too_much(facts: SubjectFacts) -> bool:
    """Whether so much waits unconfirmed that more would only be mail to somebody who never asked."""
    waiting = SubjectRequest.objects.filter(channel=Channel.FORM, state=State.IDENTITY_PENDING)
    now = timezone.now()
    of_one = waiting.filter(subject_key=subject_key(facts.contact), created_at__gt=now - timedelta(days=1))
    of_all = waiting.filter(created_at__gt=now - timedelta(hours=1))
    return of_one.count() >= MOST_OF_ONE or of_all.count() >= MOST_OF_ALL
