/* SPDX-License-Identifier: Apache-2.0 */

/* Where an installed header is. Included from the source tree, it is the same header. */
#include "../bp_pool.hpp"
