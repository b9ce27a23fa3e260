// Progress of a run, for people who watch it.
#pragma once

#include <memory>
#include <string>

#include "rechunk/observer.h"

namespace rechunk::cli {

/// A bar with rate and remaining time on stderr. It is removed when the
/// observer is destroyed. Null if stderr is not a terminal that can move its
/// cursor.
std::unique_ptr<Observer> make_progress_bar();

/// One line of at most `columns` characters, such as
/// "[=====>    ]  52%  1.2 GiB/s  1 min 38 s left".
std::string progress_line(const Progress& progress, int columns);

}  // namespace rechunk::cli
