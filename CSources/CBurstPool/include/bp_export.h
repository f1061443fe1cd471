/* SPDX-License-Identifier: Apache-2.0 */

/* The macros with which the headers declare the exported functions. Programs must not use them. */
#ifndef BP_EXPORT_H
#define BP_EXPORT_H

/*
 * The functions between these two macros are exported from the shared library, which is compiled with hidden
 * visibility. In C++ they have C linkage.
 */
#ifdef __cplusplus
#define BP_BEGIN_DECLARATIONS _Pragma("GCC visibility push(default)") extern "C" {
#define BP_END_DECLARATIONS                                                                                            \
    }                                                                                                                  \
    _Pragma("GCC visibility pop")
#else
#define BP_BEGIN_DECLARATIONS _Pragma("GCC visibility push(default)")
#define BP_END_DECLARATIONS _Pragma("GCC visibility pop")
#endif

#endif
