"""The datasets app: it tells the apps below which datasets there are."""

from django.apps import AppConfig

from anonymization.ports import fill_find_dataset


class DatasetsConfig(AppConfig):
    name = "datasets"
    verbose_name = "Datasets"

    def ready(self) -> None:
        from datasets.selectors import find_resource  # its models load after the app registry

        fill_find_dataset(find_resource)
