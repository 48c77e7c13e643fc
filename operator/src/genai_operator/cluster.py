"""The only module that talks to Kubernetes: a few verbs over HTTP, with plain dictionaries.

How to sign in and whom to trust is the client library's business; its own calls cost more CPU than all of our work.
Each request has a time limit, ignores proxy variables, and fails with an error of `errors.py`.
"""

import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from types import MappingProxyType
from typing import Any, Final

import aiohttp
import orjson
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.rest import RESTClientObject
from kubernetes.aio.config.incluster_config import load_incluster_config
from kubernetes.aio.config.kube_config import load_kube_config

from genai_operator.errors import Conflict, Expired, KindAbsent, NotFound, NotLeading, Refused, Terminating, Unavailable
from genai_operator.kinds import BY_NAME, Kind
from genai_operator.manifests import Manifest, Ref
from genai_operator.naming import FIELD_MANAGER, SCALE_MANAGER

_APPLY: Final = "application/apply-patch+yaml"
_MERGE: Final = "application/merge-patch+json"
_STRATEGIC: Final = "application/strategic-merge-patch+json"
_JSON: Final = "application/json"
_METADATA: Final = "application/json;as=PartialObjectMetadata{};g=meta.k8s.io;v=v1"
"""Objects without their contents: the API server leaves out what we ask it not to send."""
_DISCOVERY: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
"""Every kind of every group in one answer, with an ETag."""
_CONNECT_SECONDS: Final = 5
_WATCH_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=70)
"""Bookmarks come about once a minute: longer silence is a dead connection."""
_PAGE: Final = 500

_NO_RIGHT: Final = re.compile(r'User "[^"]+" cannot ')
"""How a missing right is worded; a quota and an admission policy are 403, too."""
_RIGHTS: Final = "; grant it: genai-auto-operator install-manifests | kubectl apply --server-side -f -"

Query = list[tuple[str, str]]
RequestCounter = Callable[[str, int], None]
"""Called with the method and the status of each answer."""


async def load_configuration(kubeconfig: str, *, in_cluster: bool) -> Configuration:
    """Where the API server is and how to sign in: the pod's account, or a kubeconfig (empty: the usual place)."""
    configuration = Configuration()
    if in_cluster and not kubeconfig:
        load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]  # client has no types
    else:
        await load_kube_config(  # type: ignore[no-untyped-call]  # the client's configuration loader has no types
            kubeconfig or None, client_configuration=configuration, persist_config=False
        )
    return configuration


class Cluster:
    """A signed-in client. `on_answer` is told of every answer, for metrics; `may_write` is asked before each write."""

    def __init__(
        self,
        configuration: Configuration,
        on_answer: RequestCounter,
        may_write: Callable[[], bool] = lambda: True,
        request_seconds: float = 30,
    ) -> None:
        self._timeout = aiohttp.ClientTimeout(total=request_seconds, sock_connect=_CONNECT_SECONDS)
        self._may_write = may_write
        self._configuration = configuration
        self._on_answer = on_answer
        trust = RESTClientObject(configuration).ssl_context
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust, limit=0),
            headers={"User-Agent": FIELD_MANAGER},
            read_bufsize=2**21,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def get(self, kind: Kind, ref: Ref) -> Manifest | None:
        """One object; None when it does not exist."""
        try:
            return await self._call("GET", kind.path(ref.namespace, ref.name))
        except KindAbsent:
            raise
        except NotFound:
            return None

    async def list(
        self, kind: Kind, namespace: str | None, *, labels: str = "", fields: str = ""
    ) -> tuple[list[Manifest], str]:
        """All objects that both selectors choose, and the resource version to watch from."""
        items: list[Manifest] = []
        token = ""
        while True:
            query = _selectors(labels, fields, [("limit", str(_PAGE)), *([("continue", token)] if token else [])])
            page = await self._call("GET", kind.path(namespace), query)
            items += page["items"]
            token = page["metadata"].get("continue", "")
            if not token:
                break
        for item in items:  # a list leaves them out
            item.setdefault("kind", kind.name)
            item.setdefault("apiVersion", kind.api_version)
        return items, page["metadata"]["resourceVersion"]

    async def discover(self, etag: str) -> tuple[frozenset[tuple[str, str]], str] | None:
        """What the API server serves, as (apiVersion, plural), and its version; None when `etag` is current."""
        response, text = await self._exchange("GET", "/apis", accept=_DISCOVERY, headers={"If-None-Match": etag})
        if response.status == 304:
            return None
        found = frozenset(
            (f"{group['metadata']['name']}/{version['version']}", resource["resource"])
            for group in orjson.loads(text)["items"]
            for version in group["versions"]
            for resource in version.get("resources", ())
        )
        return found, response.headers.get("ETag", "")

    async def now(self, kind: Kind, namespace: str | None) -> str:
        """The resource version to watch from for whoever needs no objects, only changes from here on."""
        accept = _METADATA.format("List")
        page = await self._call("GET", kind.path(namespace), [("limit", "1")], accept=accept)
        return str(page["metadata"]["resourceVersion"])

    async def watch(
        self, kind: Kind, namespace: str | None, *, labels: str, since: str, seconds: int, only_metadata: bool = False
    ) -> AsyncGenerator[tuple[str, Manifest], None]:
        """Changes as (type, object) until the server ends the watch. Raises Expired when `since` is too old."""
        accept = _METADATA.format("") if only_metadata else _JSON
        query = _selectors(
            labels,
            "",
            [
                ("watch", "true"),
                ("allowWatchBookmarks", "true"),
                ("resourceVersion", since),
                ("timeoutSeconds", str(seconds)),
            ],
        )
        response = await self._send("GET", kind.path(namespace), query, accept=accept, timeout=_WATCH_TIMEOUT)
        try:
            if response.status >= 400:
                raise _error(response.status, response.headers, await response.read())
            async with aclosing(_lines(response.content)) as lines:
                async for line in lines:
                    event = orjson.loads(line)
                    if event["type"] == "ERROR":
                        raise _error(int(event["object"].get("code", 500)), {}, orjson.dumps(event["object"]))
                    yield event["type"], event["object"]
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"the watch of {kind.plural} broke: {error}") from error
        finally:
            response.close()

    async def apply(self, manifest: Manifest, *, force: bool) -> Manifest:
        """Server-side apply of a complete object. Without `force` a field of somebody else raises Conflict."""
        return await self._apply(manifest, FIELD_MANAGER, force=force)

    async def apply_replicas(self, manifest: Manifest, replicas: int) -> Manifest:
        """Set `replicas` of an existing object, by the field manager that owns nothing else."""
        scale = {
            "apiVersion": manifest["apiVersion"],
            "kind": manifest["kind"],
            "metadata": {key: manifest["metadata"][key] for key in ("name", "namespace")},
            "spec": {"replicas": replicas},
        }
        return await self._apply(scale, SCALE_MANAGER, force=True)

    async def apply_status(self, manifest: Manifest) -> Manifest:
        """Server-side apply of the whole status."""
        return await self._apply(manifest, FIELD_MANAGER, force=True, subresource="status")

    async def create(self, manifest: Manifest, kind: Kind | None = None) -> Manifest:
        """Create an object. Raises Conflict when it exists: it is never overwritten."""
        kind = kind or BY_NAME[manifest["kind"]]
        path = kind.path(manifest["metadata"]["namespace"])
        return await self._call("POST", path, [("fieldManager", FIELD_MANAGER)], manifest)

    async def replace(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Replace a whole object. Raises Conflict when its resource version is not the newest."""
        metadata = manifest["metadata"]
        path = kind.path(metadata["namespace"], metadata["name"])
        return await self._call("PUT", path, [("fieldManager", FIELD_MANAGER)], manifest)

    async def merge_patch(self, kind: Kind, ref: Ref, patch: Manifest) -> Manifest:
        """Change some fields of an existing object. Raises NotFound; never creates."""
        path = kind.path(ref.namespace, ref.name)
        return await self._call("PATCH", path, [("fieldManager", FIELD_MANAGER)], patch, content_type=_MERGE)

    async def strategic_patch(self, kind: Kind, ref: Ref, patch: Manifest) -> Manifest:
        """The same with the merge rules of a built-in kind: `$patch: replace` replaces a list."""
        path = kind.path(ref.namespace, ref.name)
        return await self._call("PATCH", path, [("fieldManager", FIELD_MANAGER)], patch, content_type=_STRATEGIC)

    async def delete(self, kind: Kind, ref: Ref) -> None:
        """Delete an object and what it owns, in the background. An absent object is fine."""
        try:
            await self._call("DELETE", kind.path(ref.namespace, ref.name), [("propagationPolicy", "Background")])
        except NotFound:
            return

    async def _apply(self, manifest: Manifest, manager: str, *, force: bool, subresource: str = "") -> Manifest:
        metadata = manifest["metadata"]
        path = BY_NAME[manifest["kind"]].path(metadata["namespace"], metadata["name"], subresource)
        query = [("fieldManager", manager), ("force", "true" if force else "false")]
        return await self._call("PATCH", path, query, manifest, content_type=_APPLY)

    async def _call(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: Any = None,
        *,
        content_type: str = _JSON,
        accept: str = _JSON,
    ) -> Manifest:
        _, text = await self._exchange(method, path, query, body, content_type=content_type, accept=accept)
        answer: Manifest = orjson.loads(text)
        return answer

    async def _exchange(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: Any = None,
        *,
        content_type: str = _JSON,
        accept: str = _JSON,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        """One whole answer, good or 304. Raises what the answer means otherwise, and NotLeading before a write."""
        if method != "GET" and not self._may_write():
            raise NotLeading("this operator does not hold the Lease any more: it writes nothing")
        try:
            response = await self._send(method, path, query or [], body, content_type, accept, headers=headers)
            text = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"the API server does not answer: {error or type(error).__name__}") from error
        if response.status >= 400:
            raise _error(response.status, response.headers, text)
        return response, text

    async def _send(
        self,
        method: str,
        path: str,
        query: Query,
        body: Any = None,
        content_type: str = _JSON,
        accept: str = _JSON,
        timeout: aiohttp.ClientTimeout | None = None,  # noqa: ASYNC109 - it is aiohttp's own, per connection and read
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> aiohttp.ClientResponse:
        try:
            response = await self._session.request(
                method,
                self._configuration.host + path,
                params=query,
                headers={"Accept": accept, "Content-Type": content_type, **await self._bearer(), **headers},
                data=None if body is None else orjson.dumps(body),
                timeout=timeout or self._timeout,
                server_hostname=self._configuration.tls_server_name,
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"the API server does not answer: {error or type(error).__name__}") from error
        self._on_answer(method, response.status)
        return response

    async def _bearer(self) -> dict[str, str]:
        """The pod's token, read anew when it was renewed; nothing for whoever signs in with a certificate."""
        setting = (await self._configuration.auth_settings()).get("BearerToken")
        return {"Authorization": setting["value"]} if setting and setting["value"] else {}


def _selectors(labels: str, fields: str, more: Query) -> Query:
    found = (("labelSelector", labels), ("fieldSelector", fields))
    return [(name, value) for name, value in found if value] + more


async def _lines(content: aiohttp.StreamReader) -> AsyncGenerator[bytes, None]:
    """Split a stream ourselves: an object may be larger than the reader's limit for a line."""
    rest = b""
    async for chunk in content.iter_any():
        *complete, rest = (rest + chunk).split(b"\n")
        for line in complete:
            if line:
                yield line


def _error(status: int, headers: Any, text: bytes) -> Exception:
    """The error of our tree for an answer of the API server."""
    causes: list[Manifest] = []
    try:
        answer = orjson.loads(text)
        message = str(answer.get("message", ""))
        causes = (answer.get("details") or {}).get("causes") or []
    except ValueError:
        if status == 404:
            return KindAbsent("the API server does not serve this kind: install its CRD")
        message = text.decode(errors="replace").strip()
    if status in (408, 429) or status >= 500:
        return Unavailable(f"the API server answered {status}: {message}", _seconds(headers.get("Retry-After", "")))
    if any(cause.get("reason") == "NamespaceTerminating" for cause in causes):
        return Terminating(message)
    hint = _RIGHTS if status == 403 and _NO_RIGHT.search(message) else ""
    return {404: NotFound, 409: Conflict, 410: Expired}.get(status, Refused)(message + hint)


def _seconds(retry_after: str) -> float:
    return float(retry_after) if retry_after.isdigit() else 0.0
