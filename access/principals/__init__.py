"""Principals: what is particular to people, groups and roles."""
