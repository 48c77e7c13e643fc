"""The policies of every example, judged flow by flow by a program that knows the NetworkPolicy API: cyclonus."""

import json
import re
import subprocess
from itertools import product
from pathlib import Path

import pytest
from tests.operator.test_network_policies import OPERATOR, Peer, judge, labels_of, stranger

from genai_operator.api.database import DatabaseMode
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.llm import Provider
from genai_operator.api.redis import RedisMode
from genai_operator.desired import desired_state
from genai_operator.desired.connections import cluster_name
from genai_operator.desired.context import Context, Images
from genai_operator.kinds import NETWORK_POLICY
from genai_operator.manifests import Manifest
from genai_operator.naming import OPERATOR_NAMESPACE, Component, Names
from genai_operator.rendering import read_resource
from genai_operator.yaml_output import to_yaml
from genai_testbed import tools
from genai_testbed.progress import Progress

pytestmark = pytest.mark.cluster

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
IMAGES = Images("app:1", "pg:{version}", "redis:7")
INTERNET, PRIVATE, METADATA = "93.184.216.34", "10.1.2.3", "169.254.169.254"
PORTS = ((53, "UDP"), *((port, "TCP") for port in (53, 443, 5432, 6379, 8000, 9090)))
ANSWER = re.compile(r"IS ALLOWED\?\s*\|\s*(TRUE|FALSE)")
Flow = tuple[Peer, Peer, int, str]


@pytest.fixture(scope="session")
def cyclonus() -> Path:
    return tools.ensure(tools.JUDGES, Progress())["cyclonus"]


def verdicts(cyclonus: Path, folder: Path, policies: list[Manifest], flows: list[Flow]) -> list[bool]:
    """What cyclonus says of each flow."""
    for number, policy in enumerate(policies):  # of a file with several it reads the first
        (folder / f"{number}.yaml").write_text(to_yaml([policy]), encoding="utf-8")
    traffic = folder.with_suffix(".json")
    traffic.write_text(
        json.dumps(
            [
                {"Source": peer(source), "Destination": peer(target), "ResolvedPort": port, "Protocol": protocol}
                for source, target, port, protocol in flows
            ]
        )
    )
    command = [str(cyclonus), "analyze", "--mode=query-traffic", f"--policy-path={folder}", f"--traffic-path={traffic}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return [answer == "TRUE" for answer in ANSWER.findall(done.stdout)]


def peer(end: Peer) -> Manifest:
    """An end of a flow in cyclonus' words."""
    if isinstance(end, str):
        return {"IP": end}
    namespace, labels = end
    internal = {"Namespace": namespace, "NamespaceLabels": labels_of(namespace), "PodLabels": labels}
    return {"IP": "10.244.0.9", "Internal": internal}


def expected(app: GenAIAuto) -> list[tuple[Flow, bool]]:
    """The table of docs/explanation/network-flows.md, for one resource."""
    home, names, spec = app.metadata.namespace, Names(app.metadata.name), app.spec

    def pod(component: Component) -> Peer:
        return home, names.labels(component)

    api, database, redis, migration = map(
        pod, (Component.API, Component.DATABASE, Component.CACHE, Component.MIGRATION)
    )
    managed, cached = spec.database.mode is DatabaseMode.MANAGED, spec.redis.mode is RedisMode.MANAGED
    online = spec.llm.provider is not Provider.OFFLINE
    everywhere = online and not spec.network_policy.llm_egress.cidrs
    cluster = (home, {"cnpg.io/cluster": cluster_name(app)})
    # Of somebody else's server only the port is known.
    anywhere = spec.database.mode is DatabaseMode.EXTERNAL and spec.database.external.port == 5432
    any_redis = spec.redis.mode is RedisMode.EXTERNAL and spec.redis.external.port == 6379
    return [
        ((api, database, 5432, "TCP"), managed or anywhere),
        ((migration, database, 5432, "TCP"), managed or anywhere),
        ((api, cluster, 5432, "TCP"), spec.database.mode is DatabaseMode.CLOUD_NATIVE_PG or anywhere),
        ((api, redis, 6379, "TCP"), cached or any_redis),
        ((api, INTERNET, 443, "TCP"), everywhere),
        ((api, PRIVATE, 443, "TCP"), False),
        ((api, METADATA, 80, "TCP"), False),
        ((api, stranger("shop"), 53, "UDP"), True),
        ((migration, stranger("shop"), 53, "UDP"), True),
        ((OPERATOR, api, 9090, "TCP"), True),
        ((stranger(OPERATOR_NAMESPACE), api, 9090, "TCP"), False),
        ((stranger("monitoring"), api, 9090, "TCP"), True),
        ((stranger("shop"), api, 9090, "TCP"), False),
        ((stranger(home), api, 8000, "TCP"), True),
        # A pod that is not ours to run has no policy of ours.
        ((stranger("shop"), database, 5432, "TCP"), not managed),
        ((stranger("shop"), redis, 6379, "TCP"), not cached),
        ((database, INTERNET, 443, "TCP"), not managed),
        ((redis, INTERNET, 443, "TCP"), not cached),
    ]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda file: file.stem)
def test_the_flows_of_an_example(example: Path, cyclonus: Path, tmp_path: Path) -> None:
    app = read_resource(example.read_text(encoding="utf-8"))
    home, names = app.metadata.namespace, Names(app.metadata.name)
    policies = [m for m in desired_state(app, Context(IMAGES)) if m["kind"] == NETWORK_POLICY.name]
    assert policies
    folder = tmp_path / "policies"
    folder.mkdir()
    table = expected(app)
    found = verdicts(cyclonus, folder, policies, [flow for flow, _ in table])
    assert [(flow, verdict) for (flow, _), verdict in zip(table, found, strict=True)] == table

    own: list[Peer] = [(home, names.labels(component)) for component in Component]
    others: list[Peer] = [*map(stranger, (home, "shop", "monitoring", "models")), OPERATOR, INTERNET, PRIVATE, METADATA]
    ends = [*product(own, others), *product(others, own), *product(own, own)]
    flows = [(a, b, port, protocol) for (a, b), (port, protocol) in product(ends, PORTS)]
    ours = [judge(policies, home, *flow) for flow in flows]
    theirs = verdicts(cyclonus, folder, policies, flows)
    assert [flow for flow, a, b in zip(flows, ours, theirs, strict=True) if a != b] == []
