"""Frameworks as data: which controls there are, and what each is proven by."""
