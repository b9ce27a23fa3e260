#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <string>

#include "bindings.h"
#include "rechunk/error.h"

namespace rechunk::python {
namespace {

const char* name_of(Mention::Kind kind) {
  switch (kind) {
    case Mention::Kind::kOption:
      return "option";
    case Mention::Kind::kAction:
      return "action";
    case Mention::Kind::kForms:
      return "forms";
  }
  return "option";
}

// Raises the class of rechunk.errors for the error's kind.
void raise(const Error& error) {
  const std::string kind(to_string(error.kind()));
  try {
    const Error shown = error.spelled(in_keywords);
    nb::object made = nb::module_::import_("rechunk.errors")
                          .attr("from_native")(kind, shown.what(), shown.hint(),
                                               shown.retryable());
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(made.ptr())),
                    made.ptr());
  } catch (nb::python_error& failure) {
    failure.restore();
  }
}

}  // namespace

std::string in_keywords(const Mention& mention) {
  return nb::cast<std::string>(
      nb::module_::import_("rechunk.spelling")
          .attr("spell")(name_of(mention.kind), mention.name, mention.value));
}

void register_errors(nb::module_& module) {
  module.def(
      "spelled",
      [](const std::string& text) { return spelled(text, in_keywords); },
      nb::arg("text"), "The text, with options as keywords of `rechunk()`.");
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
