"""Assertions of the journeys' own modules say what they saw."""

import pytest

pytest.register_assert_rewrite("tests.journeys.jobs", "tests.journeys.vault")
