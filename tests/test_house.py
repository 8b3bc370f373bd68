"""The laws of the house: public names, what reading imports, and documents that keep their word."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, get_args, get_type_hints

import click
import pytest
import typer

import overread
from overread import errors
from overread.cli import app

ROOT = Path(__file__).resolve().parents[1]
PUBLIC = [
    "Abstentions", "Answers", "Assessment", "AssessmentOptions", "Audit", "Augmentation", "Bundle", "Case",
    "ClassMetric", "Comparison", "CrossValidation", "DataSet", "Difference", "Engine", "Estimate", "Evaluation",
    "Exam", "ExamFormat", "ExamPixels", "Explanation", "Failure", "Finding", "FindingKind", "Format", "Frame",
    "Frames", "Gathering", "Header", "History", "Instance", "Interval", "Look", "Manifest", "Material", "Metric",
    "Monitoring", "Network", "OperatingPoint", "OrderedGrades", "Origin", "OverreadError", "OwnMetric",
    "PersonalColumn", "Picture", "Predictions", "Preprocessing", "Question", "Reader", "Reading", "Recipe", "Rule",
    "SeveralFindings", "SeveralTasks", "Source", "Split", "Study", "Task", "View", "audit", "compare",
    "crossvalidate", "evaluate", "explain", "monitor", "predict", "register_format", "register_network", "to_frame",
    "train",
]  # fmt: skip
# What users make or implement themselves.
MADE_BY_USERS = [
    "AssessmentOptions", "Augmentation", "Case", "Engine", "Finding", "FindingKind", "Format", "Manifest", "Network",
    "Reader", "Recipe", "Rule", "Source",
]  # fmt: skip
# Functions that the command line or a web framework calls by the name of a command or a route.
NAMED_BY_OTHERS = ("overread.cli.", "overread.service.api.routes", "overread.service.web.pages")
READING_SIDE = [
    "overread", "overread.auditing", "overread.bundle", "overread.cases", "overread.cli", "overread.evaluation",
    "overread.images", "overread.reading", "overread.recipe", "overread.report", "overread.study",
]  # fmt: skip


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_the_public_names_are_these_and_exist() -> None:
    assert sorted(overread.__all__) == PUBLIC
    assert all(getattr(overread, name).__doc__ for name in PUBLIC)


def own_types(hint: object) -> set[type]:
    """The classes of overread in an annotation."""
    found = set().union(*(own_types(part) for part in get_args(hint)))
    is_own = isinstance(hint, type) and hint.__module__.startswith("overread.")
    return found | {hint} if is_own and isinstance(hint, type) else found


def functions_of(name: str) -> list[Any]:
    """A public function itself, or the constructor and public methods of a class."""
    value = getattr(overread, name)
    if not isinstance(value, type):
        return [value]
    members = [member for key, member in vars(value).items() if key == "__init__" or not key.startswith("_")]
    return [found for found in (getattr(each, "__func__", each) for each in members) if inspect.isfunction(found)]


@pytest.mark.parametrize("name", [name for name in PUBLIC if name[0].islower()] + MADE_BY_USERS)
def test_everything_that_a_public_signature_names_is_public(name: str) -> None:
    import pandas

    for function in functions_of(name):
        hints = get_type_hints(function, {**vars(sys.modules[function.__module__]), "pandas": pandas})
        named = set().union(*(own_types(hint) for hint in hints.values()))
        assert {found.__name__ for found in named} <= set(PUBLIC), function.__qualname__


def test_two_functions_of_one_name_return_one_type() -> None:
    returned = defaultdict(set)
    for path in (ROOT / "src" / "overread").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if is_function and not node.name.startswith("_") and not module.startswith(NAMED_BY_OTHERS):
                returned[node.name].add(ast.unparse(node.returns) if node.returns else "")
    assert {name: types for name, types in returned.items() if len(types) > 1} == {}


# All else that is read may have been put there by a stranger, and goes through `machine.files.open_regular`.
READ_DIRECTLY = {
    "machine.files": "the home of that function",
    "machine.remote_path": "what a store holds is no pipe",
    "machine.memo": "our own code",
    "machine.content.zips": "an entry of an archive in memory",
    "training.precision": "what the system says of its processor",
    "auditing.rules.files.transparency": "a stream that the formats opened",
    "images.pixel_file": "the store's own file, without a buffer",
    "images.shifts": "an image in memory",
    "report.documents.model_card": "our own template",
    "report.documents.checklists": "our own templates",
    "demo.notebook": "our own notebook",
    "demo.phantom": "what it has just written",
    "cli.serve": "the operator's own token, which may come through a pipe",
}


# Whose `open` opens something else, or writes.
OTHER_OPENERS = {"RunFolder", "DataSet", "PixelStore", "ReadingLog", "Ledger", "os"}


def reads_a_file(call: ast.Call) -> bool:
    *owner, name = ast.unparse(call.func).split(".")
    if name != "open" or OTHER_OPENERS.intersection(owner):
        return name in ("read_bytes", "read_text")
    given = [each.value for each in call.args if isinstance(each, ast.Constant)]
    return not {"w", "a", "wb", "ab", "r+b"}.intersection(given)


def test_no_file_is_opened_for_reading_but_by_the_one_function_that_never_waits() -> None:
    found = set()
    for path in (ROOT / "src" / "overread").rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if any(isinstance(node, ast.Call) and reads_a_file(node) for node in nodes):
            found.add(".".join(path.relative_to(ROOT / "src" / "overread").with_suffix("").parts))
    assert sorted(found) == sorted(READ_DIRECTLY)


def test_no_process_that_is_begun_imports_from_the_folder_of_the_moment() -> None:
    """There may lie a stranger's images, and a `numpy.py`."""
    for path in (ROOT / "src" / "overread").rglob("*.py"):
        for after in re.findall(r"\[sys\.executable, (\S+)", path.read_text(encoding="utf-8")):
            assert after in ('"-P",', '"-I",'), path


def test_reading_evaluating_and_reporting_import_no_training_library() -> None:
    heavy = (
        "{'keras', 'tensorflow', 'jax', 'torch', 'matplotlib', 'pandas', 'scipy', 'pydicom', 'jinja2', 'sqlalchemy', "
        "'fastapi'}"
    )
    imports = "; ".join(f"import {name}" for name in READING_SIDE)
    assert python(f"import sys; {imports}; print(sorted({heavy} & set(sys.modules)))") == "[]"


def test_the_service_imports_no_training_library_and_reading_none_of_the_service() -> None:
    heavy = "{'keras', 'tensorflow', 'matplotlib', 'pandas', 'scipy'}"
    assert python(f"import sys; import overread.service.app; print(sorted({heavy} & set(sys.modules)))") == "[]"
    web = "{'fastapi', 'starlette', 'sqlalchemy', 'alembic', 'uvicorn', 'prometheus_client'}"
    assert python(f"import sys; import overread.reading; print(sorted({web} & set(sys.modules)))") == "[]"
    assert python(f"import sys; import overread.service.room.decoding; print(sorted({web} & set(sys.modules)))") == "[]"


def test_no_driver_of_a_store_is_loaded_before_one_is_named() -> None:
    drivers = "{'fsspec', 'upath', 's3fs', 'botocore', 'aiohttp', 'ray'}"
    code = f"import sys, overread; from overread.reading import Reader; print(sorted({drivers} & set(sys.modules)))"
    assert python(code) == "[]"


def test_reading_imports_no_judging() -> None:
    found = "sorted(name for name in sys.modules if name.startswith('overread'))"
    modules = python(f"import sys; from overread.reading import Reader, Reading; print(*{found})").split()
    rooms = {name.split(".")[1] for name in modules if "." in name}
    assert not rooms & {"evaluation", "report", "auditing", "training", "study", "networks", "test_side", "service"}
    assert len(modules) < 115
    assert int(python(f"import sys; import overread.reading; print(len({found}))")) < 30


def test_a_prediction_imports_no_training_library(tiny_study: overread.Study, two_classes: Path) -> None:
    image = next(two_classes.glob("*/*.png"))
    code = (
        f"import sys, overread; overread.Reader.load({str(tiny_study.out / 'bundle')!r}).read({str(image)!r}); "
        "print(sorted({'keras', 'tensorflow', 'matplotlib'} & set(sys.modules)))"
    )
    assert python(code) == "[]"


def test_the_package_itself_imports_nothing() -> None:
    assert python("import sys, overread; print('numpy' in sys.modules)") == "False"


def test_the_command_line_offers_its_help_without_waiting_for_numpy() -> None:
    assert python("import sys, overread.cli; print('numpy' in sys.modules)") == "False"


COMMAND = typer.main.get_command(app)
COMMANDS = sorted(COMMAND.commands) if isinstance(COMMAND, click.Group) else sorted(vars(COMMAND)["commands"])


def test_the_commands_are_these() -> None:
    assert COMMANDS == [
        "audit", "compare", "crossvalidate", "demo", "evaluate", "explain", "monitor", "networks", "notebook",
        "predict", "serve", "train",
    ]  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "overread.cli", name, "--help"], capture_output=True, text=True, check=True
    )
    assert f"Example: overread {name} " in re.sub(r"\s+", " ", done.stdout)


def test_every_error_is_ours_and_a_built_in_one() -> None:
    kinds = [value for value in vars(errors).values() if isinstance(value, type)]
    for kind in kinds:
        assert issubclass(kind, errors.OverreadError)
        assert kind is errors.OverreadError or len(kind.__bases__) == 2
        assert kind.__name__ in (errors.__doc__ or "")


def test_every_module_and_public_function_has_a_docstring() -> None:
    missing = []
    for found in pkgutil.walk_packages(overread.__path__, "overread."):
        module = importlib.import_module(found.name)
        members = [value for name, value in vars(module).items() if not name.startswith("_")]
        own = [value for value in members if getattr(value, "__module__", None) == found.name and callable(value)]
        missing += [f"{found.name}.{value.__name__}" for value in own if not value.__doc__]
        missing += [found.name] * (not module.__doc__)
    assert missing == []


def test_the_changelog_tells_this_version() -> None:
    assert f"## [{overread.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
