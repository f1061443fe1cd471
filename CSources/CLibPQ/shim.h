/* SPDX-License-Identifier: Apache-2.0 */

/* libpq, which is PostgreSQL's client library, cancelling statements, and waiting for sockets. */
#ifndef CLIBPQ_SHIM_H
#define CLIBPQ_SHIM_H

/* Debian keeps the headers of libpq in a folder that the compiler does not search by itself. */
#if __has_include(<postgresql/libpq-fe.h>)
#include <postgresql/libpq-fe.h>
#elif __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#else
#error "libpq is missing. Debian and Ubuntu: apt-get install libpq-dev. macOS: brew install libpq."
#endif

#ifndef LIBPQ_HAS_PIPELINING
#error "libpq is too old: BurstPoolPostgres needs the libpq of PostgreSQL 14 or later."
#endif

#include "cancel.h"
#include "poller.h"

/* The fields of an error report. In postgres_ext.h they are macros of characters, which Swift does not import. */
enum {
    CLIBPQ_SEVERITY = 'V',
    CLIBPQ_SQLSTATE = 'C',
    CLIBPQ_MESSAGE = 'M',
    CLIBPQ_DETAIL = 'D',
    CLIBPQ_HINT = 'H',
    CLIBPQ_POSITION = 'P',
    CLIBPQ_SCHEMA = 's',
    CLIBPQ_TABLE = 't',
    CLIBPQ_COLUMN = 'c',
    CLIBPQ_CONSTRAINT = 'n',
    CLIBPQ_FUNCTION = 'R'
};

#endif
