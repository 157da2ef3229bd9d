"""Real providers that fail now and then, by a seed: what wraps them decides only when, never what."""

import errno
import os
import random

from django.core.files.storage import Storage

from vaultsite.kernel.crypto.kms.base import KMS
from vaultsite.kernel.errors import KeyUnavailable


class FaultyKMS(KMS):
    """``inner``, with the share ``rate`` of calls failing as a KMS does that is down."""

    def __init__(self, inner: KMS, *, rate: float = 1.0, seed: int = 0):
        self.inner = inner
        self.rate = rate
        self._random = random.Random(seed)

    def wrap(self, key, context):
        self._maybe_fail()
        return self.inner.wrap(key, context)

    def unwrap(self, wrapped, context):
        self._maybe_fail()
        return self.inner.unwrap(wrapped, context)

    def describe(self):
        self._maybe_fail()
        return self.inner.describe()

    def _maybe_fail(self):
        if self._random.random() < self.rate:
            raise KeyUnavailable("The KMS does not answer")


class FaultyStorage(Storage):
    """``inner``, with the share ``rate`` of operations failing with ``error`` (an errno), before any effect.

    ``only`` names the operations that can fail (open, save, ..); by default every one.
    """

    def __init__(
        self,
        inner: Storage,
        *,
        rate: float = 1.0,
        seed: int = 0,
        error: int = errno.EIO,
        only: frozenset[str] = frozenset({"open", "save", "delete", "exists", "size", "listdir"}),
    ):
        self.inner = inner
        self.rate = rate
        self.error = error
        self.only = only
        self._random = random.Random(seed)

    def _open(self, name, mode="rb"):
        self._maybe_fail("open")
        return self.inner.open(name, mode)

    def _save(self, name, content):
        self._maybe_fail("save")
        return self.inner.save(name, content)

    def delete(self, name):
        self._maybe_fail("delete")
        self.inner.delete(name)

    def exists(self, name):
        self._maybe_fail("exists")
        return self.inner.exists(name)

    def size(self, name):
        self._maybe_fail("size")
        return self.inner.size(name)

    def listdir(self, path):
        self._maybe_fail("listdir")
        return self.inner.listdir(path)

    def _maybe_fail(self, operation):
        if operation in self.only and self._random.random() < self.rate:
            raise OSError(self.error, os.strerror(self.error))
