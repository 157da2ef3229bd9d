"""Grants on single datasets: what they may say, and what is wrong with one."""
