/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The parts of Concurrency Kit (CK) that BurstPool uses. All of them are inline functions in CK's headers, so nothing
 * has to be linked: a program that uses BurstPool needs these headers when it is compiled, and nothing of CK when it
 * runs.
 */
#ifndef CCONCURRENCYKIT_SHIM_H
#define CCONCURRENCYKIT_SHIM_H

#if !__has_include(<ck_stack.h>) || !__has_include(<ck_pr.h>)
#error "Concurrency Kit is missing. Debian and Ubuntu: apt-get install libck-dev. macOS: brew install concurrencykit."
#else

#include <ck_pr.h>
#include <ck_stack.h>

#ifndef CK_F_STACK_POP_MPMC
#error "This CPU has no double-width compare-and-swap in Concurrency Kit (CK_F_STACK_POP_MPMC); BurstPool needs one. \
Supported: x86-64, aarch64. Not supported: 32-bit systems, and Concurrency Kit with CK_USE_CC_BUILTINS."
#endif

#endif
#endif
