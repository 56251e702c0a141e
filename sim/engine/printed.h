// Every file is compiled as if it began with this one.
#pragma once

/// Takes what the design prints, such as the words of a failed assertion; `cortado_printed` hands it over.
extern "C" int cortado_print(const char* format, ...) __attribute__((format(printf, 1, 2)));

#define VL_PRINTF cortado_print
