"""Tests of unusual activity, and the activity to measure them on."""
