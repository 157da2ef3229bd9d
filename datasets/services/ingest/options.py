"""Which options of an upload go together."""

from datasets.errors import ContradictoryOptions
from datasets.formats.key_fields import key_pointers
from datasets.formats.parquet.reader import require_parquet
from datasets.models import IdMode, IngestFormat


def check_options(*, form: IngestFormat, id_field: str, id_mode: IdMode, key: str, envelope: bool) -> None:
    """Raises ContradictoryOptions, and FormatUnavailable for a format whose packages are not installed."""
    if key and (id_field or id_mode == IdMode.HASH):
        rule = "the key makes the id, so id_field and id_mode do not go with it"
        raise ContradictoryOptions(rule, field="key")
    if envelope and form in (IngestFormat.CSV, IngestFormat.PARQUET):
        raise ContradictoryOptions("an envelope is a form of JSON lines", field="envelope")
    if key:
        _check_key(key)
    if form == IngestFormat.PARQUET:
        require_parquet()


def _check_key(key: str) -> None:
    try:
        key_pointers(key)
    except ValueError as error:
        raise ContradictoryOptions(str(error), field="key") from None
