"""The way in from outside: an Ingress, or HTTPRoutes of a Gateway, and cert-manager's Certificate for them."""

from collections.abc import Callable
from typing import Final

from genai_contract.endpoints import HTTP_PORT
from genai_operator import quantities
from genai_operator.api.exposure import Controller, Exposure, ExposureType, TLSMode
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.desired.context import Context
from genai_operator.desired.objects import metadata, service
from genai_operator.kinds import CERTIFICATE, HTTP_ROUTE, INGRESS
from genai_operator.manifests import Manifest
from genai_operator.naming import Component, Names


def build(app: GenAIAuto, ctx: Context) -> tuple[Manifest, ...]:
    """What the chosen type of exposure needs; kinds that the cluster does not have are left out."""
    exposure = app.spec.exposure
    if exposure.type is ExposureType.NONE:
        return ()
    found = [_nowhere(app)]
    if exposure.type is ExposureType.INGRESS:
        found.append(_ingress(app))
    elif ctx.serves(HTTP_ROUTE):
        found += [_route(app), *([_redirect(app)] if exposure.gateway.https_redirect else [])]
    if exposure.tls.mode is TLSMode.CERT_MANAGER and ctx.serves(CERTIFICATE):
        found.append(_certificate(app))
    return tuple(found)


def is_encrypted(exposure: Exposure) -> bool:
    """Whether clients come by HTTPS: with a Gateway the listener says so, of which we know by the redirect."""
    if exposure.type is ExposureType.GATEWAY:
        return exposure.gateway.https_redirect or exposure.tls.mode is not TLSMode.NONE
    return exposure.tls.mode is not TLSMode.NONE


def url(app: GenAIAuto) -> str:
    """Where clients find the service: from outside where it is exposed, else within the cluster."""
    exposure = app.spec.exposure
    if exposure.type is ExposureType.NONE:
        return f"http://{Names(app.metadata.name).api}.{app.metadata.namespace}.svc:{HTTP_PORT}"
    return f"http{'s' * is_encrypted(exposure)}://{exposure.host}"


def tls_secret(app: GenAIAuto) -> str:
    """The Secret with the certificate."""
    return app.spec.exposure.tls.secret_name or Names(app.metadata.name).tls


def needs_own_certificate(app: GenAIAuto) -> bool:
    """Whether the operator makes the certificate."""
    exposure = app.spec.exposure
    return exposure.type is not ExposureType.NONE and exposure.tls.mode is TLSMode.SELF_SIGNED


def _nowhere(app: GenAIAuto) -> Manifest:
    """A Service that chooses pods of which there are none: whatever is led there gets no answer from us."""
    return service(app, Names(app.metadata.name).nowhere, Component.EDGE, http=HTTP_PORT)


def _ingress(app: GenAIAuto) -> Manifest:
    names, exposure = Names(app.metadata.name), app.spec.exposure
    annotations = {**_PRESETS[exposure.ingress.controller](app), **exposure.ingress.annotations}
    meta = metadata(app, names.api, Component.EDGE)
    tls = {"hosts": [exposure.host], "secretName": tls_secret(app)}
    paths = [*((path, names.nowhere) for path in exposure.private_paths), ("/", names.api)]
    return {
        "apiVersion": INGRESS.api_version,
        "kind": INGRESS.name,
        "metadata": {**meta, **({"annotations": annotations} if annotations else {})},
        "spec": {
            **({"ingressClassName": exposure.ingress.class_name} if exposure.ingress.class_name else {}),
            **({"tls": [tls]} if is_encrypted(exposure) else {}),
            "rules": [
                {
                    "host": exposure.host,
                    "http": {
                        "paths": [
                            {
                                "path": path,
                                "pathType": "Prefix",
                                "backend": {"service": {"name": service, "port": {"name": "http"}}},
                            }
                            for path, service in paths
                        ]
                    },
                }
            ],
        },
    }


def _generic(app: GenAIAuto) -> dict[str, str]:
    del app
    return {}


def _traefik(app: GenAIAuto) -> dict[str, str]:
    """Traefik's timeouts and redirect belong to its entry points, so here is only by which of them to come in."""
    prefix = "traefik.ingress.kubernetes.io/router"
    if not is_encrypted(app.spec.exposure):
        return {f"{prefix}.entrypoints": "web"}
    return {f"{prefix}.entrypoints": "websecure", f"{prefix}.tls": "true"}


def _haproxy(app: GenAIAuto) -> dict[str, str]:
    """Of HAProxy Technologies' controller. It knows no limit for bodies: the API has its own."""
    limits = app.spec.exposure.limits
    return {
        "haproxy.org/ssl-redirect": str(is_encrypted(app.spec.exposure)).lower(),
        "haproxy.org/load-balance": "leastconn",
        "haproxy.org/timeout-server": f"{limits.api_timeout_seconds}s",
        "haproxy.org/timeout-tunnel": f"{limits.websocket_idle_seconds}s",
    }


def _f5_nginx(app: GenAIAuto) -> dict[str, str]:
    """Of F5's controller: one timeout for all, which a WebSocket never meets, because the API sends pings."""
    limits = app.spec.exposure.limits
    return {
        "nginx.org/client-max-body-size": str(int(quantities.parse(limits.max_body_size))),
        "nginx.org/lb-method": "least_conn",
        "nginx.org/proxy-read-timeout": f"{limits.api_timeout_seconds}s",
        "nginx.org/proxy-send-timeout": f"{limits.api_timeout_seconds}s",
        "nginx.org/redirect-to-https": str(is_encrypted(app.spec.exposure)).lower(),
        "nginx.org/websocket-services": Names(app.metadata.name).api,
    }


_PRESETS: Final[dict[Controller, Callable[[GenAIAuto], dict[str, str]]]] = {
    Controller.GENERIC: _generic,
    Controller.TRAEFIK: _traefik,
    Controller.HAPROXY: _haproxy,
    Controller.F5_NGINX: _f5_nginx,
}


def _route(app: GenAIAuto) -> Manifest:
    names, exposure = Names(app.metadata.name), app.spec.exposure
    limits = exposure.limits
    private = [
        {"matches": [_prefix(path)], "backendRefs": [_backend(names.nowhere)]} for path in exposure.private_paths
    ]
    return {
        "apiVersion": HTTP_ROUTE.api_version,
        "kind": HTTP_ROUTE.name,
        "metadata": metadata(app, names.api, Component.EDGE),
        "spec": {
            "parentRefs": _parents(exposure),
            "hostnames": [exposure.host],
            "rules": [
                *private,
                {
                    "matches": [_prefix("/ws/")],
                    "backendRefs": [_backend(names.api)],
                    "timeouts": {"request": f"{limits.websocket_idle_seconds}s"},
                },
                {
                    "matches": [_prefix("/")],
                    "backendRefs": [_backend(names.api)],
                    "timeouts": {"request": f"{limits.api_timeout_seconds}s"},
                },
            ],
        },
    }


def _redirect(app: GenAIAuto) -> Manifest:
    names, exposure = Names(app.metadata.name), app.spec.exposure
    redirect = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}
    return {
        "apiVersion": HTTP_ROUTE.api_version,
        "kind": HTTP_ROUTE.name,
        "metadata": metadata(app, names.redirect, Component.EDGE),
        "spec": {
            "parentRefs": _parents(exposure, exposure.gateway.http_section_name),
            "hostnames": [exposure.host],
            "rules": [{"matches": [_prefix("/")], "filters": [redirect]}],
        },
    }


def _parents(exposure: Exposure, section: str = "") -> list[Manifest]:
    """The Gateways, at another listener than their own when one is named."""
    return [
        {
            "group": "gateway.networking.k8s.io",
            "kind": "Gateway",
            "name": ref.name,
            **({"namespace": ref.namespace} if ref.namespace else {}),
            "sectionName": section or ref.section_name,
        }
        for ref in exposure.gateway.parent_refs
    ]


def _prefix(path: str) -> Manifest:
    return {"path": {"type": "PathPrefix", "value": path}}


def _backend(service: str) -> Manifest:
    return {"group": "", "kind": "Service", "name": service, "port": HTTP_PORT, "weight": 1}


def _certificate(app: GenAIAuto) -> Manifest:
    exposure = app.spec.exposure
    issuer = exposure.tls.issuer_ref
    return {
        "apiVersion": CERTIFICATE.api_version,
        "kind": CERTIFICATE.name,
        "metadata": metadata(app, Names(app.metadata.name).tls, Component.EDGE),
        "spec": {
            "secretName": tls_secret(app),
            "dnsNames": [exposure.host],
            **({"issuerRef": {"group": "cert-manager.io", **issuer.model_dump()}} if issuer else {}),
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
            "usages": ["digital signature", "key encipherment", "server auth"],
        },
    }
