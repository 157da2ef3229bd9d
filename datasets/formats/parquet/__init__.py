"""Parquet files, decoded in a child process that has little memory, no keys, and nothing but the file's bytes."""
