"""Texts without personal data that look as if they had some: made from templates and a seed."""
# ruff: noqa: E501 - templates read better in one piece

import hashlib
import random
import string
import uuid
from collections.abc import Callable, Iterator
from typing import Final

Maker = Callable[[random.Random], str]

_NOUNS: Final = (
    "module", "service", "worker", "cluster", "parser", "cache", "model", "index", "pipeline", "gateway", "scheduler",
    "report", "widget", "engine", "sensor", "printer", "router", "bucket", "table", "queue",
)  # fmt: skip
_VERBS: Final = ("failed", "finished", "restarted", "returned", "processed", "skipped", "loaded", "wrote", "dropped")
_LIC: Final = (
    "The public license of the project allows copying.", "Add a slice of lime and lick the salt.",
    "It is an implicit and explicit rule of the policy.", "Silicon and silicate {n4} were weighed.",
    "Apache License 2.0 applies to file {n3}.", "Click the bicycle icon on page {n3}.",
    "The application was duplicated {n2} times.", "GNU General Public License v3 section {n2}.",
    "The felicitous publication has {n3} pages.", "Our license covers {n4} seats.", "Delicious garlic, {n3} grams.",
)  # fmt: skip
_PRODUCTS: Final = (
    "iPhone 15 Pro Max", "Galaxy S24 Ultra", "ThinkPad X1 Carbon Gen 11", "RTX 4090", "Ryzen 9 7950X", "Boeing 737-800",
    "Airbus A320neo", "WH-1000XM5", "EOS R6 Mark II", "PlayStation 5", "Model S P100D", "Nikon D850", "Intel i9-13900K",
    "LG OLED65C3PUA", "Sony A7R4", "MacBook Pro M3", "DeskJet 2755e", "Core i7-8550U", "XPS 13 9310", "BMW 320i",
)  # fmt: skip


def _digits(count: int) -> Maker:
    return lambda rng: str(rng.randrange(10 ** (count - 1), 10**count))


def _of(*choices: str) -> Maker:
    return lambda rng: rng.choice(choices)


def _hexadecimal(count: int) -> Maker:
    return lambda rng: hashlib.sha256(str(rng.random()).encode()).hexdigest()[:count]


def _isbn(rng: random.Random) -> str:
    body = "978" + "".join(rng.choices(string.digits, k=9))
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return f"{body[:3]}-{body[3]}-{body[4:7]}-{body[7:12]}-{(10 - total % 10) % 10}"


_FIELDS: Final[dict[str, Maker]] = {
    **{f"n{count}": _digits(count) for count in range(1, 20)},
    "noun": _of(*_NOUNS),
    "verb": _of(*_VERBS),
    "product": _of(*_PRODUCTS),
    "epoch_ms": lambda rng: str(rng.randrange(1_500_000_000_000, 1_900_000_000_000)),
    "epoch": lambda rng: str(rng.randrange(1_500_000_000, 1_900_000_000)),
    "epoch_ns": lambda rng: str(rng.randrange(15 * 10**17, 19 * 10**17)),
    "version": lambda rng: ".".join(str(rng.randrange(30)) for _ in range(3)),
    "version2": lambda rng: f"{rng.randrange(30)}.{rng.randrange(100)}",
    "year": lambda rng: str(rng.randrange(1950, 2030)),
    "price": lambda rng: f"{rng.randrange(1, 999)},{rng.randrange(1000):03d}.{rng.randrange(100):02d}",
    "plain_price": lambda rng: f"{rng.randrange(1, 99999)}.{rng.randrange(100):02d}",
    "float": lambda rng: f"{rng.random() * 100:.6f}",
    "uuid": lambda rng: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
    "sha1": _hexadecimal(40),
    "sha256": _hexadecimal(64),
    "short_hash": _hexadecimal(7),
    "isbn": _isbn,
    "letter": lambda rng: rng.choice(string.ascii_uppercase),
    "letters": lambda rng: "".join(rng.choices(string.ascii_uppercase, k=3)),
    "instance": lambda rng: f"i-0{_hexadecimal(16)(rng)}",
    "region": _of("us-east-1", "eu-west-3", "ap-southeast-2"),
    "size": _of("t3.micro", "m5.2xlarge", "c7g.large"),
    "level": _of("INFO", "DEBUG", "WARN", "ERROR"),
}

#: By kind: templates whose fields are filled anew for every text.
TEMPLATES: Final[dict[str, tuple[str, ...]]] = {
    "epochs": (
        "ts={epoch_ms}", '{{"created": {epoch_ms}, "count": {n3}}}', "The job ran at {epoch_ms} for {n4} ms",
        "[{epoch}] {noun} {verb}", "updated_at {epoch}", "event {epoch_ns} in the trace", "expires {epoch}, issued {epoch}",
        '{{"timestamp": {epoch}, "offset": {n9}}}', "cache until {epoch_ms}; last seen {epoch_ms}",
    ),
    "sequential ids": (
        "row {n9}", "ids {n9} {n9} {n9}", "we saw {n10} there", "record {n11} was copied", "object {n12} and {n13}",
        '{{"id": {n10}, "parent_id": {n10}}}', "{n9},{n10},{n11}", "the {noun} with id {n9} {verb}", "pid {n5} tid {n7}",
        '{{"ids": [{n9}, {n9}, {n10}]}}', "tweet {n18} had {n4} likes", "message id {n12}", "key {n9} of {n9}",
        "offset {n10} in partition {n2}", "index {n8}: {n8} rows", "post #{n8} on the board",
    ),
    "orders": (
        "order number {n10} was shipped", "Order #{n3}-{n7}-{n7}", "invoice {n8} is due", "ticket {n9} is closed",
        "tracking number 1Z{n6}{n10}", "SKU {n8}, quantity {n2}", "part number {letter}{n5}-{n3}", "batch {n6}-{n4}",
        "PO {n8} for {n3} units", "parcel {n12} left the depot", "model no. {letters}-{n4}", "lot {letters}{n6}",
        "item {n9} is back in stock", "UPC {n12}", "EAN {n13}", "flight {letters} {n3} is delayed", "room {n3}, floor {n1}",
        "reference {letters}-{n5}", "bug {n6} duplicates bug {n6}", "RFC {n4} replaces RFC {n4}", "case study {n2}",
    ),
    "versions": (
        "version {version}", "{noun} v{version}-rc.{n1}", "upgrade from {version} to {version}", "Python {version2} and pip {version}",
        "build {n8} of release {version2}", "requires {noun}>={version},<{n2}", "CUDA {version2}, driver {n3}.{n2}",
        "libfoo.so.{version}", "Chrome/{n3}.0.{n4}.{n3}", "kernel {version}-{n3}-generic", "OpenSSL {version}",
    ),
    "code words": (
        "code {year}", "the building code of {year}", "error code {n4}", "status code {n3}, {year}", "postal history of {year}",
        "exit code {n3} after {n5} s", "HTTP {n3} from the {noun}", "coded in {year}, recoded in {year}", "zip archive of {year}",
        "promo code SAVE{n2}", "area code of the {noun} is fixed", "QR code version {n2}", "Unicode {version2} code points",
        "the code is {n3} lines long", "the pass rate was {n2}.{n1} percent", "The token count is {n5}",
    ),
    "lic": _LIC,
    "products": (
        "the {product} costs {plain_price}", "compare {product} with {product}", "{product} firmware {version}",
        "our {product} broke in {year}", "{product}, {n3} grams, {n4} mAh", "buy {n1} {product} for ${price}",
    ),
    "cloud": (
        "s3://{noun}-{n6}/{year}/part-{n5}.parquet", "EC2 {size} in {region}", "{instance} is running in {region}",
        "arn:aws:s3:::{noun}-bucket-{n4}", "ami-0{short_hash}{short_hash}aa", "vpc-{short_hash}a and subnet-{short_hash}b",
        "S3 stores {n9} objects", "lambda {noun} used {n4} MB in {n5} ms", "pod {noun}-{short_hash}{n2}-x{n1}b{n1}c restarted",
        "gs://{noun}-{n4}/model-{n6}.bin", "image {noun}:{version}", "sha256:{sha256}", "k8s node {noun}-{n3} has {n2} cores",
    ),
    "code": (
        "x = {n6} + {n7} * {n3}", "for i in range({n8}): pass", "assert total == {n9}", "MAX_SIZE = {n10}", "return {n4} / {n3}",
        "self.key = key", "password = getpass()", "token = tokens[{n3}]", "api_key = os.environ['API_KEY']", "def f(token: str) -> int:",
        "if user.password == password:", "token=token, secret=secret", "password: str = Field(...)", "secret = config.secret",
        "const apiKey = process.env.API_KEY;", "random.seed({n8})", "color: #{short_hash}", "int id = {n9};", "0x{short_hash}",
        "SELECT count(*) FROM t WHERE id = {n9}", "grep -n pass file{n2}.txt", "username = request.form['username']", "user_id: int",
        "np.zeros(({n3}, {n3}))", "<td>{n5}</td><td>{n7}</td>", "curl -H 'Authorization: Bearer $TOKEN'", "port: {n4}",
    ),
    "logs": (
        "{level} {noun} {verb} after {n5} ms", "{level} thread-{n3} {noun} {verb} {n6} rows", "[{n5}.{n6}] usb {n1}-{n1}: new device {n4}",
        "{level} offset={n9} lag={n6} partition={n2}", "GC pause {float} ms, heap {n4}M", "{noun}.{noun}: {n7} bytes in {float} s",
        "retry {n1}/{n1} for request {uuid}", "span={short_hash}{short_hash} took {n4}us", "{noun}[{n5}]: {verb} with status {n3}",
    ),
    "digests": (
        "commit {sha1}", "md5 {short_hash}{short_hash}{short_hash}{short_hash}abcd", "ETag {sha256}", "blob {short_hash}..{short_hash}",
        "checksum {sha256} of the {noun}", "git cherry-pick {sha1}",
    ),
    "books": ("ISBN {isbn}", "see {isbn}, page {n3}", "pages {n3}-{n3}, vol. {n2}({n1})", "arXiv:{n4}.{n5}", "doi 10.{n4}/{noun}.{n6}", "ISSN {n4}-{n4}"),
    "prices": (
        "${price}", "it costs {plain_price} euros", "from ${n3} to ${n4}", "a budget of {n9} dollars", "revenue of {n10} in {year}",
        "between {year} and {year}", "{year}-{year}", "{n2}% of {n8}", "USD {n6}.{n2}", "{n3} 000 000 people", "{n1}.{n3}.{n3} inhabitants",
    ),
    "math": (
        "{n4} + {n4} = {n5}", "{n7}-{n6}={n7}", "{n3} * {n5} = {n8}", "<<{n3}*{n3}={n6}>>", "{n2}/{n2} = {float}", "x^{n1} - {n4}x + {n5} = 0",
        "pi is 3.14159{n9}", "the mean of {n3}, {n3} and {n3}", "{n3}-{n3}-{n2}={n2}", "f({n2}) = {n5}", "{n1},{n3},{n3}-{n3},{n3}=${n7}",
        "{n5} x {n5} pixels", "matrix [[{n2}, {n2}], [{n2}, {n2}]]", "#### {n6}", "log10({n7}) is about {n1}.{n3}",
    ),
    "words": (
        "I pass every exam in room {n3}.", "Call the function with {n3} arguments.", "Text of {n4} words on page {n3}.",
        "He will not pass: nobody does.", "Sign in to the {noun} and mark {n2} items.", "The account of {year} is long.",
        "Their social security grew by {n2} percent.", "The key to chapter {n2} is patience.", "A driver for {noun} {version2}.",
        "The patient study of {n4} trees.", "Insurance rates rose {n1}.{n2} percent in {year}.", "The policy of {year} failed.",
        "A plate of {n2} cookies.", "The secret of {n2} recipes.", "Login takes {n3} ms.", "Passport to Paris is a film of {year}.",
        "The wallet holds {n2} coins.", "Password policies need {n2} characters.", "The member count is {n5}.", "Street art of {year}.",
        "They ran {n2} miles down the road.", "Way {n1} is better.", "Drive {n3} miles on the highway.", "Born to run {n2} races.",
        "He turned {n3} pages.", "The race of {year} was won by {n2} seconds.", "A party of {n2} went to the union of {n2} sets.",
        "I am on step {n2} of {n2}.", "She is number {n1} in the list of {n4}.", "The phone has {n2} GB.", "Mobile traffic grew to {n9} bytes.",
        "Cell {letter}{n2} of the sheet is {n7}.", "The bank opened in {year} with {n6} customers.", "The health of {n6} trees.",
    ),
    "identifiers": (
        "{uuid_free}", "run {noun}_{n8}_{n3}", "file IMG_{n8}.jpg", "DSC{n5}.raw", "paper-{n4}.{n5}v{n1}", "job-{n6}-{short_hash}", "experiment {letters}{n3}b",
        "seed {n9}", "loss {float} at step {n6}", "lr=0.000{n2}, batch={n3}", "epoch {n2}/{n2} acc={float}", "layer.{n2}.attention.{n1}.weight",
    ),
}  # fmt: skip
_FIELDS["uuid_free"] = lambda rng: f"{_hexadecimal(8)(rng)}_{_hexadecimal(6)(rng)}"


class _Filler(dict[str, str]):
    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._rng = rng

    def __missing__(self, name: str) -> str:
        return _FIELDS[name](self._rng)


def negatives(seed: int, count: int) -> Iterator[tuple[str, str]]:
    """``count`` pairs of kind and text, the kinds in turn; the same for the same seed."""
    rng = random.Random(seed)
    kinds = sorted(TEMPLATES)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        yield kind, rng.choice(TEMPLATES[kind]).format_map(_Filler(rng))
