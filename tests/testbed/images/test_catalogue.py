"""The images by name."""

import re

import pytest

from genai_testbed.images.catalogue import RECIPES, choose, names_for
from genai_testbed.images.errors import UnknownImage
from genai_testbed.layout import CLONE


def test_ours_are_tagged_by_version_and_hash() -> None:
    (app,) = choose(["app"])
    assert re.fullmatch(r"docker\.io/genai-auto/app:\d+\.\d+\.\d+-0123456789ab", app.reference(CLONE, "0123456789ab"))


def test_stand_ins_have_the_official_names_so_that_defaults_work_unchanged() -> None:
    postgres, redis = choose(["redis", "postgres"])
    assert postgres.reference(CLONE, "0123456789ab") == "docker.io/pgvector/pgvector:pg17"
    assert redis.reference(CLONE, "0123456789ab") == "docker.io/library/redis:7-alpine"


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownImage, match="no image 'web': choose from app, operator, postgres, redis"):
        choose(["app", "web"])


@pytest.mark.parametrize(
    ("cluster", "names"),
    [
        ("testbed", ("app", "operator", "postgres", "redis")),
        ("kind", ("app", "operator")),
        ("current", ("app", "operator")),
    ],
)
def test_only_a_node_without_a_registry_gets_stand_ins(cluster: str, names: tuple[str, ...]) -> None:
    assert names_for(cluster) == names


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_what_a_recipe_names_exists(recipe: object) -> None:
    known = next(each for each in RECIPES if each is recipe)
    assert [path for path in (known.containerfile, *known.sources) if not (CLONE / path).exists()] == []


def test_the_two_dockerfiles_differ_only_where_app_and_operator_do() -> None:
    def steps(name: str) -> list[str]:
        text = (CLONE / name).read_text()
        code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
        return re.split(r"\n(?=[A-Z]+ )", code)

    app, operator = steps("Dockerfile.app"), steps("Dockerfile.operator")
    different = [step.split(maxsplit=2)[:2] for step in app if step.replace("app", "operator") not in operator]
    assert different == [
        ["RUN", "find"],  # what is pruned
        ["LABEL", 'org.opencontainers.image.title="GenAI'],
        ["EXPOSE", "8000"],
        ["ENTRYPOINT", '["genai-auto"]'],
        ["CMD", '["serve"]'],
    ]
