"""Keys and tokens known by their shape, as their issuers document it."""
# ruff: noqa: E501 - a pattern or a row of a table reads better in one piece

from typing import Final

from presidio_analyzer import PatternRecognizer

from anonymization.detectors.recognizers.labels import shaped

_PEM_LABEL: Final = r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?"
_FREE: Final = r"(?<![A-Za-z0-9])"
_DIGIT: Final = r"(?=[A-Za-z0-9_-]{0,250}?\d)"

_KEYS: Final = (
    ("AWS access key id", rf"{_FREE}(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z2-7]{{16}}(?![A-Za-z0-9])"),
    ("GitHub", rf"{_FREE}(?:gh[pousr]_[A-Za-z0-9]{{36,255}}|github_pat_[A-Za-z0-9_]{{22,255}})"),
    ("GitLab", rf"{_FREE}gl(?:pat|ptt|dt|rt|cbt|soat|ft|imt|agent|oas)-[A-Za-z0-9_-]{{20,64}}"),
    ("Stripe", rf"{_FREE}(?:(?:sk|rk|pk)_(?:live|test)|whsec)_[A-Za-z0-9]{{16,128}}"),
    ("Slack", rf"{_FREE}(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{{10,250}}"),
    ("Slack webhook", r"hooks\.slack\.com/services/\K[A-Z0-9]{8,12}/[A-Z0-9]{8,12}/[A-Za-z0-9]{20,32}"),
    ("OpenAI and Anthropic", rf"{_FREE}sk-{_DIGIT}[A-Za-z0-9_-]{{20,250}}"),
    ("Google", rf"{_FREE}(?:AIza[A-Za-z0-9_-]{{35}}|GOCSPX-[A-Za-z0-9_-]{{28}}|ya29\.[A-Za-z0-9_-]{{20,250}})"),
    ("SendGrid", rf"{_FREE}SG\.[A-Za-z0-9_-]{{22}}\.[A-Za-z0-9_-]{{43}}"),
    ("npm", rf"{_FREE}npm_[A-Za-z0-9]{{36}}"),
    ("PyPI", rf"{_FREE}pypi-[A-Za-z0-9_-]{{50,250}}"),
    ("Hugging Face", rf"{_FREE}hf_[A-Za-z0-9]{{30,64}}"),
    ("Twilio", rf"{_FREE}(?:AC|SK)[0-9a-f]{{32}}(?![A-Za-z0-9])"),
    ("DigitalOcean", rf"{_FREE}do[opr]_v1_[0-9a-f]{{64}}"),
    ("Shopify", rf"{_FREE}shp(?:at|ca|pa|ss)_[0-9a-fA-F]{{32}}"),
    ("Square", rf"{_FREE}sq0[a-z]{{3}}-[A-Za-z0-9_-]{{22,43}}"),
    ("Telegram bot", r"(?<!\w)\d{8,10}:AA[A-Za-z0-9_-]{33}(?![\w-])"),
    ("Databricks", rf"{_FREE}dapi[0-9a-f]{{32}}(?![A-Za-z0-9])"),
    ("Docker", rf"{_FREE}dckr_pat_[A-Za-z0-9_-]{{20,64}}"),
    ("Atlassian", rf"{_FREE}ATATT3[A-Za-z0-9_=-]{{20,250}}"),
    ("Vault", rf"{_FREE}hv[sbr]\.[A-Za-z0-9_-]{{20,250}}"),
    ("Linear, Notion, Replicate, Groq, xAI, Perplexity", rf"{_FREE}(?:lin_api_|ntn_|r8_|gsk_|xai-|pplx-){_DIGIT}[A-Za-z0-9]{{30,120}}"),
    ("Mailgun", rf"{_FREE}key-[0-9a-f]{{32}}(?![A-Za-z0-9])"),
    ("age", r"(?<!\w)AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    ("Azure storage", r"\bAccountKey=\K[A-Za-z0-9+/]{64,88}={0,2}"),
)  # fmt: skip

_TOKENS: Final = (
    ("JWT", r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,8000}\.[A-Za-z0-9_-]{0,2000}"),
    ("bearer", r"[Bb]earer \K[A-Za-z0-9._~+/-]{16,4000}={0,2}"),
    ("basic", r"[Aa]uthorization[\"']?: ?[\"']?Basic \K[A-Za-z0-9+/]{8,4000}={0,2}"),
    ("credentials in a URL", r"[a-z]://[^\s/:@]{0,100}:\K[^\s/:@]{1,200}(?=@[^\s/]{1,250})"),
    ("cookie", r"\b(?:session|sessionid|sid|PHPSESSID|JSESSIONID|connect\.sid|csrftoken)=\K(?=[^\s;&]{0,64}\d)[A-Za-z0-9%._-]{16,500}"),
)  # fmt: skip

_PRIVATE: Final = (
    ("PEM", rf"-----BEGIN {_PEM_LABEL}-----.{{0,16000}}?(?:-----END {_PEM_LABEL}-----|\Z)"),
    ("PuTTY", r"PuTTY-User-Key-File-\d: .{0,16000}?Private-MAC: [0-9a-f]{40,64}"),
)


def shape_recognizers() -> list[PatternRecognizer]:
    """Recognizers of API_KEY, ACCESS_TOKEN and PRIVATE_KEY that need no label."""
    return [
        shaped("API_KEY", "KeyShapeRecognizer", *((kind, shape, 0.9) for kind, shape in _KEYS)),
        shaped("ACCESS_TOKEN", "TokenShapeRecognizer", *((kind, shape, 0.9) for kind, shape in _TOKENS)),
        shaped("PRIVATE_KEY", "PrivateKeyRecognizer", *((kind, shape, 0.9) for kind, shape in _PRIVATE)),
    ]
