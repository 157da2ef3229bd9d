"""Tests of people, groups, roles and of what ends with them."""
