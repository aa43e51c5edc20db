// SPDX-License-Identifier: MIT
#pragma once

/// Everything a native application needs.
#include <unicoro/application.hpp>
#include <unicoro/awaitable.hpp>
#include <unicoro/request.hpp>
#include <unicoro/response.hpp>
#include <unicoro/result.hpp>
#include <unicoro/sleep.hpp>
#include <unicoro/stage.hpp>
#include <unicoro/websocket.hpp>
