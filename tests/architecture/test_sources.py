"""Rules of the sources that no linter of the house knows."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGES, ROOT, name_of, place, source_files, tree_of

#: Files that may hold SQL, and why; migrations may too.
RAW_SQL = {
    "vaultsite/kernel/tenancy/scope.py": "sets the context that row-level security reads",
    "vaultsite/kernel/tenancy/rls.py": "writes the policies",
    "vaultsite/kernel/tenancy/keys.py": "writes the composite keys",
    "vaultsite/health.py": "asks what the serving role may do",
    "vaultsite/management/commands/maintain.py": "reads statistics views, which have no model",
    "vaultsite/management/commands/rewrite_tables.py": "writes tables anew and ends a file of the write-ahead log",
    "vaultsite/backup/database.py": "asks the catalog whether a dump would be whole",
    "vaultsite/runtime/roles.py": "makes roles and databases",
    "access/services/keyring.py": "asks for the id of the key that seals now, of which nearly every act has need",
    "anonymization/privacy/taking.py": "takes from a family's budget and a recipient's share in one statement",
    "audit/services/record.py": "one statement for an event and its outbox entry",
    "audit/services/partitions.py": "calls the function that makes a partition",
    "audit/log/sealer.py": "gives a batch of events their leaves in one statement, under a lock of the database",
    "audit/proofs/derived.py": "counts and tiles beside what they are made of, in one statement each",
    "audit/proofs/rows.py": "leaves joined with their events in bulk, columns as one text",
    "audit/proofs/clock.py": "asks for the database's time, for which there may be no row",
    "audit/proofs/months.py": "reads a month of every organization, and calls the function that drops a partition",
    "compliance/posture/probes/catalog_sweep.py": "asks the database's catalog what is outside of row-level security",
    "compliance/posture/probes/cross_tenant.py": "enters other tenants on purpose, and lists the tables that have one",
    "compliance/reports/events.py": "tells the planner to walk along an index",
    "datasets/lineage_graph.py": "walks the lineage recursively",
    "anonymization/tokens/statements.py": "one statement for a batch of tokens, found or made",
    "audit/relay/queue.py": "a batch of messages as arrays in one statement",
    "audit/rollups/fold.py": "folds sealed events into the counts in one statement",
    "audit/selectors.py": "reads the catalog for the audit's partitions",
}
#: AppConfig.ready() imports what needs the app registry; nothing else may.
LATE_IMPORTS = frozenset({"ready"})
#: Edges where any failure must become an answer: a view's dispatch, a socket's, a process's, a storage's.
BROAD_EXCEPTS = frozenset(
    {
        "vaultsite/kernel/api/views.py",
        "vaultsite/admin.py",
        "vaultsite/sign_in.py",
        "vaultsite/subject_form.py",
        "audit/consumers.py",
        "audit/log/witnesses/stored.py",
        "compliance/posture/run.py",
        "vaultsite/kernel/upkeep.py",
    }
)
ABSURD_FILE, ABSURD_FUNCTION = 600, 120
FORBIDDEN_NAMES = frozenset({"utils", "util", "helpers", "helper", "misc", "common", "manager", "managers"})

_SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|ALTER\s+(TABLE|ROLE)|CREATE\s+(TABLE|POLICY|ROLE)|SET\s+LOCAL)\b",
    re.DOTALL,
)
_CURSOR_METHODS = frozenset({"raw", "RawSQL", "extra", "executemany", "copy"})


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def docstrings(tree: ast.Module) -> set[int]:
    holders = [node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    first = (holder.body[0] for holder in holders if holder.body)
    return {id(statement.value) for statement in first if isinstance(statement, ast.Expr)}


def test_sql_stands_only_where_it_is_allowed():
    found = {}
    for path in source_files():
        tree = tree_of(path)
        known = docstrings(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in known:
                if _SQL.search(node.value):
                    found.setdefault(relative(path), place(path, node))
            elif isinstance(node, ast.Call) and getattr(
                node.func, "attr", getattr(node.func, "id", "")
            ) in _CURSOR_METHODS - {"copy"}:
                found.setdefault(relative(path), place(path, node))
    assert {file: where for file, where in found.items() if file not in RAW_SQL} == {}


def test_no_statement_is_put_together_from_values():
    """An f-string, a concatenation or format() handed to execute() would be an injection waiting."""
    found = []
    for path in source_files():
        for node in ast.walk(tree_of(path)):
            is_execute = isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"execute", "executemany"}
            if is_execute and node.args and isinstance(node.args[0], ast.JoinedStr | ast.BinOp):
                found.append(place(path, node))
    assert found == []


def test_no_first_party_import_hides_in_a_function():
    found = []
    for path in source_files():
        for function in (
            node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ):
            if function.name in LATE_IMPORTS and path.name == "apps.py":
                continue
            imports = [node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
            names = [(node, getattr(node, "module", None) or node.names[0].name) for node in imports]
            found += [place(path, node) for node, name in names if name.partition(".")[0] in PACKAGES]
    assert found == []


def test_everything_is_caught_only_at_an_edge():
    found = []
    for path in source_files():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ExceptHandler):
                caught = (
                    {part.id for part in ast.walk(node.type) if isinstance(part, ast.Name)}
                    if node.type
                    else {"BaseException"}
                )
                raises = any(isinstance(part, ast.Raise) and part.exc is None for part in ast.walk(node))
                if caught & {"Exception", "BaseException"} and not raises and relative(path) not in BROAD_EXCEPTS:
                    found.append(place(path, node))
    assert found == []


def test_names_say_what_is_inside():
    assert [name_of(path) for path in source_files() if FORBIDDEN_NAMES & set(path.with_suffix("").parts)] == []


def test_nothing_is_marked_safe():
    found = [place(path, node) for path in source_files() for node in ast.walk(tree_of(path)) if _marks_safe(node)]
    for template in sorted((ROOT / "templates").rglob("*.html")):
        text = template.read_text(encoding="utf-8")
        found += [
            f"{relative(template)}: {match}" for match in re.findall(r"\|\s*safe\b|autoescape\s+off|\|\s*safeseq", text)
        ]
    assert found == []


def _marks_safe(node: ast.AST) -> bool:
    """Uses mark_safe, or makes a safe string; naming the type in an annotation is no harm."""
    if isinstance(node, ast.Call):
        return getattr(node.func, "id", getattr(node.func, "attr", "")) in {"SafeString", "SafeText"}
    return isinstance(node, ast.Name | ast.Attribute) and getattr(node, "id", getattr(node, "attr", "")) == "mark_safe"


def test_warnings_are_errors():
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    assert options["filterwarnings"][0] == "error"
    assert all(re.match(r"ignore:.+:", line) for line in options["filterwarnings"][1:]), "an ignored warning is named"


def test_no_function_sends_signals_of_our_own():
    found = [
        place(path, node)
        for path in source_files()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Signal"
    ]
    assert found == []


def test_sizes_stay_sane(record_property):
    """A report more than a rule: only the absurd fails."""
    files = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in source_files()}
    functions = {
        f"{place(path, node)} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in source_files()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    mean = sum(functions.values()) / len(functions)
    print(f"\n{len(files)} files, {len(functions)} functions, {mean:.1f} lines a function")  # noqa: T201
    for title, sizes, usual in (("files", files, 300), ("functions", functions, 40)):
        long = sorted(((lines, name) for name, lines in sizes.items() if lines > usual), reverse=True)
        print(f"{title} over {usual} lines: {len(long)}", *(f"  {lines:4} {name}" for lines, name in long), sep="\n")  # noqa: T201
        record_property(f"{title}_over_{usual}_lines", len(long))
    assert {name: lines for name, lines in files.items() if lines > ABSURD_FILE} == {}
    assert {name: lines for name, lines in functions.items() if lines > ABSURD_FUNCTION} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_are_plain(package):
    """``__init__.py`` gathers names at most: importing a package has no effect."""
    for path in (
        path for path in source_files() if path.name == "__init__.py" and path.parts[len(ROOT.parts)] == package
    ):
        kinds = {type(node) for node in tree_of(path).body}
        assert kinds <= {ast.Expr, ast.Import, ast.ImportFrom, ast.Assign}, place(path, tree_of(path))
