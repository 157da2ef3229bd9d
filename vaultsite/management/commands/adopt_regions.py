"""Give the datasets from before regions were declared the default one, where their objects lie."""

from argparse import ArgumentParser
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from datasets.models import Blob, Dataset, DatasetTag
from vaultsite.kernel.regions import DEFAULT_STORE, declared_regions, default_region

#: What the former remark is kept as, among the tags of the dataset.
TAG: Final = "region:"
_LONGEST: Final = 64


class Command(BaseCommand):
    help = (
        "Run it once after VAULT_REGIONS was set for the first time, with VAULT_OWNER_DATABASE_URL: datasets whose "
        "region is not a declared one, or whose objects lie in the default store, get the default region. What their "
        "region said before stays as a tag, region:... Restart the vault afterwards."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say how many")

    def handle(self, *_: Any, dry_run: bool, **__: Any) -> None:
        home = default_region()
        if home is None or "owner" not in settings.DATABASES:
            raise CommandError("set VAULT_REGIONS, and VAULT_OWNER_DATABASE_URL: this works as the owner")
        with transaction.atomic(using="owner"):
            rows = _homeless(home.name)
            away = rows.filter(_lies_elsewhere())
            refused = [f"{pk} ({said})" for pk, said in away.order_by("pk").values_list("pk", "region")]
            rows = rows.exclude(_lies_elsewhere())
            if not dry_run:
                for pk, tenant_id, said in rows.exclude(region="").values_list("pk", "tenant_id", "region"):
                    _keep_as_tag(pk, tenant_id, said)
            count = rows.count() if dry_run else rows.update(region=home.name)
        if refused:
            self.stderr.write(f"refused, declare their regions: objects in other stores have {', '.join(refused)}")
        self.stdout.write(f"{count} datasets {'would get' if dry_run else 'got'} the region {home.name}")


def _homeless(home: str) -> "QuerySet[Dataset]":
    """Datasets that are not where their region says: their objects all lie in the default store."""
    rows = Dataset.objects.using("owner").exclude(region=home)
    here = Blob.objects.using("owner").filter(dataset_id=OuterRef("pk"), store=DEFAULT_STORE)
    return rows.filter(Exists(here)) | rows.exclude(region__in=list(declared_regions()))


def _lies_elsewhere() -> Exists:
    """Objects in another store: the region of the dataset was renamed or dropped since."""
    return Exists(Blob.objects.using("owner").filter(dataset_id=OuterRef("pk")).exclude(store=DEFAULT_STORE))


def _keep_as_tag(dataset_id: Any, tenant_id: Any, said: str) -> None:
    tag = f"{TAG}{said}"[:_LONGEST]
    DatasetTag.objects.using("owner").get_or_create(dataset_id=dataset_id, tenant_id=tenant_id, tag=tag)
