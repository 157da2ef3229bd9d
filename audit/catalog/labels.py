"""Which rules of law or contract a dataset is marked with: what events say as compliance tags."""

from typing import Final

from vaultsite.kernel.events.event import ResourceRef

#: Tags of datasets that name such rules; every other tag is somebody's own word.
RULES: Final = frozenset({"ccpa", "gdpr", "hipaa", "iso27001", "pci", "pci-dss", "soc2", "sox"})
#: Data of people falls under data protection law whatever its tags say.
_BY_CLASSIFICATION: Final = {"pii": frozenset({"gdpr"})}


def compliance_tags(resource: ResourceRef) -> list[str]:
    """In order of the alphabet, as far as the resource's tags and classification are known."""
    marked = RULES & {tag.lower() for tag in resource.tags or ()}
    return sorted(marked | _BY_CLASSIFICATION.get(resource.classification, frozenset()))
