"""Models a user brings. spaCy runs for real; stand-ins for the packages that are not installed keep to their calls."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
import spacy

from anonymization.detectors.base import Span
from anonymization.names.adapters.gliner import GlinerNameFinder
from anonymization.names.adapters.pieces import pieces_of, without_overlaps
from anonymization.names.adapters.spacy import SpacyNameFinder
from anonymization.names.adapters.transformers import TransformersNameFinder
from anonymization.names.errors import NameModelMissing


@pytest.fixture
def pipeline(tmp_path):
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns(
        [
            {"label": "PERSON", "pattern": "Amara Diallo"},
            {"label": "GPE", "pattern": "Lyon"},
            {"label": "MONEY", "pattern": "seven euros"},
        ]
    )
    nlp.to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


def test_spacy_entities_become_spans(pipeline):
    spans = SpacyNameFinder(pipeline).find(["Amara Diallo paid seven euros in Lyon."])
    assert spans == [[Span(0, 12, "PERSON", 0.85, "names-spacy"), Span(33, 37, "LOCATION", 0.85, "names-spacy")]]


def test_the_hash_of_a_spacy_finder_changes_with_its_pipeline(pipeline):
    before = SpacyNameFinder(pipeline).content_hash
    assert SpacyNameFinder(pipeline).content_hash == before
    assert SpacyNameFinder(pipeline, score=0.5).content_hash != before
    (pipeline / "added.txt").write_text("changed", encoding="utf-8")
    assert SpacyNameFinder(pipeline).content_hash != before


@pytest.mark.parametrize(
    ("finder", "package"), [(TransformersNameFinder, "transformers"), (GlinerNameFinder, "gliner")]
)
def test_a_missing_package_is_named(finder, package, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(NameModelMissing, match=f"pip install {package}"):
        finder(tmp_path)


def test_a_missing_spacy_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(NameModelMissing, match="pip install spacy"):
        SpacyNameFinder(tmp_path)


def test_a_name_to_download_by_is_no_folder():
    with pytest.raises(NameModelMissing, match="not downloaded"):
        SpacyNameFinder("en_core_web_lg")


class _Local:
    """Stands for a model class: keeps how it was asked for."""

    asked: list[dict] = []

    @classmethod
    def from_pretrained(cls, _path, **options):
        cls.asked.append(options)
        return cls()

    def predict_entities(self, text, labels, threshold):
        assert "person" in labels
        found = [("Amara Diallo", "person", 0.9), ("Lyon", "location", 0.4)]
        return [
            {"start": text.index(name), "end": text.index(name) + len(name), "label": label, "score": score}
            for name, label, score in found
            if name in text and score >= threshold
        ]


@pytest.fixture
def stand_ins(monkeypatch):
    def pipeline(task, *, model, tokenizer, aggregation_strategy):
        assert (task, aggregation_strategy) == ("token-classification", "simple")
        groups = {"person": "PER", "location": "LOC"}
        return lambda text: [
            {"entity_group": groups[one["label"]], **one} for one in model.predict_entities(text, ["person"], 0)
        ]

    for name, members in (
        ("transformers", {"pipeline": pipeline, "AutoModelForTokenClassification": _Local, "AutoTokenizer": _Local}),
        ("gliner", {"GLiNER": _Local}),
    ):
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(_Local, "asked", [])
    return SimpleNamespace(asked=_Local.asked)


@pytest.mark.parametrize("finder", [TransformersNameFinder, GlinerNameFinder])
def test_spans_of_pieces_have_places_in_the_whole_text(finder, stand_ins, tmp_path):
    text = "word " * 300 + "Amara Diallo lives in Lyon. " + "word " * 300
    found = finder(tmp_path).find([text])[0]
    assert [(text[span.start : span.end], span.entity_type) for span in found] == [("Amara Diallo", "PERSON")]


@pytest.mark.parametrize("finder", [TransformersNameFinder, GlinerNameFinder])
def test_strict_mode_takes_what_the_model_is_less_sure_of(finder, stand_ins, tmp_path):
    text = "Amara Diallo lives in Lyon."
    found = finder(tmp_path).find([text], strict=True)[0]
    assert [text[span.start : span.end] for span in found] == ["Amara Diallo", "Lyon"]


@pytest.mark.parametrize("finder", [TransformersNameFinder, GlinerNameFinder])
def test_models_are_only_taken_from_the_disk(finder, stand_ins, tmp_path):
    finder(tmp_path)
    assert stand_ins.asked
    assert all(options["local_files_only"] for options in stand_ins.asked)


@pytest.mark.parametrize("text", ["", "short", "word " * 1000, "x" * 5000, "a b " * 40 + "y" * 900])
def test_pieces_cover_the_text_and_overlap(text):
    pieces = list(pieces_of(text, 300))
    assert all(text[start : start + len(piece)] == piece and len(piece) <= 300 for start, piece in pieces)
    reached = 0
    for start, piece in pieces:
        assert start <= reached
        reached = start + len(piece)
    assert reached == len(text)


def test_of_overlapping_spans_the_surer_stays():
    weak, sure = Span(0, 5, "PERSON", 0.4, "x"), Span(3, 9, "LOCATION", 0.8, "x")
    assert without_overlaps([sure, weak]) == [sure]
