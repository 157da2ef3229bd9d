"""The steps of an ingest, in the order of the write path: receive, scan, match, build, commit."""
