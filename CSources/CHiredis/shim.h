/* hiredis, of which BurstPoolRedis uses the reply reader and the command formatter, not the sockets. */
#ifndef CHIREDIS_SHIM_H
#define CHIREDIS_SHIM_H

#if !__has_include(<hiredis/hiredis.h>)
#error "hiredis is missing. Debian and Ubuntu: apt-get install libhiredis-dev. macOS: brew install hiredis."
#else
#include <hiredis/hiredis.h>
#endif

#endif
