"""Tests of decisions and the policies behind them."""
