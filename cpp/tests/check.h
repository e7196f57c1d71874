// check.h: how the C++ tests and the fuzz targets say that something is not so: where, what, and the end of the process.
#pragma once

#include <cstdio>
#include <cstdlib>

#define CHECK(holds)                                                                 \
    do {                                                                             \
        if (!(holds)) {                                                              \
            std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #holds); \
            std::abort();                                                            \
        }                                                                            \
    } while (false)
