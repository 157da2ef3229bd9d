"""Blobs: sealed bytes in files or objects, named by us."""

from vaultsite.kernel.blobs.names import is_blob_name, new_blob_name
from vaultsite.kernel.blobs.store import BlobStore

__all__ = ["BlobStore", "is_blob_name", "new_blob_name"]
