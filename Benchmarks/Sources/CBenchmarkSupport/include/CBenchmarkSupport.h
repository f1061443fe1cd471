/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CBENCHMARKSUPPORT_H
#define CBENCHMARKSUPPORT_H

#include "bare_stack.h"
#include "process_measures.h"
#include "core_pool.h"

#endif
