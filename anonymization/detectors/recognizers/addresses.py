"""Street addresses and postal codes, as LOCATION and as codes of their own."""
# ruff: noqa: E501 - a pattern or a row of a table reads better in one piece

from typing import Final

import regex
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer

from anonymization.detectors.recognizers.labels import Identifier, labelled

_STATES: Final = r"(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|PR|RI|S[CD]|T[NX]|UT|V[AIT]|W[AIVY])"
_STATE_NAMES: Final = (
    r"(?:Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|Hawaii|Idaho|Illinois"
    r"|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|Mississippi|Missouri|Montana"
    r"|Nebraska|Nevada|New[ ](?:Hampshire|Jersey|Mexico|York)|North[ ](?:Carolina|Dakota)|Ohio|Oklahoma|Oregon|Pennsylvania"
    r"|Rhode[ ]Island|South[ ](?:Carolina|Dakota)|Tennessee|Texas|Utah|Vermont|Virginia|Washington|West[ ]Virginia"
    r"|Wisconsin|Wyoming)"
)
_ZIP: Final = r"\d{5}(?:-\d{4})?"
_UK_CODE: Final = r"[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2}"
_CA_CODE: Final = r"[ABCEGHJ-NPRSTVXY]\d[A-Z][ ]?\d[A-Z]\d"
_NAME: Final = r"[A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u017d](?:[^\W\d_]|['\u2019.-]){0,24}"
_KIND: Final = (
    r"(?:Street|St|Avenue|Ave|Av|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace|Ter|Terr"
    r"|Parkway|Pkwy|Highway|Hwy|Circle|Cir|Way|Trail|Trl|Crescent|Cres|Close|Row|Mews|Plaza|Plz|Alley|Aly|Loop|Path|Pike"
    r"|Turnpike|Tpke|Route|Rte|Expressway|Expy|Freeway|Fwy|Causeway|Crossing|Xing|Gardens|Gdns|Grove|Grv|Hill|Hills|Heights|Hts"
    r"|Manor|Meadows?|Park|Point|Ridge|Rdg|Run|Shore|Springs?|Station|Summit|View|Village|Vista|Walk|Quay|Wharf|Parade|Esplanade|Bypass|Extension|Ext"
    r"|Common|Corner|Cove|Creek|Field|Fields|Flats|Ford|Forest|Forge|Fork|Garden|Gateway|Glen|Green|Harbor|Haven|Hollow|Inlet|Island|Isle|Junction|Key|Knoll|Lake|Landing"
    r"|Mall|Mill|Mills|Mission|Motorway|Mount|Mountain|Orchard|Oval|Overpass|Pass|Passage|Pine|Plain|Port|Prairie|Ramp|Ranch|Rapids|Rest|River|Shoal|Spur|Spurs"
    r"|Bayou|Beach|Bend|Bluff|Bottom|Branch|Bridge|Brook|Burg|Camp|Canyon|Cape|Center|Centre|Cliff|Club|Course|Crest|Dale|Dam|Divide|Estate|Falls|Ferry|Flat|Fork|Fort|Light|Lock|Lodge"
    r"|Neck|Radial|Shoals|Skyway|Square|Stravenue|Stream|Throughway|Trace|Track|Trafficway|Tunnel|Underpass|Union|Valley|Viaduct|Ville|Vista|Well)s?"
)
#: Words that end a street's name and nothing else: these may stand behind a lower-case name too.
_SURE_KIND: Final = (
    r"(?:street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|court|terrace|parkway|pkwy|highway|hwy)"
)
_NUMBER: Final = r"(?:No\.?[ ])?\d{1,5}[A-Za-z]?(?:[-/]\d{1,4}[A-Za-z]?)?"
_COMPASS: Final = r"(?:(?:N|S|E|W|NE|NW|SE|SW|North|South|East|West)\.?[ ])?"
_UNIT: Final = r"(?:[, ]{0,2}\s?(?:Apt|Apartment|Suite|Ste|Unit|Flat|Fl|Floor|Room|Rm|Bldg|Building|Box|Lot|#)\.?[ ]?#?[ ]?[A-Z0-9-]{1,6}\b)?"
_CITY: Final = rf"{_NAME}(?:[ -]{_NAME}){{0,3}}"
_GLUE: Final = r"(?:,?[ ]|,?[ ]?\r?\n[ ]?)"
_US_TAIL: Final = rf"(?:{_GLUE}{_CITY},?\s(?:{_STATES}|{_STATE_NAMES})\b(?:,?\s{_ZIP}\b)?(?:{_GLUE}(?:USA|U\.S\.A\.|United[ ]States)\b)?|{_GLUE}(?:{_STATES}|{_STATE_NAMES})\s{_ZIP}\b)?"
_UK_TAIL: Final = rf"(?:(?:{_GLUE}{_CITY}){{1,3}}{_GLUE}(?:{_UK_CODE}|{_CA_CODE})\b)?"

_DE_STREET: Final = (
    r"(?:[A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u017d](?:[^\W\d_]|[.-]){1,30}(?:stra\u00dfe|strasse|str\.|weg|gasse|platz|allee|gade|gata|gatan|v\u00e4gen|vej|vei|veien|straat|gracht|utca|katu)"
    r"|(?:[A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u017d](?:[^\W\d_]|[.-]){1,20}[ -]){1,3}(?:Stra\u00dfe|Strasse|Str\.|Weg|Gasse|Platz|Allee|Ring|Damm|Ufer|utca|\u00fat|u\.|t\u00e9r)"
    r")"
)
#: Streets whose names end like many other words: only with the city behind them.
_DE_VAGUE: Final = (
    r"(?:[A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u017d](?:[^\W\d_]|[.-]){1,30}(?:ring|damm|ufer|hof|steig|chaussee|markt|graben|kai|laan|plein|tie|lei)"
    r"|(?:Am|An[ ]der|Auf[ ]der|Im|In[ ]der|Zum|Zur)[ ][A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u017d](?:[^\W\d_]|-){2,24})"
)
_DE_CITY: Final = rf"(?:,[ ]?|[ ]|,?[ ]?\r?\n[ ]?)(?:[A-Z]{{1,2}}-)?\d{{4,5}}[ ]{_CITY}"
_DE_TAIL: Final = rf"(?:{_DE_CITY})?"
_FR_KIND: Final = r"(?:rue|avenue|av\.|boulevard|bd|place|chemin|all\u00e9e|impasse|quai|route|cours|square|passage|faubourg|calle|avenida|avda\.?|paseo|plaza|via|viale|corso|piazza|largo|vicolo|rua|travessa|pra\u00e7a|carrer|ul\.|ulica|aleja|al\.)"
_FR_NAME: Final = r"(?:(?:de[ ]la|de[ ]l['\u2019]|des|de|du|d['\u2019]|la|le|les|del|della|dei|di|da|do|dos|das|y|el)[ ]?){0,2}[A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u017d](?:[^\W\d_]|['\u2019.-]){1,24}(?:[ -](?:(?:de|du|des|la|le|del|di|da|do|dos|y)[ ])?[A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u017d](?:[^\W\d_]|['\u2019.-]){0,24}){0,3}"
_FR_TAIL: Final = rf"(?:(?:,[ ]?|[ ]|,?[ ]?\r?\n[ ]?)\d{{4,5}}(?:-\d{{3}})?[ ]{_CITY})?"


class AddressRecognizer(PatternRecognizer):
    """A house number with a street, and the city and postal code that follow; capital letters matter."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="LOCATION",
            name="AddressRecognizer",
            version="1",
            patterns=[
                Pattern("number and street", rf"(?<![\w$\u20ac\u00a3.,:/#-]){_NUMBER}[ ]{_COMPASS}(?:(?:{_NAME}|\d{{1,3}}(?:st|nd|rd|th))[ ]){{1,4}}{_KIND}\b\.?(?:[ ](?:N|S|E|W|NE|NW|SE|SW|North|South|East|West)\b\.?)?{_UNIT}(?:{_US_TAIL}|{_UK_TAIL})", 0.6),
                Pattern("flat and street", rf"(?<!\w)(?:Flat|Studio|Apartment|Apt\.?|Unit)[ ][0-9A-Za-z]{{1,5}},?[ ](?:\d{{1,4}}[A-Za-z]?,?[ ])?(?:{_NAME}[ ]){{1,3}}{_KIND}\b{_UK_TAIL}", 0.6),
                Pattern("rue", rf"(?<!\w)(?:[Rr]ue|[Cc]hemin|[Ii]mpasse|[Rr]uelle)[ ]{_FR_NAME}{_FR_TAIL}", 0.45),
                Pattern("number and street in lower case", rf"(?<![\w$.,:/#-])\d{{1,5}}[ ](?:[a-z]{{3,15}}[ ]){{1,2}}{_SURE_KIND}\b(?=[,.\s]|$)", 0.35),
                Pattern("numbered road", rf"(?<![\w$.,:/#-])\d{{1,5}}[ ](?:(?:State|County|US|U\.S\.|Farm|Old)[ ]){{0,2}}(?:Highway|Hwy|Route|Rte|Road|Rd|Broadway|Interstate)\.?[ ]\d{{1,4}}\b{_UNIT}{_US_TAIL}", 0.6),
                Pattern("box", rf"\bP\.?[ ]?O\.?[ ]?Box[ ]\d{{1,6}}\b{_US_TAIL}", 0.6),
                Pattern("unit and box", r"\b(?:PSC|Unit|CMR|USNS|USCGC|USS|RR)[ ][\w ]{1,16}?,?[ ]?(?:Box|APO|FPO|DPO)[ ]\d{1,6}\b", 0.6),
                Pattern("military post", rf"\b[AFD]PO[ ]A[AEP][ ]{_ZIP}\b", 0.6),
                Pattern("street and number", rf"(?<!\w){_DE_STREET}[ ]\d{{1,4}}[ ]?[a-zA-Z]?(?:[-/]\d{{1,4}})?\b{_DE_TAIL}", 0.6),
                Pattern("street and number, city", rf"(?<!\w){_DE_VAGUE}[ ]\d{{1,4}}[ ]?[a-zA-Z]?(?:[-/]\d{{1,4}})?{_DE_CITY}", 0.6),
                Pattern("number and rue", rf"(?<![\w.,:/#-])\d{{1,4}}(?:[ ]?(?:bis|ter|quater|[A-D]))?,?[ ](?i:{_FR_KIND})[ ]{_FR_NAME}{_FR_TAIL}", 0.6),
                Pattern("calle and number", rf"(?<!\w)(?:{_FR_KIND}|(?:Calle|Avenida|Avda\.?|Paseo|Plaza|Via|Viale|Corso|Piazza|Rua|Travessa|Pra\u00e7a|Carrer|C/|Ul\.))[ ]?{_FR_NAME},?[ ](?:n\.?[\u00ba\u00b0]?[ ]?)?\d{{1,4}}[A-Za-z]?\b{_FR_TAIL}", 0.6),
                Pattern("city, state and ZIP code", rf"(?<!\w){_CITY},[ ](?:{_STATES}|{_STATE_NAMES}),?[ ]{_ZIP}(?![\w-])", 0.6),
                Pattern("postal code and city", rf"(?<!\w)(?:D|A|CH|F|I|B|L|NL|DK|S|N|PL|H|CZ)-\d{{4,5}}[ ]{_CITY}", 0.5),
            ],
            global_regex_flags=regex.MULTILINE,
        )  # fmt: skip


def address_recognizers() -> list[EntityRecognizer]:
    """Recognizers of LOCATION by street, and of postal codes behind a label, a state or a city."""
    return [
        AddressRecognizer(),
        PatternRecognizer(
            supported_entity="ZIP_CODE",
            name="ZipCodeRecognizer",
            version="1",
            patterns=[
                Pattern("after its label", rf"\b(?i:zip(?:[\s_-]?code)?)(?i:\s?\+\s?4)?[\"'`]?(?:\s(?:is|was|of)|\s?[:=#])?\s{{0,2}}[\"'`]?\K{_ZIP}(?![\w-])", 0.6),
                Pattern("after a state", rf",\s{_STATES},?\s\K\d{{5}}(?:-\d{{4}})?(?![\w-])", 0.6),
                Pattern("after a state's name", rf"\b{_STATE_NAMES},?[ ]\K{_ZIP}(?![\w-])", 0.5),
            ],
            global_regex_flags=regex.MULTILINE,
        ),
        PatternRecognizer(
            supported_entity="POSTAL_CODE",
            name="PostalCodeRecognizer",
            version="1",
            context=["postcode", "postal", "address", "live", "lives", "living", "moved", "zip"],
            patterns=[
                Pattern("United Kingdom", r"(?<![\w-])(?:GIR[ ]0AA|(?:[A-PR-UWYZ][A-HK-Y]?\d[A-HJKPSTUW\d]?)[ ]\d[ABD-HJLNP-UW-Z]{2})(?![\w-])", 0.45),
                Pattern("Canada", r"(?<![\w-])[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z][ ]\d[ABCEGHJ-NPRSTV-Z]\d(?![\w-])", 0.45),
                Pattern("Canada, in one piece", r"(?<![\w-])[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z]\d[ABCEGHJ-NPRSTV-Z]\d(?![\w-])", 0.2),
                Pattern("Netherlands", r"(?<![\w-])[1-9]\d{3}[ ](?!S[ADS])[A-Z]{2}(?![\w-])", 0.2),
            ],
            global_regex_flags=regex.MULTILINE,
        ),
        *labelled(
            Identifier("POSTAL_CODE", "LabelledPostalCodeRecognizer",
                       r"post(?:al)?[\s_-]?codes?|plz|postleitzahl|code\spostal|c\u00f3digo\spostal|cap|cep|pin\s?code|eircode",
                       r"(?:[A-Z]{0,2}-?(?=[A-Z]{0,2}\d)[A-Z0-9]{2,5}(?:[ -]?[A-Z0-9]{2,4})?)(?!\w)"),
        ),
    ]  # fmt: skip
