"""FF1 against the publication's samples and Wycheproof's vectors."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymization.tokens.ff1 import FF1

WYCHEPROOF = Path(__file__).parents[3].parent / "shared/data/vectors/wycheproof"
SETS = ("base10", "base62", "radix10", "radix36", "radix65536")
needs_wycheproof = pytest.mark.skipif(not WYCHEPROOF.is_dir(), reason=f"no Wycheproof vectors in {WYCHEPROOF}")

KEY_128 = "2B7E151628AED2A6ABF7158809CF4F3C"
KEY_192 = KEY_128 + "EF4359D8D580AA4F"
KEY_256 = KEY_192 + "7F036D6F04FC6A94"
#: NIST's sample values of SP 800-38G for FF1: key, radix, tweak, plaintext, ciphertext.
NIST = [
    (KEY_128, 10, "", "0123456789", "2433477484"),
    (KEY_128, 10, "39383736353433323130", "0123456789", "6124200773"),
    (KEY_128, 36, "3737373770717273373737", "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
    (KEY_192, 10, "", "0123456789", "2830668132"),
    (KEY_192, 10, "39383736353433323130", "0123456789", "2496655549"),
    (KEY_192, 36, "3737373770717273373737", "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
    (KEY_256, 10, "", "0123456789", "6657667009"),
    (KEY_256, 10, "39383736353433323130", "0123456789", "1001623463"),
    (KEY_256, 36, "3737373770717273373737", "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
]


@pytest.mark.parametrize(("key", "radix", "tweak", "plain", "cipher"), NIST)
def test_the_publications_samples(key, radix, tweak, plain, cipher):
    ff1 = FF1(bytes.fromhex(key), radix)
    numerals, expected = ([int(letter, 36) for letter in text] for text in (plain, cipher))
    assert ff1.encrypt(numerals, bytes.fromhex(tweak)) == expected
    assert ff1.decrypt(expected, bytes.fromhex(tweak)) == numerals


@needs_wycheproof
@pytest.mark.parametrize("name", SETS)
def test_wycheproof(name):
    document = json.loads(gzip.decompress((WYCHEPROOF / f"aes_ff1_{name}_test.json.gz").read_bytes()))
    seen = 0
    for group in document["testGroups"]:
        for case in group["tests"]:
            judge(group, case)
            seen += 1
    assert seen == document["numberOfTests"]


def judge(group, case):
    key, tweak = bytes.fromhex(case["key"]), bytes.fromhex(case["tweak"])
    if case["result"] == "valid":
        ff1 = FF1(key, group["radix"], minimum_domain=100)
        plain, cipher = numerals_of(group, case["msg"]), numerals_of(group, case["ct"])
        assert ff1.encrypt(plain, tweak) == cipher, case["tcId"]
        assert ff1.decrypt(cipher, tweak) == plain, case["tcId"]
        if group["radix"] ** len(plain) < 1_000_000:
            with pytest.raises(ValueError, match="too few"):
                FF1(key, group["radix"]).encrypt(plain, tweak)
        return
    with pytest.raises(ValueError):
        FF1(key, group["radix"], minimum_domain=100).encrypt(numerals_of(group, case["msg"]), tweak)


def numerals_of(group, message):
    """Letters outside the alphabet become a numeral outside the radix."""
    return [group["alphabet"].find(letter) for letter in message] if "alphabet" in group else message


@given(st.integers(2, 65536), st.binary(max_size=40), st.data())
def test_what_was_encrypted_is_decrypted(radix, tweak, data):
    shortest = next(length for length in range(2, 33) if radix**length >= 1_000_000)
    numerals = data.draw(st.lists(st.integers(0, radix - 1), min_size=shortest, max_size=shortest + 40))
    ff1 = FF1(bytes(range(32)), radix)
    hidden = ff1.encrypt(numerals, tweak)
    assert len(hidden) == len(numerals)
    assert all(0 <= numeral < radix for numeral in hidden)
    assert ff1.decrypt(hidden, tweak) == numerals


def test_a_whole_domain_is_permuted():
    ff1 = FF1(bytes(32), 10, minimum_domain=100)
    hidden = {tuple(ff1.encrypt([high, low])) for high in range(10) for low in range(10)}
    assert len(hidden) == 100


@pytest.mark.parametrize(
    ("key", "radix"), [(b"", 10), (bytes(15), 10), (bytes(33), 10), (bytes(32), 1), (bytes(32), 65537)]
)
def test_keys_and_radices_out_of_range_are_refused(key, radix):
    with pytest.raises(ValueError):
        FF1(key, radix)


def test_a_refusal_quotes_no_numeral():
    with pytest.raises(ValueError) as refusal:
        FF1(bytes(32), 10).encrypt([4, 1, 7, 73])
    assert "73" not in str(refusal.value)


def test_no_minimum_below_a_hundred():
    with pytest.raises(ValueError):
        FF1(bytes(32), 10, minimum_domain=99)
