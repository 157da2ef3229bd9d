"""The application as the web server serves it, without the detector's seconds of preparation."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
