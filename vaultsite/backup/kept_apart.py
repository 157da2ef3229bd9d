"""The keys that the vault keeps in files, which a backup holds only when it is asked for: local KMS, audit signatures.

Whoever has a repository, its key and these can read everything; whoever loses these can read nothing. Without them in
the backup, the operator keeps them apart.
"""

from base64 import b64decode, b64encode
from pathlib import Path
from typing import Final

import orjson
from django.conf import settings

from compliance.errors.backup import BackupDamaged
from vaultsite.runtime.home import write_private

_KMS: Final = "kms/"
_AUDIT: Final = "audit-keys.pem"


def pack_keys() -> bytes:
    """The files of the local KMS, when that is the one in use, and the signing keys of the audit."""
    files = {}
    folder = kms_folder()
    if folder is not None and folder.is_dir():
        files = {f"{_KMS}{path.name}": path.read_bytes() for path in sorted(folder.glob("v*.json"))}
    signing = Path(settings.VAULT["AUDIT_KEY_FILE"])
    if signing.exists():
        files[_AUDIT] = signing.read_bytes()
    return orjson.dumps({name: b64encode(body).decode() for name, body in files.items()})


def unpack_keys(packed: bytes, home: Path) -> int:
    """Write the files below ``home``, replacing nothing that is there; returns how many. Raises BackupDamaged."""
    written = 0
    for name, body in orjson.loads(packed).items():
        folder = home / "kms" if name.startswith(_KMS) else home
        leaf = name.removeprefix(_KMS)
        if leaf != Path(leaf).name:
            raise BackupDamaged("a file of keys has a name that leads elsewhere")
        folder.mkdir(mode=0o700, exist_ok=True)
        if not (folder / leaf).exists():
            write_private(folder / leaf, b64decode(body).decode("ascii"))
            written += 1
    return written


def kms_folder() -> Path | None:
    """The folder of the local KMS; None when keys are wrapped elsewhere."""
    chosen = settings.VAULT["KMS"]
    if not chosen["BACKEND"].endswith(".LocalKMS"):
        return None
    return Path(chosen["OPTIONS"]["directory"])
