"""Screens of one dataset beside its form: a module a topic, its paths in ``paths``, its tab in ``tabs``."""
