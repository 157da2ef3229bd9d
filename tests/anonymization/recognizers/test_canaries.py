from functools import cache
from pathlib import Path

import pytest

from anonymization.detectors.engine import VaultDetector
from anonymization.detectors.recognizers.catalogue import build_recognizers
from anonymization.detectors.recognizers.entities import ENTITIES, entity_types
from anonymization.detectors.walk import scan_text
from anonymization.findings import ACT_FROM
from tests.factories.canaries import BY_NAMES, CANARIES

_PAGE = Path(__file__).parents[3] / "docs" / "reference" / "entities.md"


@cache
def detector():
    return VaultDetector()


@pytest.mark.parametrize(
    "canary", [one for one in CANARIES if one.entity_type not in BY_NAMES], ids=lambda c: c.entity_type
)
def test_every_entity_type_is_found(canary):
    found = [span for span in scan_text(canary.text, detector()) if span.score >= ACT_FROM]
    start = canary.text.index(canary.value)
    end = start + len(canary.value)
    assert any(s.entity_type == canary.entity_type and s.start <= start and end <= s.end for s in found), found


def test_every_entity_type_has_a_canary_and_a_row():
    recognized = {entity for recognizer in build_recognizers() for entity in recognizer.supported_entities}
    assert recognized | BY_NAMES | {"UNSCANNABLE"} == entity_types()
    assert {canary.entity_type for canary in CANARIES} == entity_types()


def test_the_reference_page_holds_the_table():
    page = _PAGE.read_text()
    for group, entities in ENTITIES.items():
        assert f"## {group[0].upper()}{group[1:]}" in page
        for entity, meaning in entities.items():
            names = sorted(r.name for r in build_recognizers() if entity in r.supported_entities)
            assert f"| `{entity}` | {meaning} | {', '.join(names)} |" in page, entity
    assert page.count("\n| `") == len(entity_types())
