"""The WSGI application: REST and browser."""

import os

from django.core.wsgi import get_wsgi_application

from vaultsite.kernel.crypto.keys import forbid_core_dumps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vaultsite.settings")
forbid_core_dumps()

application = get_wsgi_application()

from anonymization.services.detect import active_detector  # noqa: E402 - apps must be loaded
from vaultsite.health import refuse_mighty_role  # noqa: E402 - as above

refuse_mighty_role()
# Compiling the recognizers takes seconds: before the first request, not during it.
active_detector()
