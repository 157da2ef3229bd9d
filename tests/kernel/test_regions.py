"""What may be declared as a region, and what stops the vault from starting."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from vaultsite.kernel.errors import RegionNotServed
from vaultsite.kernel.regions import parse_regions, region_of, served_stores, storages_of

STORE = {"backend": "django.core.files.storage.InMemoryStorage"}
EU: dict[str, Any] = {"default": True}
OTHER = {"backend": "django.core.files.storage.InMemoryStorage", "options": {"location": "b"}}


def test_a_declaration_names_a_store_for_each_region() -> None:
    told = {"eu": EU | {"countries": ["DE"], "zone": "europe"}, "us": {"storage": STORE}}
    regions = parse_regions(told)
    assert {name: (one.store, one.zone, one.is_default) for name, one in regions.items()} == {
        "eu": ("vault", "europe", True),
        "us": ("vault-us", "us", False),
    }
    assert set(storages_of(told)) == {"vault-us"}


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"eu": {}}, "a storage of its own"),
        ({"us": {"storage": STORE}}, "exactly one region"),
        ({"eu": EU, "us": EU}, "exactly one region"),
        ({"eu": EU, "us": {}}, "a storage of its own"),
        ({"eu": EU | {"storage": STORE}}, "a storage of its own"),
        ({"EU": EU}, "is no name"),
        ({"e u": EU}, "is no name"),
        ({"eu": EU | {"country": "DE"}}, "unknown members: country"),
        ({"eu": "yes"}, "it is no table"),
        ({"eu": {"default": "yes"}}, "true or false"),
        ({"eu": EU | {"database": "no"}}, "true or false"),
        ({"eu": EU | {"countries": ["Germany"]}}, "ISO 3166"),
        ({"eu": EU | {"countries": "DE"}}, "ISO 3166"),
        ({"eu": EU | {"zone": "E U"}}, "zone"),
        ({"eu": EU, "us": {"storage": {"options": {}}}}, "a backend"),
        ({"eu": EU | {"replica": {"region": "us", "storage": STORE}}, "us": {"storage": OTHER}}, "would stand in 'us'"),
        ({"eu": EU | {"replica": {"region": "eu"}}}, "a region and a storage"),
        ({"eu": EU, "us": {"storage": STORE}, "ch": {"storage": STORE}}, "two of the storages are one"),
    ],
)
def test_a_declaration_that_does_not_hold_stops_the_vault(told: dict[str, Any], says: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="VAULT_REGIONS") as refused:
        parse_regions(told)
    assert says in str(refused.value)


def test_without_regions_nothing_is_asked(settings: Any) -> None:
    assert settings.VAULT["REGIONS"] == {}
    assert region_of("anything") is None
    assert served_stores() == ["vault"]


def test_a_region_nobody_declared_is_served_nowhere(settings: Any) -> None:
    settings.VAULT = {**settings.VAULT, "REGIONS": parse_regions({"eu": EU})}
    with pytest.raises(RegionNotServed):
        region_of("us")
    assert region_of("") == region_of("eu")
