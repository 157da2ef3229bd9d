"""What the vault depends on is the stores of the regions that this process serves, each of them."""

from pathlib import Path
from typing import Any

import pytest

from tests.factories.regions import declare_regions, serve_only
from vaultsite.health import check_storage
from vaultsite.kernel.errors import StorageUnavailable


def test_a_store_that_is_away_is_noticed_where_its_region_is_served(settings: Any, tmp_path: Path) -> None:
    declare_regions(settings, tmp_path)
    assert check_storage()
    (tmp_path / "us").write_text("no folder")
    with pytest.raises(StorageUnavailable):
        check_storage()
    serve_only(settings, "eu")
    assert check_storage()
