// rechunk._core: the native part of the Python package.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "base/byte_size.h"
#include "bindings.h"

NB_MODULE(_core, module) {
  // These are no leaks. Jobs stay open for the next task until the interpreter
  // ends, and engines keep modules even longer.
  nanobind::set_leak_warnings(false);
  module.doc() = "The native part of rechunk; use the package `rechunk`.";
  rechunk::python::register_errors(module);
  rechunk::python::register_heap(module);
  rechunk::python::register_job(module);
  rechunk::python::register_run(module);
  module.def(
      "parse_byte_size",
      [](const std::string& text) { return rechunk::parse_byte_size(text); },
      nanobind::arg("text"), "Bytes of \"2GiB\", \"500 MB\", \"1e6\".");
}
