"""The least that an operator does: watch the resources, apply each one's objects as they stand in a file, say so.

Read from the environment: KUBECONFIG; MANIFESTS, a JSON list in which NAMESPACE stands for the resource's own.
It repairs nothing, notices no change, and has no queue: a floor, not an operator.
"""

import asyncio
import base64
import json
import os
import ssl
import tempfile
from pathlib import Path

import aiohttp
import uvloop
import yaml

APPLY = {"Content-Type": "application/apply-patch+yaml"}
WHERE = {"v1": "/api/v1"}


def plural(kind: str) -> str:
    """Enough of the rules of English for the kinds in the file."""
    name = kind.lower()
    return name[:-1] + "ies" if name.endswith("y") else name + "s"


async def run() -> None:
    """Serve until it is ended."""
    config = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text(encoding="utf-8"))  # noqa: ASYNC240 - once, before the loop has work
    text = Path(os.environ["MANIFESTS"]).read_text(encoding="utf-8")  # noqa: ASYNC240 - once, before the loop has work
    server = config["clusters"][0]["cluster"]["server"]
    seen: set[str] = set()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context(config), limit=0)) as session:

        async def make(namespace: str, name: str, generation: int) -> None:
            for item in json.loads(text.replace("NAMESPACE", namespace)):
                root = WHERE.get(item["apiVersion"], f"/apis/{item['apiVersion']}")
                url = f"{server}{root}/namespaces/{namespace}/{plural(item['kind'])}/{item['metadata']['name']}"
                query = {"fieldManager": "bare", "force": "true"}
                async with session.patch(url, params=query, data=json.dumps(item), headers=APPLY) as answer:
                    answer.raise_for_status()
            url = f"{server}/apis/genai-auto.dev/v1alpha1/namespaces/{namespace}/genaiautos/{name}/status"
            merge = {"Content-Type": "application/merge-patch+json"}
            body = {"status": {"message": "done", "observedGeneration": generation, "phase": "Ready", "url": "",
                               "version": "", "llm": {"model": ""}, "conditions": [],
                               "api": {"replicas": 0, "ready": "", "selector": "", "requested": 0}}}  # fmt: skip
            async with session.patch(url, data=json.dumps(body), headers=merge) as answer:
                answer.raise_for_status()

        url = f"{server}/apis/genai-auto.dev/v1alpha1/genaiautos"
        gate = asyncio.Semaphore(10)
        tasks = set()

        async def one(item: dict) -> None:  # type: ignore[type-arg]  # any object
            async with gate:
                await make(item["metadata"]["namespace"], item["metadata"]["name"], item["metadata"]["generation"])

        async with session.get(url) as answer:
            version = (await answer.json())["metadata"]["resourceVersion"]
        query = {"watch": "true", "resourceVersion": version}
        print("ready", flush=True)  # noqa: T201 - whoever started it waits for this
        async with session.get(url, params=query, timeout=aiohttp.ClientTimeout()) as changes:
            rest = b""
            async for piece in changes.content.iter_any():
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    uid = event["object"]["metadata"].get("uid", "")
                    if event["type"] == "ADDED" and uid not in seen:
                        seen.add(uid)
                        task = asyncio.create_task(one(event["object"]))
                        tasks.add(task)
                        task.add_done_callback(tasks.discard)


def context(config: dict) -> ssl.SSLContext:  # type: ignore[type-arg]  # a kubeconfig
    """The authority and the certificate of a kubeconfig."""
    user = config["users"][0]["user"]
    authority = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
    found = ssl.create_default_context(cadata=authority)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("client-certificate-data", "client-key-data")]
        for file in files:
            file.write_bytes(base64.b64decode(user[file.name]))
        found.load_cert_chain(files[0], files[1])
    return found


if __name__ == "__main__":
    uvloop.run(run())
