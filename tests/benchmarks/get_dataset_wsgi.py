"""What the web server loads: Django set up first, then the paths of the benchmark."""

from vaultsite.wsgi import application

from django.conf import settings  # isort: skip

settings.ROOT_URLCONF = "tests.benchmarks.get_dataset_server"

__all__ = ["application"]
