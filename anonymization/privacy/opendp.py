"""OpenDP, the library that draws the noise; imported when the first statistic is asked for."""

from functools import cache
from importlib import import_module
from typing import Any

from anonymization.privacy.errors import PrivacyUnavailable


@cache
def load_opendp() -> Any:
    """The module ``opendp.prelude``. Raises PrivacyUnavailable where the extra ``privacy`` is not installed."""
    try:
        library = import_module("opendp.prelude")
    except ImportError as exc:
        raise PrivacyUnavailable("Install the extra privacy (the package opendp)") from exc
    # "contrib" names the constructors whose proofs are published but not yet vetted; there are no others for noise.
    library.enable_features("contrib")
    return library
