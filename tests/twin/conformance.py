"""Does every answer of the twin have the shape that the service's answers have?

A policy in the SDK's own pipeline looks at each answer before the SDK does, since the SDK is a lax reader: unknown
keys, missing fields and wrong types pass it unnoticed. Answers that the SDK has a model for are held against a schema
derived from that model, the others against schemas written down from recorded traffic (azure-cli's tests).
"""

from __future__ import annotations

import json
import re
import types
import typing
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.postgresqlflexibleservers import models
from azure.mgmt.postgresqlflexibleservers._utils.model_base import Model

# The few places where recorded answers differ from the SDK's models.
_RECORDED_EXCEPTIONS: dict[str, dict[str, Any]] = {
    # `storage.type` is an empty string for Premium SSD (azure-cli's tests, 2024-11 to 2026-06).
    "StorageType": {"enum": ["", *(member.value for member in models.StorageType)]},
}

_GUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,2}[1-9]|\.\d?[1-9])?Z$"
_ERROR = {
    "type": "object", "required": ["code", "message"], "additionalProperties": False,
    "properties": {"code": {"type": "string"}, "message": {"type": "string", "minLength": 1}},
}  # fmt: skip
_WRITTEN_DOWN: dict[str, dict[str, Any]] = {
    "accepted": {
        "type": "object", "required": ["operation", "startTime"], "additionalProperties": False,
        "properties": {"operation": {"pattern": "ManagementOperation(V2)?$"}, "startTime": {"pattern": _TIME}},
    },
    "operation": {
        "type": "object", "required": ["name", "status", "startTime"], "additionalProperties": False,
        "properties": {
            "name": {"pattern": f"^{_GUID}$"}, "status": {"enum": ["InProgress", "Succeeded", "Failed"]},
            "startTime": {"pattern": _TIME}, "error": _ERROR,
        },
        "if": {"properties": {"status": {"const": "Failed"}}},
        "then": {"required": ["error"]}, "else": {"not": {"required": ["error"]}},
    },
    "error": {"type": "object", "required": ["error"], "additionalProperties": False,
              "properties": {"error": _ERROR}},
}  # fmt: skip

_SERVER = r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.DBforPostgreSQL/flexibleServers"
_SHAPES: tuple[tuple[str, str, type[Model]], ...] = (
    ("GET", rf"{_SERVER}/[^/]+", models.Server),
    ("GET", rf"{_SERVER}/[^/]+/firewallRules/[^/]+", models.FirewallRule),
)
_LISTS: tuple[tuple[str, type[Model]], ...] = (
    (_SERVER, models.Server),
    (r"/subscriptions/[^/]+/providers/Microsoft\.DBforPostgreSQL/flexibleServers", models.Server),
    (rf"{_SERVER}/[^/]+/firewallRules", models.FirewallRule),
)
# Sent by a client, never returned (azure-cli's tests; visibilities of the SDK).
_NEVER_RETURNED = ("createMode", "pointInTimeUTC", "administratorLoginPassword", "sourceServerResourceId")


class AnswersConform(SansIOHTTPPolicy[Any, Any]):
    """Raises an AssertionError in the middle of a call whose answer is not what the service would send."""

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:
        """Hold one answer against its schema, and its headers against what every answer carries."""
        answer = response.http_response
        answer.read()
        check(
            request.http_request.method,
            request.http_request.url,
            answer.status_code,
            answer.headers,
            answer.text(),
        )


def check(method: str, url: str, status: int, headers: Any, text: str) -> None:
    """Hold one answer of ARM against what is known about it."""
    path = urlsplit(url).path
    for name in ("x-ms-request-id", "x-ms-correlation-request-id", "Date", "Cache-Control"):
        assert name in headers, f"{method} {path}: no {name}"
    if status == 202 and method != "GET":
        assert headers["Azure-AsyncOperation"].startswith("https://")
        assert headers["Location"].startswith("https://")
        assert "Retry-After" not in headers or headers["Retry-After"].isdigit()
    if not text:
        assert status in (200, 202, 204), f"{method} {path}: {status} without a body"
        return
    body = json.loads(text)
    _assert_no_null(body, f"{method} {path}")
    schema_of(method, path, status).validate(body)


def schema_of(method: str, path: str, status: int) -> jsonschema_rs.Validator:
    """The schema of an answer: the SDK's model, a list of it, or one that was written down."""
    if status >= 400:
        return _validator("error")
    if status == 202:
        return _validator("accepted")
    if "/azureasyncoperation/" in path.lower():
        return _validator("operation")
    for shape_method, pattern, model in _SHAPES:
        if method == shape_method and re.fullmatch(pattern, path, re.IGNORECASE):
            return _model_validator(model)
    for pattern, model in _LISTS:
        if re.fullmatch(pattern, path, re.IGNORECASE):
            return _model_validator(model, listed=True)
    raise AssertionError(f"no schema for {method} {path} {status}")


@cache
def _validator(name: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(_WRITTEN_DOWN[name])


@cache
def _model_validator(model: type[Model], *, listed: bool = False) -> jsonschema_rs.Validator:
    schema = schema_of_model(model)
    if listed:
        schema = {"type": "object", "required": ["value"], "additionalProperties": False,
                  "properties": {"value": {"type": "array", "items": schema}}}  # fmt: skip
    return jsonschema_rs.validator_for(schema, validate_formats=True)


def schema_of_model(model: type[Model]) -> dict[str, Any]:
    """A JSON schema of one of the SDK's models: the names and types on the wire, and no others."""
    fields = model()._attr_to_rest_field  # filled in when a model is first built
    properties = {
        field._rest_name: _schema_of_type(_annotation(model, name))
        for name, field in fields.items()
        if field._rest_name not in _NEVER_RETURNED
    }
    required = [name for name in ("id", "name", "type") if name in properties]
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": required}


def _annotation(model: type[Model], name: str) -> Any:
    owners = (vars(owner).get("__annotations__", {}) for owner in model.__mro__)
    return _resolved(next(annotations[name] for annotations in owners if name in annotations))


def _resolved(annotation: Any) -> Any:
    if isinstance(annotation, str):
        import datetime as datetime_module

        scope = {
            **vars(typing),
            "datetime": datetime_module,
            "_models": models,
            "_types": types,
            "list": list,
        }
        return eval(annotation, {**vars(models), **scope})
    return annotation


def _schema_of_type(annotation: Any) -> dict[str, Any]:
    if isinstance(annotation, typing.ForwardRef):
        annotation = _resolved(annotation.__forward_arg__)
    if isinstance(annotation, str):
        annotation = _resolved(annotation)
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return _schema_of_choice([choice for choice in inner if choice is not type(None)])
    if origin is list:
        return {"type": "array", "items": _schema_of_type(inner[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema_of_type(inner[1])}
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return schema_of_model(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _RECORDED_EXCEPTIONS.get(
            annotation.__name__, {"enum": [member.value for member in annotation]}
        )
    if annotation is datetime:
        return {"type": "string", "format": "date-time"}
    return {str: {"type": "string"}, int: {"type": "integer"}, float: {"type": "number"},
            bool: {"type": "boolean"}}[annotation]  # fmt: skip


def _schema_of_choice(choices: list[Any]) -> dict[str, Any]:
    """Of "a string or this enumeration" the enumeration is meant: the twin invents no values."""
    schemas = [(choice, _schema_of_type(choice)) for choice in choices]
    stricter = [schema for choice, schema in schemas if choice is not str] or [schemas[0][1]]
    return stricter[0] if len(stricter) == 1 else {"anyOf": stricter}


def _assert_no_null(body: Any, where: str) -> None:
    """What is unknown is absent, never null (azure-cli's tests)."""
    assert body is not None, f"{where}: null"
    values = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    for value in values:
        _assert_no_null(value, where)
