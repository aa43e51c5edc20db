-- SPDX-License-Identifier: MIT
-- A request with a body of 1 MB.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/octet-stream"
wrk.body = string.rep("x", 1000000)
