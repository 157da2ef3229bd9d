"""Run events of the vault's own versions."""

from collections.abc import Mapping
from typing import Any, Final

from datasets.models import Dataset, Version

PRODUCER: Final = "https://github.com/llm-data-vault/llm-data-vault"
SCHEMA_URL: Final = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS: Final = "https://openlineage.io/spec/facets/"
#: Namespaces of the vault's datasets start so; the tenant's slug follows.
SCHEME: Final = "llm-data-vault://"
JOBS: Final = "llm-data-vault"


def namespace_of(slug: str) -> str:
    """The namespace under which a tenant's datasets are known to OpenLineage."""
    return f"{SCHEME}{slug}"


def facet(name: str, revision: str, /, **members: Any) -> dict[str, Any]:
    """A facet of the specification, e.g. ``DatasetVersionDatasetFacet`` in revision ``1-0-1``."""
    return {"_producer": PRODUCER, "_schemaURL": f"{_FACETS}{revision}/{name}.json#/$defs/{name}", **members}


def event_of(version: Version, *, slug: str, dataset: Dataset) -> dict[str, Any]:
    """The COMPLETE event of the run that made ``version``: the run's id is the version's UUID."""
    parents = [parent for parent in (version.parent, version.merge_parent) if parent is not None]
    output = _dataset(version, slug, dataset) | {
        "outputFacets": {
            "outputStatistics": facet(
                "OutputStatisticsOutputDatasetFacet",
                "1-0-2",
                rowCount=version.record_count,
                size=version.canonical_bytes,
            )
        }
    }
    return {
        "eventType": "COMPLETE",
        "eventTime": version.created_at.isoformat(),
        "producer": PRODUCER,
        "schemaURL": SCHEMA_URL,
        "run": {"runId": str(version.pk), "facets": {}},
        "job": {"namespace": JOBS, "name": f"{dataset.pk}.{version.kind}", "facets": {"jobType": _job_type(version)}},
        "inputs": [_dataset(parent, slug, dataset) for parent in parents],
        "outputs": [output],
    }


def _dataset(version: Version, slug: str, dataset: Dataset) -> dict[str, Any]:
    facets = {
        "version": facet("DatasetVersionDatasetFacet", "1-0-1", datasetVersion=version.label),
        "dataSource": facet("DatasourceDatasetFacet", "1-0-1", name=namespace_of(slug), uri=namespace_of(slug)),
    }
    return {"namespace": namespace_of(slug), "name": str(dataset.pk), "facets": facets}


def _job_type(version: Version) -> Mapping[str, Any]:
    return facet(
        "JobTypeJobFacet", "2-0-3", processingType="BATCH", integration="LLM_DATA_VAULT", jobType=version.kind.upper()
    )
