"""The datasets app: it tells the apps below which datasets there are, and what was given on each."""

from django.apps import AppConfig

from access.ports import register_dataset_directory, register_grant_source, register_resource_source
from anonymization.ports import fill_find_dataset


class DatasetsConfig(AppConfig):
    name = "datasets"
    verbose_name = "Datasets"

    def ready(self) -> None:
        from datasets.selectors import find_resource  # its models load after the app registry
        from datasets.services.grant_source import Directory, GrantsOnDatasets
        from datasets.services.policy_resources import DescribedDatasets

        fill_find_dataset(find_resource)
        register_grant_source(GrantsOnDatasets())
        register_resource_source(DescribedDatasets())
        register_dataset_directory(Directory())
