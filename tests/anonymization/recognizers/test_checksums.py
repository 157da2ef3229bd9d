import pytest

from anonymization.detectors.recognizers import checksums

#: A number each that its issuer or standard publishes as an example.
_EXAMPLES = [
    (checksums.passes_luhn, "79927398713"),
    (checksums.passes_iban, "GB29 NWBK 6016 1331 9268 19"),
    (checksums.passes_nir, "2 55 08 14 168 025 38"),
    (checksums.passes_cpf, "529.982.247-25"),
    (checksums.passes_cnpj, "11.222.333/0001-81"),
    (checksums.passes_bsn, "111222333"),
    (checksums.passes_ahv, "756.9217.0769.85"),
    (checksums.passes_curp, "HEGG560427MVZRRL04"),
    (checksums.passes_vin, "1M8GDM9AXKP042788"),
]


@pytest.mark.parametrize(("check", "number"), _EXAMPLES)
def test_a_published_number_passes_and_with_another_last_digit_does_not(check, number):
    assert check(number)
    others = [number[:-1] + digit for digit in "0123456789" if digit != number[-1]]
    assert not any(check(other) for other in others)


def test_bitcoin_addresses_pass_and_changed_ones_do_not():
    assert checksums.passes_base58check("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")
    assert not checksums.passes_base58check("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb")
    for address in (
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
    ):
        assert checksums.passes_bech32(address)
        assert checksums.passes_bech32(address.upper())
        assert not checksums.passes_bech32(address[:-1] + "q")


def test_the_specimen_of_a_passport_passes():
    assert checksums.passes_mrz("L898902C3", "6")
    assert not checksums.passes_mrz("L898902C3", "7")


@pytest.mark.parametrize("digits", ["00000000000", "11111111111"])
def test_repeated_digits_are_nobodys_number(digits):
    assert not checksums.passes_cpf(digits)
