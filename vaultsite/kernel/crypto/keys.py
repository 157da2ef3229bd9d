"""Keys in memory: an object that does not show, copy or serialize what it holds."""

import ctypes
import hmac
import os
import resource
import sys
from typing import Final, NoReturn

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from vaultsite.kernel.errors import KeyUnavailable

#: Every key of the vault has 256 bits.
KEY_BYTES: Final = 32

_PR_SET_DUMPABLE: Final = 4


class SecretKey:
    """Thirty-two secret bytes that leave this object only through :meth:`reveal`.

    It has no value in ``repr``, ``str`` or a format, refuses to be pickled or copied, compares in constant time, and
    overwrites its bytes when dropped. The overwriting is best effort: what ``reveal`` handed out is Python's to free.

    Raises KeyUnavailable unless given exactly 32 bytes.
    """

    __slots__ = ("__weakref__", "_is_destroyed", "_material")

    def __init__(self, material: bytes | bytearray | memoryview) -> None:
        self._is_destroyed = False
        self._material = bytearray(memoryview(material))  # bytearray(32) would be a key of zeros
        if len(self._material) != KEY_BYTES:
            del material  # a traceback may render the locals of this frame
            self.destroy()
            raise KeyUnavailable(f"A key has {KEY_BYTES} bytes")

    def reveal(self) -> bytes:
        """The raw bytes: the one place to search for when asking who sees a key. Never keep the result in a name.

        It is a copy, not a view, so that a key destroyed meanwhile in another thread cannot turn to zeros in use.
        Raises KeyUnavailable once destroyed.
        """
        material = bytes(self._material)
        if self._is_destroyed:  # asked after copying: destroy() says so before it overwrites
            del material
            raise KeyUnavailable("This copy of the key was dropped from memory")
        return material

    def derive(self, label: bytes) -> "SecretKey":
        """An independent key for the purpose named by ``label``: HKDF-Expand with SHA-256 (RFC 5869, section 2.3)."""
        return SecretKey(HKDFExpand(SHA256(), KEY_BYTES, label).derive(self.reveal()))

    def mac(self, message: bytes) -> bytes:
        """HMAC-SHA-256 of ``message`` under this key, 32 bytes (RFC 2104)."""
        return hmac.digest(self.reveal(), message, "sha256")

    def destroy(self) -> None:
        """Overwrite the bytes; every later use raises KeyUnavailable. Calling it again changes nothing."""
        self._is_destroyed = True
        self._material[:] = bytes(len(self._material))

    def __del__(self) -> None:
        if hasattr(self, "_material"):
            self.destroy()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretKey):
            return NotImplemented
        return hmac.compare_digest(self.reveal(), other.reveal())

    __hash__ = None  # type: ignore[assignment]  # a hash would tell keys apart without the constant-time comparison

    def __repr__(self) -> str:
        return "<SecretKey>"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("A SecretKey is neither pickled nor copied")


def forbid_core_dumps() -> None:
    """Keep the memory of this process out of core files and away from debuggers; call it when a process starts.

    Sets RLIMIT_CORE to 0, which children inherit, and on Linux clears the dumpable flag (prctl(2) PR_SET_DUMPABLE),
    which a later exec sets again. Raises OSError where the system refuses.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
