"""Training: the same seed gives the same file, and generated labels stand where the names are."""

import numpy as np
import pytest

from anonymization.names.crf import CrfNameFinder
from anonymization.names.decoding import Layout, allowed, best_labels, first_scores, probabilities
from anonymization.names.emissions import Emissions
from anonymization.names.features import manner_of
from anonymization.names.lexicon import Lexicon
from anonymization.names.model import decode_model, encode_model
from anonymization.names.training.build import common_words
from anonymization.names.training.corpora import read_columns
from anonymization.names.training.examples import Example, Label
from anonymization.names.training.generate import TEMPLATES, generate, read_templates
from anonymization.names.training.learn import LABELS, Builder, Settings, labelled_lines, learn
from anonymization.names.training.measure import measure

TEMPLATES_OF_THE_TEST = [
    "{p1} works for {o} in {c}.",
    "Dear {m1},\n{f2} lives at {a}.",
    "The {b} is late.",
    "name,city\n{q},{n}",
    "Ask {p} about {v} and {w}.",
]
LEXICON = Lexicon({"paris": 4, "anna": 1, "the": 1024}, [("new", "york")])


@pytest.fixture(scope="module")
def examples():
    return generate(TEMPLATES_OF_THE_TEST, 60, seed=7)


@pytest.fixture(scope="module")
def model(examples):
    return learn(examples, LEXICON, Settings(iterations=4), seed=7)


def test_the_same_seed_gives_the_same_file(examples, model):
    again = learn(generate(TEMPLATES_OF_THE_TEST, 60, seed=7), LEXICON, Settings(iterations=4), seed=7)
    assert encode_model(again) == encode_model(model)
    assert encode_model(learn(examples, LEXICON, Settings(iterations=4), seed=8)) != encode_model(model)


def test_generated_labels_stand_where_the_names_are(examples):
    assert examples != generate(TEMPLATES_OF_THE_TEST, 60, seed=8)
    for example in examples:
        for label in example.labels:
            value = example.text[label.start : label.end]
            assert value
            assert value == value.strip()


def test_all_templates_can_be_filled():
    templates = read_templates(TEMPLATES)
    assert len(templates) > 400
    for example in generate(templates, len(templates), seed=1):
        assert "{p" not in example.text
        assert "[[" not in example.text


def test_a_model_survives_its_file(model, tmp_path):
    read = decode_model(encode_model(model))
    assert (read.features, read.labels, read.classes) == (model.features, model.labels, model.classes)
    assert np.abs(read.weights - model.weights).max() <= np.abs(model.weights).max() / 250
    path = tmp_path / "small.names"
    path.write_bytes(encode_model(model))
    finder = CrfNameFinder(path)
    assert finder.find(["Anna works for Siemens in Paris."])[0]
    path.write_bytes(
        encode_model(learn(generate(TEMPLATES_OF_THE_TEST, 30, seed=2), LEXICON, Settings(iterations=2), seed=2))
    )
    assert CrfNameFinder(path).content_hash != finder.content_hash


def test_decoding_equals_trying_every_path(model):
    """Viterbi and forward-backward against the sum over all label sequences of a short line."""
    rng = np.random.default_rng(5)
    lengths = np.array([4, 1, 3])
    starts = np.array([2, 8, 11])
    scores = rng.normal(size=(16, len(LABELS))).astype(np.float32)
    transitions = allowed(LABELS, rng.normal(size=(len(LABELS), len(LABELS))).astype(np.float32))
    scores[starts] += first_scores(LABELS)
    layout = Layout(starts, lengths)
    chosen, sure = best_labels(scores, transitions, layout), probabilities(scores, transitions, layout)
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        paths = np.array(np.meshgrid(*[range(len(LABELS))] * length)).reshape(length, -1).T
        value = np.array(
            [
                sum(scores[start + t, path[t]] for t in range(length))
                + sum(transitions[path[t - 1], path[t]] for t in range(1, length))
                for path in paths
            ],
            dtype=np.float64,
        )
        assert chosen[start : start + length].tolist() == paths[value.argmax()].tolist()
        weight = np.exp(value - value.max())
        for t in range(length):
            expected = np.bincount(paths[:, t], weights=weight, minlength=len(LABELS)) / weight.sum()
            assert np.allclose(sure[start + t], expected, atol=1e-4)


def test_scores_are_sums_of_the_features_of_training(examples, model):
    """What the finder sums from kept rows is what training wrote out word by word."""
    builder = Builder(LEXICON, model.frequent, {name: number for number, name in enumerate(model.classes)})
    row = {name: number for number, name in enumerate(model.features)}
    emissions = Emissions(model)
    for example in examples[:20]:
        for line, _ in labelled_lines(example):
            scores, starts = emissions.of([line.words], [manner_of(line)])
            for place, features in enumerate(builder.features(line, [False] * len(line.words))):
                expected = sum((model.weights[row[name]] for name in features if name in row), np.zeros(len(LABELS)))
                assert np.allclose(scores[starts[0] + place], expected, atol=1e-4)


def test_columns_become_running_text(tmp_path):
    path = tmp_path / "columns"
    path.write_text(
        "Dr\tO\nAda\tB-PER\nKing\tI-PER\n'\tO\ns\tO\n@\tB-PER\nada\tB-PER\n(\tO\nParis\tB-LOC\n)\tO\n.\tO\n\nHi\tO\n"
    )
    first, second = read_columns(path)
    assert first.text.startswith("Dr Ada King")
    assert "(Paris)." in first.text
    assert [(first.text[one.start : one.end], one.entity_type) for one in first.labels] == [
        ("Ada King", "PERSON"),
        ("Paris", "LOCATION"),
    ]
    assert second == Example("Hi", (), "corpus")


def test_common_words_stand_outside_names():
    text = "the rose of May Rose"
    counts = common_words([Example(text, (Label(12, 20, "PERSON"),), "x")])
    assert counts["rose"] >= 1
    assert counts["may"] == common_words([])["may"]


def test_a_span_counts_when_it_covers_half(tmp_path, model):
    path = tmp_path / "m.names"
    path.write_bytes(encode_model(model))
    quality = measure(CrfNameFinder(path), [Example("nothing here", (), "x")], ("PERSON",))
    assert quality["PERSON"].count == 0
    assert quality["all"].f1 == 0.0
