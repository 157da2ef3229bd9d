"""What the law calls special categories (GDPR articles 9 and 10), and age and nationality, where said of a person."""
# ruff: noqa: E501 - a pattern or a row of a table reads better in one piece

from typing import Final

from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer

#: Words that make a statement one about a person, before what is said of them.
_PERSON: Final = (
    r"(?:(?-i:I|He|She|They|We)|i|he|she|they|who|(?:my|his|her|their|our|the)\s(?:mother|father|mom|mum|dad|wife|husband|partner|son|daughter|brother|sister|friend"
    r"|boss|neighbou?r|uncle|aunt|cousin|patient|client|employee|colleague|applicant|candidate|defendant|tenant|student|grandmother|grandfather|girlfriend|boyfriend|family)"
    r"|(?-i:[A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u017d][a-z\u00df-\u00f6\u00f8-\u017e]{1,20}(?:\s[A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u017d][a-z\u00df-\u00f6\u00f8-\u017e]{1,20})?))"
)
_IS: Final = r"\s(?:am|is|was|are|were|identif(?:y|ies|ied)\sas|came\sout\sas|(?:has|have|had)\sbeen|became|(?:was|were)\s(?:born|raised))(?:\s(?:a|an|the|now|also|openly|devout|practi[sc]ing|deeply|very|still|actually|currently|raised|proud|orthodox|strict|lifelong|registered|born)){0,3}\s"
_HAS: Final = (
    r"(?:\s(?:has|have|had|suffers?\sfrom|suffered\sfrom|lives?\swith|(?:is|was|am|are|were|been|got)\sdiagnosed\swith|is\sbeing\streated\sfor|(?:was|is)\streated\sfor|(?:is|am|was)\son|takes?|tested\spositive\sfor|contracted|recovered\sfrom|died\sof"
    r"|developed|beat|survived)|['\u2019]s|['\u2019]ve)(?:\s(?:a|an|the|been|severe|chronic|early-onset|acute|stage|mild|terminal|type|\d|i{1,3}v?)){0,4}\s"
)

_ILLNESS: Final = (
    r"(?:hiv(?:[\s-]positive)?|aids|diabetes|diabetic|cancer|(?:breast|lung|prostate|colon|skin|ovarian|pancreatic)\scancer|leuk(?:a)?emia|lymphoma|melanoma|depression|bipolar(?:\sdisorder)?|schizophrenia"
    r"|anxiety(?:\sdisorder)?|ptsd|adhd|autism|autistic|epilepsy|epileptic|asthma|asthmatic|parkinson(?:['\u2019]s)?(?:\sdisease)?|alzheimer(?:['\u2019]s)?(?:\sdisease)?|dementia|multiple\ssclerosis|hepatitis(?:\s[a-e])?"
    r"|tuberculosis|herpes|chlamydia|gonorrh(?:o)?ea|syphilis|crohn(?:['\u2019]s)?(?:\sdisease)?|lupus|arthritis|hypertension|anorexia|bulimia|endometriosis|infertility|a\smiscarriage|an\sabortion|an\seating\sdisorder"
    r"|kidney\sfailure|heart\s(?:disease|failure|attack)|a\sstroke|cirrhosis|copd|cystic\sfibrosis|sickle\scell(?:\sanemia)?|muscular\sdystrophy|fibromyalgia|migraines?|alcoholism|a\sdrug\saddiction|insulin|antidepressants|chemotherapy|methadone|pregnant|dyslexia|tourette(?:['\u2019]s)?)"
)
_FAITH: Final = r"(?:christian|catholic|roman\scatholic|protestant|lutheran|methodist|baptist|evangelical|anglican|pentecostal|mormon|jehovah(?:['\u2019]s)?\switness|muslim|sunni|shia|shiite|sufi|jewish|jew|hindu|buddhist|sikh|jain|bah\u00e1?a?['\u2019]?i|atheist|agnostic|pagan|wiccan|rastafarian|scientologist|zoroastrian|taoist|quaker)"
_ETHNIC: Final = r"(?:caucasian|african[\s-]american|afro[\s-]caribbean|hispanic|latin[oax]|native\samerican|asian[\s-]american|mixed[\s-]race|biracial|roma(?:ni)?|aboriginal|indigenous|kurdish|uyghur|tamil|pashtun|han\schinese|white\sbritish|black\sbritish|of\s\w{4,12}\s(?:descent|origin|heritage|ancestry))"
_POLITICS: Final = r"(?:republican|democrat|conservative\svoter|labour\svoter|tory|socialist|communist|marxist|libertarian|anarchist|social\sdemocrat|green\sparty\smember|trump\ssupporter|biden\ssupporter|brexiteer|member\sof\sthe\s(?:\w{2,15}\s){1,3}party|party\smember)"
_SEXUAL: Final = r"(?:gay|lesbian|bisexual|homosexual|heterosexual|transgender|trans(?:\s(?:man|woman))?|non-?binary|queer|asexual|pansexual|intersex|hiv[\s-]positive)"
_CRIME: Final = r"(?:convicted\sof|sentenced\s(?:to|for)|(?:found|pleaded|pled)\sguilty\s(?:of|to)|imprisoned\sfor|jailed\sfor|arrested\sfor|charged\swith|incarcerated\sfor|on\sparole|on\sprobation)(?:\s[a-z-]{2,20}){0,2}"

_NATIONS: Final = (
    r"(?:american|british|english|scottish|welsh|irish|canadian|australian|german|french|italian|spanish|portuguese|dutch|belgian|swiss|austrian|polish|czech|slovak|hungarian|romanian|bulgarian|greek|turkish|russian|ukrainian|belarusian|swedish|norwegian|danish|finnish|icelandic|estonian|latvian|lithuanian"
    r"|croatian|serbian|bosnian|slovenian|albanian|macedonian|chinese|japanese|korean|south\skorean|vietnamese|thai|indonesian|malaysian|filipino|filipina|indian|pakistani|bangladeshi|sri\slankan|nepali|nepalese|afghan|iranian|persian|iraqi|syrian|lebanese|jordanian|palestinian|israeli|saudi|yemeni|emirati|kuwaiti|qatari|egyptian|moroccan"
    r"|algerian|tunisian|libyan|sudanese|ethiopian|eritrean|somali|kenyan|ugandan|tanzanian|rwandan|nigerian|ghanaian|cameroonian|senegalese|ivorian|congolese|angolan|zimbabwean|zambian|south\safrican|mexican|guatemalan|honduran|salvadoran|nicaraguan|costa\srican|panamanian|cuban|dominican|haitian|jamaican|puerto\srican|colombian|venezuelan"
    r"|ecuadorian|peruvian|bolivian|chilean|argentin(?:e|ian)|uruguayan|paraguayan|brazilian|kazakh|uzbek|armenian|georgian|azerbaijani|mongolian|taiwanese|singaporean|cambodian|burmese|laotian|maltese|cypriot|luxembourgish|new\szealander|kiwi)"
)
_LABELLED: Final = r"[\"'`]?\s?[:=]\s?[\"'`]?\K"


def _statement(
    entity_type: str, name: str, words: str, verb: str, label: str, *, free: str | None = None
) -> PatternRecognizer:
    patterns = [
        Pattern("said of a person", rf"\b{_PERSON}{verb}\K{words}\b", 0.5),
        Pattern("after its label", rf"(?<![^\W_])(?:{label}){_LABELLED}[^\W\d_][\w '\u2019/-]{{2,40}}", 0.5),
        Pattern("a word", rf"(?<![\w-]){words}(?![\w-])", 0.25),
    ]
    if free:
        patterns.append(Pattern("a telling phrase", free, 0.45))
    return PatternRecognizer(supported_entity=entity_type, name=name, version="1", patterns=patterns)


def category_recognizers() -> list[EntityRecognizer]:
    """Recognizers of special categories; a word alone scores below what is acted on, said of a person above it."""
    return [
        _statement("HEALTH", "HealthConditionRecognizer", _ILLNESS, rf"(?:{_HAS}|{_IS})", r"diagnos[ie]s|medical[\s_]condition|health[\s_]condition|illness|disability|allerg(?:y|ies)|medication|blood[\s_]type",
                   free=rf"\b(?:diagnosis\sof|diagnosed\swith|history\sof|treatment\sfor)\s\K{_ILLNESS}\b"),
        _statement("RELIGION", "ReligionRecognizer", _FAITH, _IS, r"religion|faith|denomination|religious[\s_]affiliation", free=r"\b(?:converted\sto)\s\K(?:islam|christianity|judaism|buddhism|hinduism|catholicism)\b"),
        _statement("ETHNICITY", "EthnicityRecognizer", _ETHNIC, _IS, r"ethnicity|race|ethnic[\s_](?:group|origin)|racial[\s_]origin"),
        _statement("POLITICS", "PoliticsRecognizer", _POLITICS, _IS, r"political[\s_](?:party|affiliation|opinion|view)s?|party[\s_]affiliation",
                   free=rf"\b{_PERSON}\s(?:vote[sd]?\sfor|votes)\s(?:the\s)?\K[\w ]{{3,30}}?(?=[.,;!?]|\s(?:in|and|last|every)\b|$)"),
        _statement("UNION_MEMBERSHIP", "UnionRecognizer", r"(?:(?:trade\s|labou?r\s)?union\s(?:member|rep(?:resentative)?|steward|organi[sz]er)|shop\ssteward|member\sof\s(?:the\s)?(?:\w{2,15}\s){0,3}union)", _IS, r"union[\s_]membership|trade[\s_]union"),
        _statement("SEXUALITY", "OrientationRecognizer", _SEXUAL, _IS, r"sexual[\s_]orientation|sexuality|gender[\s_]identity"),
        _statement("CONVICTION", "ConvictionRecognizer", _CRIME, r"\s(?:am|is|was|were|has\sbeen|have\sbeen|had\sbeen)?\s?", r"criminal[\s_](?:record|history)|convictions?|offen[cs]es?"),
        _statement("BIOMETRIC", "BiometricRecognizer", r"(?:(?:fingerprint|voiceprint|iris|retina|retinal|face|facial|palm)[\s_](?:template|scan|id|hash|embedding|vector|geometry))", r"['\u2019]s?\s", r"(?:fingerprint|voiceprint|iris|retina|face|facial|palm|biometric)[\s_](?:template|scan|id|hash|data)"),
        _statement("GENETIC", "GeneticRecognizer", r"(?:brca[12](?:[\s-]positive)?(?:\smutation)?|(?:apoe)[\s-]?e?4|rs\d{3,10}\s?\(?[acgt][;/,]?[acgt]\)?|lynch\ssyndrome|huntington(?:['\u2019]s)?(?:\sdisease)?|trisomy\s\d{2}|down(?:['\u2019]s)?\ssyndrome)", rf"(?:{_HAS}|\s(?:carries|tested\spositive\sfor|is)\s(?:a\s|the\s)?)", r"genotype|karyotype|dna[\s_](?:profile|sequence)|genetic[\s_](?:test|data|marker)"),
        PatternRecognizer(
            supported_entity="NRP",
            name="NationalityRecognizer",
            version="1",
            patterns=[
                Pattern("said of a person", rf"\b{_PERSON}{_IS}\K{_NATIONS}\b(?!\s(?!citizen|national|by|and|but|man|woman|origin|born|or)[a-z]{{3,}})", 0.5),
                Pattern("citizen", rf"\b{_NATIONS}(?=\s(?:citizen|national|passport\sholder|immigrant|expat|refugee|descent|origin|nationality)\b)", 0.5),
                Pattern("after its label", rf"(?<![^\W_])(?:nationality|citizenship){_LABELLED}[^\W\d_][\w '\u2019-]{{2,30}}", 0.5),
                Pattern("a word", rf"(?<![\w-]){_NATIONS}(?![\w-])", 0.2),
            ],
        ),
        PatternRecognizer(
            supported_entity="AGE",
            name="AgeRecognizer",
            version="1",
            patterns=[
                Pattern("years old", r"(?<![\w.$-])\d{1,3}(?=[\s-](?:years?|yrs?|y/o|months?|weeks?)[\s-](?:olds?|of[\s-]age)\b)", 0.4),
                Pattern("aged", r"\b(?:aged?|age[ds]?\sof)[\"'`]?\s?[:=]?\s?[\"'`]?\K(?:[1-9]\d?|1[01]\d)(?![\w.,%/-]\d|\w|%|\syears?\s(?:ago|from|later))", 0.4),
                Pattern("turned", r"\bturn(?:s|ed|ing)\s\K(?:[1-9]\d?|1[01]\d)(?=[.,;!?](?!\d)|\s(?:in|on|today|this|next|last|when|and|years?\sold)\b|$)", 0.4),
                Pattern("short", r"(?<![\w.$-])\d{1,3}\s?(?:y/o|yo|y\.o\.)(?!\w)", 0.4),
                Pattern("short, with sex", r"(?<![\w.$-])[1-9]\d[MFmf](?=\s(?:with|presents|patient|who|here)\b)", 0.4),
                Pattern("said of a person", r"\b(?-i:I|He|She|he|she|who)(?:['\u2019]m|['\u2019]s|\sam|\sis|\swas)\s(?:only\s|just\s|now\s|almost\s)?\K(?:[1-9]\d?|1[01]\d)(?=[.,;!?]|\s(?:and|but|now|when|with)\b|$)", 0.4),
            ],
        ),
    ]  # fmt: skip
