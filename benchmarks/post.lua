-- For wrk: POSTs calls, a new number each time; its last line is JSON.
-- Argument: the number of the first call.

local priorities = { "normal", "high", "normal", "low" }
local headers = { ["Content-Type"] = "application/json" }
local number = 0

function init(args)
  number = tonumber(args[1])
end

function request()
  number = number + 1
  local body = '{"to":"+12' .. string.format("%09d", number)
    .. '","message":"Hello from VoMindAI","lead_id":"' .. number
    .. '","metadata":{"campaign":"Q4 Outreach"},"priority":"'
    .. priorities[number % #priorities + 1] .. '"}'
  return wrk.format("POST", nil, headers, body)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"rate":%.1f,"p50_ms":%.3f,"p99_ms":%.3f,"requests":%d,"errors":%d}\n',
    summary.requests * 1e6 / summary.duration,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, summary.requests,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
