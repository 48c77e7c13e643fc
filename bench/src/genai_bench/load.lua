-- What wrk sends. Arguments: method, bearer token or "-", first number, then bodies in which NUMBER is replaced.
-- Each request gets a number of its own, so that no two questions are equal unless the bodies say so.
local method, headers, number, bodies = "GET", {}, 0, {}

function init(arguments)
  method = arguments[1]
  if arguments[2] ~= "-" then headers["Authorization"] = "Bearer " .. arguments[2] end
  number = tonumber(arguments[3])
  for index = 4, #arguments do bodies[#bodies + 1] = arguments[index] end
  if #bodies > 0 then headers["Content-Type"] = "application/json" end
end

function request()
  number = number + 1
  local body = nil
  if #bodies > 0 then body = bodies[number % #bodies + 1]:gsub("NUMBER", tostring(number)) end
  return wrk.format(method, nil, headers, body)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "failed": %d, "p50": %.1f, "p99": %.1f}\n', summary.requests,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
