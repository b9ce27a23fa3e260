// Random numbers that distinguish runs which are otherwise equal.
#pragma once

#include <string>

namespace rechunk {

/// 16 hex digits that nobody foresees.
std::string random_number();

}  // namespace rechunk
