"""The generated pages of the reference say what the code says now."""

import pytest
from django.core.management import call_command

from tests.architecture.sources import ROOT
from vaultsite.config import VaultConfig
from vaultsite.kernel.errors import catalogue
from vaultsite.kernel.events.event import EventType
from vaultsite.management.commands.write_reference import render_reference

PAGES = render_reference()


@pytest.mark.parametrize("page", sorted(PAGES))
def test_the_committed_page_is_current(page):
    committed = (ROOT / "docs" / "reference" / page).read_text(encoding="utf-8")
    assert committed == PAGES[page], "run make docs"


def test_the_command_agrees():
    call_command("write_reference", "--check")


def test_every_error_is_told():
    codes = [error.code for error in catalogue() if not error.__module__.startswith("tests.")]
    assert [code for code in codes if f"`{code}`" not in PAGES["errors.md"]] == []


def test_every_option_is_explained():
    rows = [line for line in PAGES["configuration.md"].splitlines() if line.startswith("| `")]
    assert len(rows) == len(VaultConfig.__dataclass_fields__)
    assert [row for row in rows if row.endswith("|  |")] == []


def test_every_event_is_explained():
    rows = [line for line in PAGES["events.md"].splitlines() if line.startswith("| `")]
    assert len(rows) == len(EventType)
    assert [row for row in rows if row.endswith("|  |")] == []
