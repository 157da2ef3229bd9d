"""Blobs: sealed bytes in files or objects, named by us."""

from vaultsite.kernel.blobs.names import new_blob_name
from vaultsite.kernel.blobs.store import BlobStore

__all__ = ["BlobStore", "new_blob_name"]
