// Actions that wait for answers from another machine, all at a time.
#pragma once

#include <functional>
#include <vector>

namespace rechunk {

/// Runs actions that do not need each other, and returns when all have ended.
/// `waits`: they wait for a server, so each has a thread for that time. Else
/// they run here one after the other, and those behind one that throws do not
/// run. Any thread may call it. Throws: the error of the first action, in their
/// order, that has one.
void at_once(bool waits, const std::vector<std::function<void()>>& actions);

}  // namespace rechunk
