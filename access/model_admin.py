"""The base of every model's admin: the roles decide, services write, and the audit knows of each page."""

from typing import Any, ClassVar, Final
from uuid import UUID

from django import forms
from django.contrib.auth import get_permission_codename
from django.core.paginator import Paginator
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from access.factors.errors import StepUpRequired
from access.policy.admin import action_for
from access.services.authorize import authorize
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.scope import current_scope

#: No list counts further than this; what lies beyond is found by searching.
COUNT_LIMIT: Final = 1000


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts at most COUNT_LIMIT rows, so that a page costs the same however large the table is."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:COUNT_LIMIT].count())


class BoundedChangeList(ChangeList):  # type: ignore[misc]
    """Says how many rows it counted, and nothing of how many there are in all."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.full_result_count = self.result_count


class ServiceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form whose writing is done by a service; what the service refused is shown beside the fields."""

    refusal: ClassVar[VaultError | None] = None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.refusal is not None:
            for problem in self.refusal.errors:
                name = problem.field.strip("/").split("/")[0]
                self.add_error(name if name in self.fields else None, problem.detail)
            if not self.refusal.errors:
                self.add_error(None, self.refusal.detail or self.refusal.title)
        return cleaned

    def validate_unique(self) -> None:
        """The service judges, with the database."""

    def validate_constraints(self) -> None:
        """The service judges, with the database."""


class VaultModelAdmin(ModelAdmin):  # type: ignore[misc]
    """Lists and shows rows; subclasses say which ``actions`` of the policy stand behind, and write through services.

    Each page is one decision: lists and forms are decided here, what is saved by the service that saves it. Django's
    own log of the admin, its history and its autocompletion are not served.
    """

    #: The action that is decided when rows are shown, and what the audit calls them.
    read_action: ClassVar[str]
    resource_type: ClassVar[str]

    actions = None
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_filter_submit = True
    form = ServiceForm

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedChangeList]:
        return BoundedChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        self._decide_reading(request)
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form; when the service refuses, the same form again with the reasons, and nothing of it stays."""
        if object_id is not None:
            self._require_uuid(object_id)
        extra = {"show_save_and_continue": False, "show_save_and_add_another": False, **(extra_context or {})}
        try:
            response: HttpResponse = super().changeform_view(request, object_id, form_url, extra)
        except VaultError as refusal:
            is_ours = refusal.status >= 500  # noqa: PLR2004 - not the user's to mend
            if is_ours or request.method != "POST" or isinstance(refusal, StepUpRequired):
                raise
            current_scope().fail(refusal)
            request.vault_refusal = refusal  # type: ignore[attr-defined]
            response = super().changeform_view(request, object_id, form_url, extra)
            response.status_code = refusal.status
        return response

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only the filters on offer: Django lets a query string compare any column, a password's hash included."""
        offered = {f"{name}{suffix}" for name in self.list_filter for suffix in ("", "__exact", "__isnull")}
        return lookup in offered

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        made = super().get_form(request, obj, change=change, **kwargs)
        return type(made.__name__, (made,), {"refusal": _refusal(request)})

    def render_change_form(self, request: HttpRequest, context: Any, **kwargs: Any) -> HttpResponse:
        if _refusal(request) is None:
            if kwargs.get("obj") is None:
                self._decide_adding(request)
            else:
                self._decide_reading(request, kwargs["obj"].pk)
        response: HttpResponse = super().render_change_form(request, context, **kwargs)
        return response

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        self._decide_reading(request, context["object"].pk)
        response: HttpResponse = super().render_delete_form(request, context)
        return response

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Only what was asked for: a walk through the relations would read rows nobody asked to see."""
        return [str(obj) for obj in objs], {}, set(), []

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Not served: the audit is the history."""
        raise Http404

    def log_addition(self, *_: Any, **__: Any) -> None:
        """Nothing: the audit is the log."""

    def log_change(self, *_: Any, **__: Any) -> None:
        """Nothing: the audit is the log."""

    def log_deletions(self, *_: Any, **__: Any) -> None:
        """Nothing: the audit is the log."""

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        """A subclass that may write calls its service here; the admin itself never saves."""
        raise NotImplementedError

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        """A subclass that may delete calls its service here; the admin itself never deletes."""
        raise NotImplementedError

    def _decide_reading(self, request: HttpRequest, pk: UUID | str = "") -> None:
        authorize(resolve_principal(request), self.read_action, ResourceRef(self.resource_type, str(pk)))

    def _decide_adding(self, request: HttpRequest) -> None:
        permission = f"{self.opts.app_label}.{get_permission_codename('add', self.opts)}"
        authorize(resolve_principal(request), action_for(permission) or permission, ResourceRef(self.resource_type))

    @staticmethod
    def _require_uuid(text: str) -> None:
        try:
            UUID(text)
        except ValueError:
            raise Http404 from None


class ReadOnlyAdmin(VaultModelAdmin):
    """Rows nobody changes here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _refusal(request: HttpRequest) -> VaultError | None:
    return getattr(request, "vault_refusal", None)
