"""Envoy filters before routing: remove internal headers from requests, and read the model name of gRPC messages."""

from typing import Any

Record = dict[str, Any]
TYPE = "type.googleapis.com/envoy."
#: Marks requests of a course, so that only those are logged attempt by attempt.
COURSE_HEADER = "x-adloop-course"
#: The version that a gRPC message asks for.
VERSION_HEADER = "x-adloop-version"
#: The model of a gRPC message, as the edge read it; of one that is compressed, as its client says it beside.
MODEL_HEADER = "x-model-name"
#: What nobody outside may claim: marks of a release, and orders that Envoy takes from its own kind.
INTERNAL = ("x-adloop-", "x-envoy-")
SERVICE = "/inference.GRPCInferenceService/"

#: Reads the first fields of a message's first kilobyte: 1 is the model's name, 2 its version in all that name a model.
_READ = """
local function varint(text, place)
  local value, factor = 0, 1
  for at = place, math.min(place + 4, #text) do
    local byte = text:byte(at)
    value, factor = value + (byte % 128) * factor, factor * 128
    if byte < 128 then return value, at + 1 end
  end
end

local function fields(text)
  local found, place = {}, 6
  while place <= #text do
    local tag, after = varint(text, place)
    if tag ~= 10 and tag ~= 18 then return found end
    local length, start = varint(text, after)
    if not length or start + length - 1 > #text then return found end
    found[(tag - 2) / 8] = text:sub(start, start + length - 1)
    place = start + length
  end
  return found
end

local function say(headers, name, value)
  if value and value:match("^[%w%._%-]+$") then headers:replace(name, value) end
end

function envoy_on_request(handle)
  if handle:headers():get(":path"):sub(1, SERVICE_LENGTH) ~= "SERVICE" then return end
  local body = handle:body()
  local length = body and body:length() or 0
  if length < 5 then return end
  local text = body:getBytes(0, math.min(length, 1024))
  if text:byte(1) ~= 0 then return end
  local found, headers = fields(text), handle:headers()
  headers:remove("MODEL")
  say(headers, "MODEL", found[1])
  say(headers, "VERSION", found[2])
  handle:clearRouteCache()
end
"""


def mutations() -> list[Record]:
    """Extensions that run before all filters."""
    removed = [{"remove_on_match": {"key_matcher": {"prefix": prefix, "ignore_case": True}}} for prefix in INTERNAL]
    kind = f"{TYPE}extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
    return [{"name": "internal", "typed_config": {"@type": kind, "mutations": removed}}]


def grpc_model() -> Record:
    """The filter that copies model and version of a gRPC message into headers, as routes cannot read messages."""
    code = _READ.replace("SERVICE_LENGTH", str(len(SERVICE))).replace("SERVICE", SERVICE)
    code = code.replace('"MODEL"', f'"{MODEL_HEADER}"').replace('"VERSION"', f'"{VERSION_HEADER}"')
    kind = f"{TYPE}extensions.filters.http.lua.v3.Lua"
    return {"name": "model", "typed_config": {"@type": kind, "default_source_code": {"inline_string": code}}}
