-- SPDX-License-Identifier: MIT
-- One request per connection; counts the answers of each worker, whose pid is the body.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init()
  wrk.headers["Connection"] = "close"
  pids = {}
  counts = {}
  last = 0
end

function response(status, headers, body)
  for index = 1, last do
    if pids[index] == body then
      counts[index] = counts[index] + 1
      return
    end
  end
  last = last + 1
  pids[last] = body
  counts[last] = 1
end

function done(summary, latency)
  for _, thread in ipairs(threads) do
    local pids, counts = thread:get("pids"), thread:get("counts")
    for index, pid in ipairs(pids) do
      print(string.format("worker %s %d", pid, counts[index]))
    end
  end
  print(string.format("latency %d %d %d", latency:percentile(50), latency:percentile(99), latency.max))
end
