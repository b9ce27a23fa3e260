// What the parts of the extension module share.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "rechunk/rechunk.h"

namespace rechunk::python {

namespace nb = nanobind;

/// A `Speller`: keywords of `rechunk()`, by rechunk.spelling. Needs the GIL.
std::string in_keywords(const Mention& mention);
/// rechunk.errors of the Python side, raised for rechunk::Error.
void register_errors(nb::module_& module);
/// keep_heap: the C library's heap while tasks run.
void register_heap(nb::module_& module);
/// Job: plans and runs.
void register_job(nb::module_& module);
/// Run: the tasks of a run. Needs Job.
void register_run(nb::module_& module);

/// A store of Python (python/rechunk/stores.py); None is null.
std::shared_ptr<Store> make_python_store(nb::object store);
/// A store in memory that holds these documents: a dict of str.
std::shared_ptr<Store> make_documents_store(nb::dict documents);
/// An object with `read(start, stop, buffer)`.
std::shared_ptr<const ArraySource> make_python_array_source(nb::object source);

}  // namespace rechunk::python
