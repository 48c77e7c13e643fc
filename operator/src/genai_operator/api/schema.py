"""Structural OpenAPI schemas, the subset that a CRD accepts, from pydantic models; and what follows from a schema.

The API server needs complete defaults on every ancestor, else a change from absent to present passes by the
immutability rules; and a limit on every list and string, else it refuses CEL rules as too costly. Both are done here.
"""

from typing import Any, Final

from pydantic import BaseModel

Schema = dict[str, Any]

_KEPT: Final = frozenset(
    ("type", "format", "pattern", "enum", "minimum", "maximum", "minLength", "maxLength", "maxItems", "description")
)
_ABSENT: Final = object()


def structural_schema(model: type[BaseModel]) -> Schema:
    """The schema of a model, defaults complete on every level. Raises ValueError for a list or text without limit."""
    source = model.model_json_schema(by_alias=True)
    return _convert(source, source.get("$defs", {}), _ABSENT, model.__name__)


def _convert(source: Schema, definitions: Schema, default: object, path: str) -> Schema:
    may_be_absent = "anyOf" in source
    source = _resolve(source, definitions)
    default = source.get("default", _ABSENT) if default is _ABSENT else default
    schema = {key: value for key, value in source.items() if key in _KEPT or key.startswith("x-kubernetes-")}
    if "const" in source:
        schema["enum"] = [source["const"]]
    if source.get("type") == "object" and "properties" not in source:
        _convert_map(schema, source, definitions, path)
    elif source.get("type") == "object":
        _convert_properties(schema, source, definitions, default, path)
        default = _ABSENT if may_be_absent else _complete_default(schema)
    elif source.get("type") == "array":
        schema["items"] = _convert(source["items"], definitions, _ABSENT, f"{path}[]")
    _require_limit(schema, path)
    if default is not _ABSENT:
        schema["default"] = default
        schema["description"] = _with_default(schema, default)
    return schema


def _resolve(source: Schema, definitions: Schema) -> Schema:
    """Replace a reference or an optional by what it stands for; texts beside the reference win."""
    if "anyOf" in source:  # `X | None`: the field may be absent, never null
        (chosen,) = (option for option in source["anyOf"] if option.get("type") != "null")
        source = {**chosen, **{key: value for key, value in source.items() if key not in {"anyOf", "default"}}}
    if "$ref" in source:
        target = definitions[source["$ref"].rpartition("/")[2]]
        source = {**target, **{key: value for key, value in source.items() if key != "$ref"}}
    return source


def _convert_properties(schema: Schema, source: Schema, definitions: Schema, default: object, path: str) -> None:
    given = default if isinstance(default, dict) else {}
    schema["properties"] = {
        name: _convert(child, definitions, given.get(name, _ABSENT), f"{path}.{name}")
        for name, child in source["properties"].items()
    }
    required = [name for name in source.get("required", ()) if "default" not in schema["properties"][name]]
    if required:
        schema["required"] = required


def _convert_map(schema: Schema, source: Schema, definitions: Schema, path: str) -> None:
    """A map of texts, or a free-form object, whose contents the API server does not look at."""
    if "x-kubernetes-preserve-unknown-fields" in source:
        return
    if "maxProperties" not in source:
        raise ValueError(f"{path} needs maxProperties: the API server refuses rules over unlimited values")
    schema["maxProperties"] = source["maxProperties"]
    values = source.get("additionalProperties") or next(iter(source["patternProperties"].values()))
    schema["additionalProperties"] = _convert(values, definitions, _ABSENT, f"{path}{{}}")


def _complete_default(schema: Schema) -> object:
    """The default of an object, made of its children's; none when a field is required."""
    if "required" in schema:
        return _ABSENT
    return {name: child["default"] for name, child in schema["properties"].items() if "default" in child}


def _require_limit(schema: Schema, path: str) -> None:
    limit = {"array": "maxItems", "string": "maxLength"}.get(schema.get("type", ""))
    if limit is not None and limit not in schema and not {"enum", "format"} & schema.keys():
        raise ValueError(f"{path} needs {limit}: the API server refuses rules over unlimited values")


def _with_default(schema: Schema, default: object) -> str:
    """`kubectl explain` shows no defaults, so the text says them."""
    text = str(schema.get("description", ""))
    if isinstance(default, dict | list) or default == "":
        return text
    return f"{text} Default: {str(default).lower() if isinstance(default, bool) else default}."


def with_defaults(value: Any, schema: Schema) -> Any:
    """What the API server makes of a value: absent or null fields that have a default are filled in, on every level."""
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    filled = dict(value)
    for name, child in schema["properties"].items():
        if filled.get(name) is None and "default" in child:
            filled[name] = child["default"]
        if name in filled:
            filled[name] = with_defaults(filled[name], child)
    return filled


def unknown_fields(value: Any, schema: Schema, path: str = "") -> tuple[str, ...]:
    """Paths in a value that a schema does not know: typing mistakes."""
    if isinstance(value, list):
        return tuple(
            found
            for position, item in enumerate(value)
            for found in unknown_fields(item, schema.get("items", {}), f"{path}[{position}]")
        )
    if not isinstance(value, dict) or "properties" not in schema:
        return ()
    return tuple(
        found
        for name, child in value.items()
        for found in (
            unknown_fields(child, schema["properties"][name], f"{path}.{name}".lstrip("."))
            if name in schema["properties"]
            else (f"{path}.{name}".lstrip("."),)
        )
    )
