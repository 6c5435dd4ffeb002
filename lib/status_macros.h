#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

// Leaves the function with the error, if there is one.
#define THIMBLE_RETURN_IF_ERROR(expression)                       \
  do {                                                            \
    if (absl::Status status_ = (expression); !status_.ok()) {     \
      return status_;                                             \
    }                                                             \
  } while (false)

// THIMBLE_ASSIGN_OR_RETURN(const View view, View::Open(run));
#define THIMBLE_ASSIGN_OR_RETURN(variable, expression) \
  THIMBLE_ASSIGN_OR_RETURN_(THIMBLE_CONCAT_(status_or_, __LINE__), variable, expression)
#define THIMBLE_ASSIGN_OR_RETURN_(temporary, variable, expression) \
  auto temporary = (expression);                                   \
  if (!temporary.ok()) return std::move(temporary).status();       \
  variable = *std::move(temporary)
#define THIMBLE_CONCAT_(a, b) THIMBLE_CONCAT_AGAIN_(a, b)
#define THIMBLE_CONCAT_AGAIN_(a, b) a##b
