#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <string>

#include "bindings.h"
#include "rechunk/error.h"

namespace rechunk::python {
namespace {

// Raises the class of rechunk.errors for the error's kind.
void raise(const Error& error) {
  const std::string kind(to_string(error.kind()));
  try {
    nb::object made = nb::module_::import_("rechunk.errors")
                          .attr("from_native")(kind, error.what(), error.hint(),
                                               error.retryable());
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(made.ptr())),
                    made.ptr());
  } catch (nb::python_error& failure) {
    failure.restore();
  }
}

}  // namespace

void register_errors(nb::module_&) {
  nb::register_exception_translator(
      [](const std::exception_ptr& thrown, void*) {
        try {
          std::rethrow_exception(thrown);
        } catch (const Error& error) {
          raise(error);
        }
      });
}

}  // namespace rechunk::python
