"""In compatibility mode the vault finds what presidio-analyzer finds; the whole comparison is a benchmark."""

import os
from functools import cache

import pytest

from anonymization.detectors.base import Span
from anonymization.detectors.presidio import PresidioDetector
from anonymization.findings import ACT_FROM
from tests.benchmarks.parity_texts import clean_200, fuzz, texts_200, texts_2000
from tests.benchmarks.stock import stock_analyzer

SEED = int(os.environ.get("VAULT_PARITY_SEED", "20261122"))


@cache
def stock():
    return stock_analyzer()


@cache
def ours():
    return PresidioDetector()


def differences(texts):
    found, differing = 0, []
    for text, spans in zip(texts, ours().detect_texts(texts), strict=True):
        theirs = {
            (one.start, one.end, one.entity_type, round(one.score, 6))
            for one in stock().analyze(text, language="en", score_threshold=ACT_FROM)
        }
        own = {(s.start, s.end, s.entity_type, round(s.score, 6)) for s in spans if s.score >= ACT_FROM}
        found += len(theirs)
        if theirs != own:
            differing.append((text, theirs ^ own))
    return found, differing


@pytest.mark.parametrize(
    ("kind", "make", "count", "least"),
    [
        ("glued", fuzz, 400, 500),
        ("prose", texts_200, 120, 20),
        ("long", texts_2000, 8, 15),
        ("clean", clean_200, 60, 0),
    ],
)
def test_spans_types_and_scores_are_those_of_stock_presidio(kind, make, count, least):
    found, differing = differences(list(make(SEED, count)))
    assert differing == [], kind
    assert found >= least


@pytest.mark.parametrize(
    "text",
    [
        "+001-449-431-8314",
        "2041021104+https://www.grupa.pl/-GB11KCCT4660689581501 my bank account 642766746760, ",
        "https://fujii.jp/.090-4725-3872 phone 3930e940-da7b-44eb-ac2f-a46102fc96ee; ",
        "call 030/901820 ext. 12 or 0800 1111, x 5",
        "tel +49 (0)30 901820 / 22 and 00 44 20 7946 0018",
        "(415) 555-0132 x3, 415.555.0132;1-800-356-9377",
        "\u0664\u0661\u0665-\u0665\u0665\u0665-\u0660\u0661\u0663\u0662 my phone",
        "My SSN is 536-22-8726, driver's license D1234567; IBAN DE89 3704 0044 0532 0130 00 2 days",
        "My credit card number is 4012888888881881 and my crypto wallet id is 16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ.",
        "On September 18 I visited microsoft.com and sent an email to test@presidio.site, from the IP 192.168.0.1.",
        "My passport: 191280342 and my phone number: (212) 555-1234.",
        "This is a valid International Bank Account Number: IL150120690000003111111 . Can you please check?",
        "Kate's social security number is 078-05-1126.  Her driver license? it is 1234567A.",
    ],
)
def test_documented_and_hard_examples_agree(text):
    assert differences([text])[1] == []


def test_a_batch_gives_what_single_texts_give():
    texts = [*fuzz(3, 20), "", "same 415-555-0132", "same 415-555-0132"]
    found = ours().detect_texts(texts)
    assert found == [ours().detect_texts([text])[0] for text in texts]
    assert all(isinstance(span, Span) for spans in found for span in spans)


def test_the_prefilter_changes_nothing_here_either():
    texts = list(fuzz(5, 60))
    assert ours().detect_texts(texts) == PresidioDetector(prefiltered=False).detect_texts(texts)
    assert ours().content_hash == PresidioDetector(prefiltered=False).content_hash
