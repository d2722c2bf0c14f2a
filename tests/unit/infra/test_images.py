"""The images: what each holds is locked with its hash, and the server's has neither tests nor trainers."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import features
from tests.toyland.image import LOCKS, normal, pins

ROOT = Path(__file__).parents[3]
OWN = {"pipelines", "components", "serving", "models", "features"}
DOCKERFILE = (LOCKS / "Dockerfile").read_text()
DEV, TRAIN, SERVE = ROOT / "requirements.lock", LOCKS / "train.lock", LOCKS / "serve.lock"


def stage(name: str) -> str:
    """The instructions of one stage of the Dockerfile."""
    found = re.search(rf"^FROM \S+ AS {name}\n(.*?)(?=^FROM|\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert found, f"no stage {name}"
    return found[1]


@pytest.mark.parametrize("lock", [DEV, TRAIN, SERVE], ids=lambda lock: lock.name)
def test_every_package_is_locked_with_its_hashes(lock: Path) -> None:
    blocks = re.split(r"^(?=[a-z0-9])", lock.read_text(), flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pins(lock)) > 100
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_a_lock_is_installed_by_its_pins_and_not_by_the_overrides_that_it_was_compiled_with() -> None:
    texts = [(ROOT / "Makefile").read_text(), DOCKERFILE]
    installs = [line for text in texts for line in text.splitlines() if re.search(r"uv pip install .*\.lock$", line)]
    assert len(installs) == 3 and all("--no-config" in line for line in installs)


def test_the_images_hold_the_versions_that_are_tested() -> None:
    assert pins(SERVE).items() <= pins(TRAIN).items()
    assert pins(TRAIN).items() <= pins(DEV).items()


def test_the_code_knows_its_version_where_adloop_is_not_installed_as_a_package() -> None:
    """As in the images: whatever asks for the package's metadata when it is imported fails there."""
    sources = [path.read_text() for floor in OWN for path in (ROOT / floor).rglob("*.py")]
    assert not any('version("adloop")' in source or "package_name=" in source for source in sources)
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == features.__version__


def test_the_trainer_holds_all_that_any_code_imports() -> None:
    """What the server's code imports, the tests of its endpoints show: they run with nothing else."""
    held, owners = {*pins(TRAIN), "torch"}, packages_distributions()
    imported: set[str] = set()
    for floor in OWN:
        for path in (ROOT / floor).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    imported |= {one.name.partition(".")[0] for one in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    imported.add(node.module.partition(".")[0])
    others = imported & owners.keys() - sys.stdlib_module_names
    assert len(others) > 40
    assert {name for name in others if not held & {normal(one) for one in owners[name]}} - OWN == set()


def test_the_server_holds_neither_tests_nor_trainers() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {re.split(r"[\[<>=~ ]", one)[0].lower() for extra in ("train", "dev") for one in extras[extra]}
    # Feast and KServe need these four themselves.
    assert named & pins(SERVE).keys() == {"click", "jinja2", "rich"}


def test_each_image_installs_its_lock_and_checks_the_hashes() -> None:
    for environment, lock, image in (("serving", SERVE, "server"), ("training", TRAIN, "trainer")):
        assert f"--require-hashes --compile-bytecode -r {lock.name}" in stage(environment)
        assert f"COPY --from={environment} /app/.venv .venv" in stage(image)


def test_what_the_images_copy_is_sent_to_the_build() -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    lines = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    copied = {re.sub(r"/\w+\.lock$", "/*.lock", source) for line in lines for source in line.split()}
    in_a_folder = {source for source in copied if source.split("/")[0] in sent}
    assert {source.split("/")[0] for source in in_a_folder} | (copied - in_a_folder) == sent


def test_the_dockerfile_is_as_hadolint_advises() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([linter, "infra/images/Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_it_builds_without_a_hub_of_frontends_on_a_base_that_may_be_a_digest_and_says_how_it_is() -> None:
    assert "# syntax" not in DOCKERFILE
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${BASE}", "environment", "runtime"}
    assert re.search(r"^HEALTHCHECK .*localhost:8080/v2/health/ready", stage("server"), re.MULTILINE)
    assert "HEALTHCHECK NONE" in stage("trainer")
