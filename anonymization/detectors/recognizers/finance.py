"""Accounts at banks and on chains: account and routing numbers, IBAN and SWIFT after a label, wallet addresses."""
# ruff: noqa: E501 - a pattern or a row of a table reads better in one piece

from typing import Final

import regex
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer

from anonymization.detectors.recognizers import checksums
from anonymization.detectors.recognizers.labels import ANNOUNCED, LINK, Identifier, labelled

_ACCOUNT: Final = (
    r"(?:(?:bank|checking|chequing|savings?|current|deposit|brokerage|custody|investment|loan|mortgage|payroll|business)"
    r"[\s_-]){0,2}(?:accounts?|acct\.?|acc|a/c|iban)"
)
_ACCOUNT_VALUE: Final = r"(?:[A-Z]{0,10}-?\d(?:[ -]?\d){4,17}[A-Z]?|[*x\u2022]{2,12}[ -]?\d{3,6})(?![\w@])(?!-\d)"

_IDENTIFIERS: Final = (
    Identifier("BANK_ACCOUNT", "BankAccountRecognizer", _ACCOUNT, _ACCOUNT_VALUE, ANNOUNCED),
    Identifier("BANK_ACCOUNT", "SayAccountRecognizer",
               r"(?:bank|checking|savings|my|his|her|their|your|the|direct\sdeposit)\saccounts?(?:\s(?:is|was))?",
               r"\d(?:[ -]?\d){6,17}(?![\w@.,%])(?!-\d)", LINK, 0.5),
    Identifier("BANK_ACCOUNT", "PartialAccountRecognizer",
               r"(?:account|card)(?:\snumber)?,?\s(?:that\s)?end(?:s|ing)\s(?:in|with)", r"[*x]{0,12}\d{3,6}\b"),
    Identifier("ABA_ROUTING_NUMBER", "LabelledRoutingRecognizer", r"(?:aba|bank)?[\s_-]?(?:routing|transit)|aba|rtn", r"\d{4}-?\d{4}-?\d\b"),
    Identifier("UK_SORT_CODE", "SortCodeRecognizer", r"sort[\s_-]?code", r"\d{2}[- ]?\d{2}[- ]?\d{2}\b"),
    Identifier("AU_BSB", "BsbRecognizer", r"bsb", r"\d{3}[- ]?\d{3}\b"),
    Identifier("IN_IFSC", "IfscRecognizer", r"ifsc(?:[\s_-]code)?", r"[A-Z]{4}[0A-Z][A-Z0-9]{6}\b"),
    Identifier("SWIFT_CODE", "SwiftRecognizer", r"swift(?:[\s_/-]{0,3}(?:bic|code))*|bic(?:[\s_/-]{0,3}(?:swift|code))*|bank\sidentifier",
               r"(?-i:[A-Z]{4}[ ]?[A-Z]{2}[ ]?[A-Z0-9]{2}(?:[ ]?[A-Z0-9]{3})?)\b", score=0.6),
    Identifier("IBAN_CODE", "LabelledIbanRecognizer", r"ibans?|bank\saccount",
               r"(?-i:[A-Z]{2}\d{2}[ -]?[A-Z0-9]{4}(?:[ -]?[A-Z0-9]{1,4}){1,7})\b", score=0.5),
    Identifier("CREDIT_CARD", "PartialCardRecognizer", r"(?:credit|debit|payment|visa|mastercard|amex)?[\s_-]?card",
               r"(?:\d{4,6}[*x\u2022]{4,12}|[*x\u2022]{4}(?:[ -]?[*x\u2022]{4}){0,2}[ -]?)\d{4}\b", score=0.5),
)  # fmt: skip


def _is_wallet(address: str) -> bool:
    """Whether the check digits hold, where the form of address has any."""
    if address.lower().startswith("0x"):
        return len(set(address[2:].lower())) > 4  # noqa: PLR2004 - 0x000.. and 0xfff.. are constants of code
    if regex.match(r"(?:bc|tb|ltc|addr|cosmos|bnb)1", address, regex.IGNORECASE):
        return checksums.passes_bech32(address)
    if regex.match(r"[48][1-9A-HJ-NP-Za-km-z]{94}", address):
        return True
    return checksums.passes_base58check(address)


class WalletRecognizer(PatternRecognizer):
    """Addresses on public chains, by prefix, length and, but for Ethereum and Monero, check digits."""

    def __init__(self) -> None:
        base58 = "[1-9A-HJ-NP-Za-km-z]"
        super().__init__(
            supported_entity="CRYPTO",
            name="WalletRecognizer",
            version="1",
            context=["wallet", "btc", "bitcoin", "crypto", "eth", "ethereum", "litecoin", "dogecoin", "monero", "tron"],
            patterns=[
                Pattern("Bitcoin, legacy", rf"(?<!\w)[13]{base58}{{25,34}}(?!\w)", 0.5),
                Pattern("bech32", r"(?<!\w)(?:bc|tb|ltc)1[ac-hj-np-z02-9]{11,87}(?!\w)", 0.5),
                Pattern("bech32, in capitals", r"(?<!\w)BC1[AC-HJ-NP-Z02-9]{11,87}(?!\w)", 0.5),
                Pattern("Cardano", r"(?<!\w)addr1[ac-hj-np-z02-9]{50,108}(?!\w)", 0.5),
                Pattern("Ethereum", r"(?<!\w)0x[0-9A-Fa-f]{40}(?!\w)", 0.6),
                Pattern("Litecoin", rf"(?<!\w)[LM]{base58}{{26,33}}(?!\w)", 0.5),
                Pattern("Dogecoin", rf"(?<!\w)D[5-9A-HJ-NP-U]{base58}{{32}}(?!\w)", 0.5),
                Pattern("Tron", rf"(?<!\w)T{base58}{{33}}(?!\w)", 0.5),
                Pattern("Monero", rf"(?<!\w)[48][0-9AB]{base58}{{93}}(?!\w)", 0.6),
            ],
            global_regex_flags=regex.DOTALL | regex.MULTILINE,
        )

    def validate_result(self, pattern_text: str) -> bool | None:
        if not _is_wallet(pattern_text):
            return False
        return None if pattern_text.startswith(("0x", "4", "8")) else True


def finance_recognizers() -> list[EntityRecognizer]:
    """Recognizers of accounts after their label, and of wallet addresses by their shape."""
    return [
        *labelled(
            *_IDENTIFIERS,
            Identifier("CRYPTO", "LabelledWalletRecognizer",
                       r"(?:(?:btc|bitcoin|crypto|eth|ethereum|xrp|ripple|solana|sol|wallet|usdt|polkadot|stellar)[\s_-]){1,3}(?:wallet|address)",
                       r"(?-i:(?:0x)?[A-Za-z0-9]{24,106})\b"),
        ),
        WalletRecognizer(),
    ]  # fmt: skip
