"""Numbers of things people own or use: vehicles, devices, accounts on systems; and where and how they are reached."""
# ruff: noqa: E501 - a pattern or a row of a table reads better in one piece

from typing import Final

from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer

from anonymization.detectors.recognizers import checksums
from anonymization.detectors.recognizers.labels import (
    ANNOUNCED,
    CODE,
    LINK,
    LINK_BEFORE_BRACKET,
    START,
    STOP,
    CheckedRecognizer,
    Identifier,
    LabelledRecognizer,
    labelled,
)

_PLATE: Final = (
    r"(?:licen[cs]e|number|registration|vehicle|car|reg|index)[\s_-]plates?|plate(?=[\s_-]{0,2}(?:number|no\b|#|id\b|is\b|:))|number[\s_-]plate"
    r"|(?:vehicle|car)[\s_-](?:registration|reg)|kennzeichen|kfz-?kennzeichen|immatriculation|targa|matr\u00edcula"
)
_PLATE_VALUE: Final = r"(?-i:(?=[A-Z0-9 \u00b7-]{0,10}\d)(?=[A-Z0-9 \u00b7-]{0,10}[A-Z])[A-Z0-9\u00c4\u00d6\u00dc]{1,4}(?:[ \u00b7-]?[A-Z0-9]{1,4}){1,3})(?!\w)"
_USER: Final = (
    r"user[\s_-]?names?|user[\s_-]?ids?|log[\s_-]?in(?:[\s_-](?:name|id))|screen[\s_-]?name|(?:twitter|instagram|telegram|discord|skype|github|reddit"
    r"|snapchat|tiktok|slack|steam|xbox|psn|gamer)[\s_-]?(?:handle|user(?:name)?|id|tag|account|name)|handle|nickname|gamertag|account[\s_-]name|uid"
)
_NO_USER: Final = frozenset(
    """
    name password required optional none null true false string admin root user username your-username example test
    anonymous guest unknown and the for with not invalid wrong taken available missing empty default must should
    that this which field value case sensitive unique already generator incorrect called
    int str string varchar text char integer number uuid bigint serial long float bool boolean any object type
    get set new value input print len size length self this data form body query param params
    """.split()  # noqa: SIM905 - a table of words reads better than a list
)

_IDENTIFIERS: Final = (
    Identifier("VIN", "LabelledVinRecognizer", r"vin|vehicle[\s_-]identification|chassis", r"[A-HJ-NPR-Z0-9]{11,17}\b", check=lambda text: len(text) == 17 and checksums.passes_vin(text)),  # noqa: PLR2004
    Identifier("LICENSE_PLATE", "PlateRecognizer", _PLATE, _PLATE_VALUE),
    Identifier("DEVICE_ID", "DeviceRecognizer",
               r"imei(?:sv)?|meid|esn|imsi|iccid|sim(?:[\s_-]card)?|udid|idfa|aaid|gaid|android[\s_-]id|advertising[\s_-]id|device[\s_-](?:id(?:entifier)?|serial|token)|hardware[\s_-]id",
               r"(?=[A-F0-9-]{0,30}\d)[A-Z0-9](?:[A-Z0-9]|[- /](?=[A-Z0-9]*\d)){5,39}(?![\w@])", ANNOUNCED),
    Identifier("DEVICE_ID", "SerialRecognizer",
               r"(?:device|phone|laptop|computer|tablet|pump|pacemaker|implant|monitor|scanner|machine|equipment|product|hardware)?[\s_-]?(?:serial|s/n)",
               CODE, ANNOUNCED, 0.5),
    Identifier("DEVICE_ID", "SayImeiRecognizer", r"imei", r"\d{2}[ -]?\d{6}[ -]?\d{6}[ -]?\d\b"),
)  # fmt: skip


class UserNameRecognizer(PatternRecognizer):
    """Names people sign in with, after a label; words that documentation puts there are left out."""

    def __init__(self) -> None:
        name = r"[\w.@+-]{3,64}(?<![.,-])(?!\w)"
        super().__init__(
            supported_entity="USERNAME",
            name="UserNameRecognizer",
            version="1",
            patterns=[
                Pattern(
                    "quoted",
                    rf"{START}(?:{_USER}){STOP}{LINK}(?<=[\"'`\u2018\u201c])\K{name}(?=[\"'`\u2019\u201d])",
                    0.6,
                ),
                Pattern(
                    "assigned",
                    rf"{START}(?:{_USER}){STOP}[\"'`]?\s{{0,2}}(?:[:=]|=>)\s{{0,2}}[\"'`@]?\K(?![\w.]{{1,80}}[(\[])(?!(?:request|self|user|args|os|config|settings|env|req|data|form|ctx|row|obj|item|res|response|session|account|current_user|process)\.){name}(?![(\[])",
                    0.6,
                ),
                Pattern(
                    "said",
                    rf"{START}(?:{_USER}){STOP}{LINK}@?\K(?=[\w.-]{{0,30}}?[\d_.]\w)(?=[a-z][\w.-])(?!(?:request|self|user|args|os|config|settings|env|req|data|form)\.){name}(?![(\[])",
                    0.5,
                ),
                Pattern(
                    "a word said",
                    rf"{START}(?:{_USER}){STOP}\s(?:is|was)\s@?\K[a-z][\w-]{{2,30}}(?=[.,;!?]?(?:\s*$|[ ](?:and|but|on|with|if|in[ ]case)\b)|[.,;!?]\s)",
                    0.45,
                ),
            ],
        )

    def invalidate_result(self, pattern_text: str) -> bool:
        value = pattern_text.strip(".").lower()
        return value in _NO_USER or value.endswith(("ed", "ing", "able"))


class CoordinatesRecognizer(PatternRecognizer):
    """Places as pairs of degrees: decimal with four places and more, or in minutes and seconds (ISO 6709)."""

    def __init__(self) -> None:
        latitude, longitude = r"[-+]?(?:[1-8]?\d|90)\.\d{4,}", r"[-+]?(?:1[0-7]\d|\d{1,2}|180)\.\d{4,}"
        dms = r"\d{1,3}\s?[\u00b0\u00ba]\s?\d{1,2}(?:\.\d+)?\s?['\u2032\u2019]\s?(?:\d{1,2}(?:\.\d+)?\s?(?:[\"\u2033\u201d]|'')\s?)?"
        decimal = rf"(?<![\w.]){latitude}\s?\u00b0?\s?[NS]?\s?[,;/ ]\s?{longitude}\s?\u00b0?\s?[EW]?(?![\w.]\d)"
        super().__init__(
            supported_entity="GPS_COORDINATES",
            name="CoordinatesRecognizer",
            version="1",
            context=["gps", "coordinates", "coordinate", "location", "latitude", "longitude", "lat", "lon", "lng", "position", "located", "geo"],
            patterns=[
                Pattern("decimal pair", decimal, 0.3),
                Pattern("decimal pair with compass", rf"(?<![\w.]){latitude}\s?\u00b0?\s?[NS][,;]?\s?{longitude}\s?\u00b0?\s?[EW]\b", 0.7),
                Pattern("decimal pair in brackets", rf"\(\K{latitude},\s?{longitude}(?=\))", 0.4),
                Pattern("degrees and minutes", rf"(?<!\w){dms}[NS][,;]?\s?{dms}[EW]\b", 0.8),
                Pattern("geo URI", rf"\bgeo:\K{latitude},{longitude}", 0.8),
                Pattern("precise pair", r"(?<![\w.])(?<!\d, )(?<!\d,)[-+]?(?:[1-8]?\d|90)\.\d{5,},\s?[-+]?(?:1[0-7]\d|\d{1,2}|180)\.\d{5,}(?![\w.]|\s?[,*/+]\s?-?\d)", 0.4),
                Pattern("one of a labelled pair", r"\b(?:latitude|longitude|lat|lng|lon|long)[\"'`]?\s?(?:is|[:=])\s?[\"'`]?\K[-+]?\d{1,3}\.\d{3,}\b", 0.7),
            ],
        )  # fmt: skip


class UrlCredentialsRecognizer(PatternRecognizer):
    """Addresses that carry a user name with a password or a token in their query (RFC 3986, section 3.2.1)."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="URL_CREDENTIALS",
            name="UrlCredentialsRecognizer",
            version="1",
            patterns=[
                Pattern("user information", r"(?<![\w+.-])[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'<>]{0,100}:[^\s/@\"'<>]{1,200}@[^\s\"'<>]{1,250}(?<![.,;)])", 0.9),
                Pattern("query", r"(?<!\w)https?://[^\s\"'<>?]{1,250}\?[^\s\"'<>]{0,250}?(?:access_token|api_?key|apikey|token|password|passwd|pwd|secret|sig|signature|auth)=[^\s\"'<>&]{4,250}", 0.6),
            ],
        )  # fmt: skip


class ImeiRecognizer(CheckedRecognizer):
    """IMEI numbers with a supporting word (3GPP TS 23.003, section 6.2: the last digit by Luhn)."""

    def __init__(self) -> None:
        super().__init__(
            "DEVICE_ID",
            "ImeiRecognizer",
            [
                Pattern("grouped", r"(?<![\w-])\d{2}-\d{6}-\d{6}-\d(?![\w-])", 0.5),
                Pattern("bare", r"(?<!\w)\d{15}(?!\w)", 0.2),
            ],
            check=lambda text: checksums.passes_luhn(checksums.only_digits(text)),
            context=["imei", "handset", "iphone", "android", "device"],
            certain=False,
        )


def thing_recognizers() -> list[EntityRecognizer]:
    """Recognizers whose label or shape suffices: plates, devices, user names, coordinates, URLs with credentials."""
    return [
        *labelled(*_IDENTIFIERS),
        LabelledRecognizer(Identifier("FAX_NUMBER", "FaxRecognizer", r"(?:tele)?fax|telefax|facsimile", r"[+(]{0,2}\d(?:[ ()/.-]{0,3}\d){6,14}(?!\w)", LINK_BEFORE_BRACKET)),
        UserNameRecognizer(),
        UrlCredentialsRecognizer(),
    ]  # fmt: skip


def checked_thing_recognizers() -> list[EntityRecognizer]:
    """Recognizers by shape that the rules on bare numbers apply to."""
    return [
        CheckedRecognizer(
            "VIN",
            "VinRecognizer",
            [Pattern("ISO 3779", r"(?<!\w)(?=[A-HJ-NPR-Z0-9]{0,16}[A-HJ-NPR-Z])(?-i:[A-HJ-NPR-Z0-9]{13}\d{4})(?!\w)", 0.5)],
            check=checksums.passes_vin,
            context=["vin", "vehicle", "chassis", "car"],
            certain=True,
        ),
        ImeiRecognizer(),
        CoordinatesRecognizer(),
    ]  # fmt: skip
