"""Datasets in the browser: list, page, form, deletion. Everything is written by the services."""

from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from access.model_admin import ServiceForm, VaultModelAdmin
from access.services.authorize import authorize, may
from datasets.models import Classification, Dataset, IdMode, Ingest, IngestFormat, IngestMode, OnError, RecordShape
from datasets.pages.page import render_page
from datasets.pages.paths import bound
from datasets.selectors import get_dataset, head_of, heads_of, list_datasets, list_versions, resource_of
from datasets.services.datasets import DatasetFacts, create_dataset, update_dataset
from datasets.services.lifecycle import delete_dataset
from datasets.services.overview import exposure, profile_by_field
from datasets.views import record_page, records_page, rejects_page
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.regions import declared_regions, default_region
from vaultsite.kernel.tenancy.ports import resolve_principal

PAGE_SIZE: Final = 50
_VERSIONS_SHOWN: Final = 50
_INGESTS_SHOWN: Final = 10
_LONGEST_RETENTION: Final = 36_500


def _region_field(region: str, *, is_new: bool) -> forms.ChoiceField:
    """One of the declared regions for a new dataset; a dataset that exists stays where it is."""
    default = default_region()
    names = sorted(declared_regions()) if is_new else [region]
    return forms.ChoiceField(
        choices=[(name, name or (default.name if default else "")) for name in names],
        initial=default.name if default and is_new else region,
        required=False,
        disabled=not is_new,
        widget=UnfoldAdminSelectWidget(),
        help_text="Everything of the dataset is stored and processed there. It cannot be changed later.",
    )


class DatasetForm(ServiceForm):
    """What a person says of a dataset."""

    tags = forms.CharField(
        required=False,
        max_length=4000,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Separated by commas. Names, tags and descriptions may hold no personal data.",
    )

    class Meta:
        model = Dataset
        fields = ("name", "description", "classification", "retention_days", "region")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_new = self.instance._state.adding  # noqa: SLF001 - Django's way to tell
        if not is_new:
            self.initial["tags"] = ", ".join(self.instance.tag_names)
        if declared_regions():
            self.fields["region"] = _region_field(self.instance.region, is_new=is_new)

    def facts(self) -> DatasetFacts:
        given = self.cleaned_data
        tags = tuple(filter(None, (tag.strip() for tag in given["tags"].split(","))))
        days = given["retention_days"]
        problems = []
        if any(len(tag) > 64 for tag in tags) or len(tags) > 64:  # noqa: PLR2004 - as the API has it
            problems.append(FieldProblem("tags", "At most 64 tags of at most 64 characters"))
        if days is not None and not 1 <= days <= _LONGEST_RETENTION:
            problems.append(FieldProblem("retention_days", f"1 to {_LONGEST_RETENTION}"))
        if problems:
            raise InvalidInput(errors=problems)
        return DatasetFacts(
            name=given["name"],
            description=given["description"],
            classification=given["classification"],
            tags=tags,
            retention_days=days,
            region=given["region"],
            clears_retention=days is None,
        )


@admin.register(Dataset)
class DatasetAdmin(VaultModelAdmin):
    """The form and the deletion are Django's; list and page are ours."""

    read_action = "dataset.read"
    resource_type = "dataset"
    form = DatasetForm
    fields = ("name", "description", "classification", "tags", "retention_days", "region")

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        mine = [
            path("<uuid:dataset_id>/", site.admin_view(self.dataset_page), name="datasets_dataset_page"),
            path("<uuid:dataset_id>/records/", site.admin_view(records_page), name="datasets_records"),
            path("<uuid:dataset_id>/records/<str:record_id>/", site.admin_view(record_page), name="datasets_record"),
            path("rejects/<uuid:ingest_id>/", site.admin_view(rejects_page), name="datasets_rejects"),
        ]
        mine += [path(route, view, name=name) for route, view, name in bound(site.admin_view)]
        return mine + super().get_urls()  # type: ignore[no-any-return]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Newest first, a page at a time, never counted."""
        principal = resolve_principal(request)
        authorize(principal, "dataset.list", ResourceRef("dataset"))
        prefix, tags = request.GET.get("name", "")[:200], request.GET.get("tag", "")[:64].split()
        classification = request.GET.get("classification", "")
        found = list_datasets(
            principal,
            tags=tags,
            prefix=prefix,
            classification=classification if classification in Classification.values else "",
            after=_after(request),
            limit=PAGE_SIZE + 1,
        )
        shown = found[:PAGE_SIZE]
        heads = heads_of(shown)
        context = {
            "title": "Datasets",
            "rows": [(dataset, heads.get(dataset.pk)) for dataset in shown],
            "next_after": shown[-1].pk if len(found) > PAGE_SIZE else None,
            "classifications": Classification.choices,
            "filters": {"name": prefix, "tag": " ".join(tags), "classification": classification},
            "is_filtered": bool(prefix or tags or classification),
            "may_add": self.has_add_permission(request),
            "may_restore": may(principal, "dataset.restore"),
        }
        return _page(request, "vault/datasets.html", context)

    def dataset_page(self, request: HttpRequest, dataset_id: UUID) -> HttpResponse:
        """Everything of one dataset but its records."""
        principal = resolve_principal(request)
        dataset = get_dataset(principal, dataset_id, action="dataset.read")
        authorize(principal, "dataset.read", resource_of(dataset))
        head = head_of(dataset)
        sees_versions, sees_ingests = may(principal, "version.read"), may(principal, "ingest.read")
        versions = list_versions(dataset, after=None, limit=_VERSIONS_SHOWN) if sees_versions else []
        ingests = Ingest.objects.filter(dataset=dataset).select_related("version").order_by("-created_at")
        context = {
            "title": dataset.name,
            "dataset": dataset,
            "head": head,
            "versions": versions,
            "profile": profile_by_field(head) if head else [],
            "ingests": ingests[:_INGESTS_SHOWN] if sees_ingests else [],
            "exposure": exposure(principal, dataset),
            "may_read_records": may(principal, "record.read"),
            "may_upload": may(principal, "record.write") and dataset.archived_at is None,
            "may_change": self.has_change_permission(request) and dataset.archived_at is None,
            "may_delete": self.has_delete_permission(request),
            "may_see_rejects": may(principal, "ingest.rejects.read"),
            "may_see_audit": may(principal, "audit.read"),
            "formats": IngestFormat.choices,
            "modes": IngestMode.choices,
            "on_errors": OnError.choices,
            "id_modes": IdMode.choices,
            "shapes": RecordShape.choices,
        }
        return render_page(request, "vault/dataset.html", context, dataset=dataset, tab="datasets_dataset_page")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The form is for who may change; everybody else has the page."""
        self._require_uuid(object_id)
        if not self.has_change_permission(request):
            return HttpResponseRedirect(reverse("admin:datasets_dataset_page", args=[object_id]))
        response: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        return response

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Dataset:
        """As everywhere: what the principal may not see does not exist, and the attempt is recorded."""
        self._require_uuid(object_id)
        return get_dataset(resolve_principal(request), UUID(object_id), action=self.read_action)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        principal = resolve_principal(request)
        if change:
            update_dataset(principal, dataset_id=obj.pk, facts=form.facts())
        else:
            obj.pk = create_dataset(principal, facts=form.facts()).pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        delete_dataset(resolve_principal(request), dataset_id=obj.pk)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:datasets_dataset_page", args=[obj.pk]))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:datasets_dataset_page", args=[obj.pk]))


def _after(request: HttpRequest) -> tuple[str, ...] | None:
    given = request.GET.get("after", "")
    try:
        return (str(UUID(given)),) if given else None
    except ValueError:
        return None


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(request, template, admin.site.each_context(request) | context)
