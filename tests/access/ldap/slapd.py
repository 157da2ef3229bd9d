"""A real OpenLDAP server for the tests: its own schema, entries and certificate authority, on free ports."""

import base64
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone

SLAPD = shutil.which("slapd", path="/usr/sbin:/usr/local/sbin:/usr/libexec:/usr/bin")
BASE = "dc=example,dc=org"
BIND_DN = f"cn=vault,{BASE}"
BIND_PASSWORD = "the service's own password"
PASSWORD = "a directory password 9"

_CONFIG = """
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload refint
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
pidfile {folder}/slapd.pid
attributetype ( 1.3.6.1.4.1.99999.1 NAME 'sAMAccountName'
  EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.2 NAME 'userAccountControl'
  EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.3 NAME 'objectGUID'
  EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.99999.4 NAME 'account-of-a-domain' AUXILIARY
  MAY ( sAMAccountName $ userAccountControl $ objectGUID ) )
database mdb
suffix "{base}"
rootdn "cn=root,{base}"
rootpw root
directory {folder}/data
index uid,member,objectGUID,entryUUID eq
overlay memberof
overlay refint
refint_attributes member
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
"""
_STOP_AFTER = 10.0


@dataclass(frozen=True)
class Slapd:
    """Where it answers. ``other_address`` is the same server under an address its certificate does not name."""

    plain: str
    tls: str
    other_address: str
    ca: str

    def change(self, ldif: str, *options: str) -> None:
        """Change entries, as the directory's root; ``-a`` among ``options`` adds them."""
        command = ["ldapmodify", "-x", "-H", self.plain, "-D", f"cn=root,{BASE}", "-w", "root", *options]
        subprocess.run(command, input=ldif, text=True, check=True, capture_output=True)


def person(uid: str, *, guid: UUID | None = None, disabled: bool = False, ou: str = "people") -> str:
    """An entry with PASSWORD."""
    lines = [
        f"dn: uid={uid},ou={ou},{BASE}",
        "objectClass: inetOrgPerson",
        "objectClass: account-of-a-domain",
        f"uid: {uid}",
        f"sAMAccountName: {uid}",
        f"cn: {uid.title()} Example",
        "sn: Example",
        f"mail: {uid}@example.org",
        f"userPassword: {PASSWORD}",
        f"userAccountControl: {514 if disabled else 512}",
    ]
    if guid:
        lines.append(f"objectGUID:: {base64.b64encode(guid.bytes_le).decode()}")
    return "\n".join(lines) + "\n"


def group(cn: str, *members: str) -> str:
    """A group of names; ``members`` are the first parts of DNs, like ``uid=ann,ou=people``."""
    names = "".join(f"member: {member},{BASE}\n" for member in members)
    return f"dn: cn={cn},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: {cn}\n{names}"


def tree(*entries: str) -> str:
    """LDIF of a directory: its base, its folders, the account that searches, and ``entries``."""
    folders = [f"dn: ou={ou},{BASE}\nobjectClass: organizationalUnit\nou: {ou}\n" for ou in ("people", "groups")]
    base = f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n"
    service = f"dn: {BIND_DN}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: vault\n"
    return "\n".join([base, *folders, f"{service}userPassword: {BIND_PASSWORD}\n", *entries])


@contextmanager
def serve(folder: Path, ldif: str) -> Iterator[Slapd]:
    """slapd with ``ldif`` in it until the block ends; needs SLAPD."""
    ca = write_certificates(folder)
    (folder / "data").mkdir()
    schemas = "/etc/ldap/schema" if Path("/etc/ldap/schema").is_dir() else "/etc/openldap/schema"
    config = folder / "slapd.conf"
    config.write_text(_CONFIG.format(folder=folder, base=BASE, schemas=schemas))
    plain, tls = f"ldap://127.0.0.1:{free_port()}", f"ldaps://127.0.0.1:{free_port()}"
    other = f"ldaps://127.0.0.2:{free_port()}"
    command = [str(SLAPD), "-f", str(config), "-h", f"{plain} {tls} {other}", "-d", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            _wait_for(plain)
            running = Slapd(plain=plain, tls=tls, other_address=other, ca=ca)
            running.change(ldif, "-a")  # through the server: its overlays keep memberOf
            yield running
        finally:
            child.terminate()
            child.wait(timeout=_STOP_AFTER)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def write_certificates(folder: Path) -> str:
    """An authority and a certificate of 127.0.0.1 in ``folder``; returns the authority's, in PEM."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = _name("Test authority")
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    root = _certificate(root_name, root_name, root_key.public_key())
    root = root.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    root = root.add_extension(usage, critical=True)
    named = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")])
    server = _certificate(_name("127.0.0.1"), root_name, key.public_key()).add_extension(named, critical=False)
    (folder / "server.pem").write_bytes(_pem(server.sign(root_key, hashes.SHA256())))
    (folder / "server.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    ca = _pem(root.sign(root_key, hashes.SHA256()))
    (folder / "ca.pem").write_bytes(ca)
    return ca.decode()


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    since = timezone.now() - timedelta(hours=1)
    return x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number(), since, since + timedelta(days=2))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _wait_for(url: str) -> None:
    port = int(url.rpartition(":")[2])
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
