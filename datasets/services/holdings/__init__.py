"""Everything stored of a dataset, read to its end: for searches that no index can answer."""
