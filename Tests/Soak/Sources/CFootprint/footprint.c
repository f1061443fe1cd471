/* SPDX-License-Identifier: Apache-2.0 */

#include "footprint.h"

#include <dirent.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#ifdef __linux__
#include <malloc.h>
#endif

size_t footprint_heap_bytes(void) {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
#else
    return 0;
#endif
}

static bool has_name(const struct sockaddr_storage *address, socklen_t length) {
    switch (address->ss_family) {
    case AF_UNIX:
        return length > offsetof(struct sockaddr_un, sun_path);
    case AF_INET:
        return ((const struct sockaddr_in *)address)->sin_port != 0;
    default:
        return false;
    }
}

static bool has_option(int descriptor, int option, int value) {
    int actual;
    socklen_t length = sizeof(actual);
    return getsockopt(descriptor, SOL_SOCKET, option, &actual, &length) == 0 && actual == value;
}

static bool is_connection(int descriptor) {
    if (!has_option(descriptor, SO_TYPE, SOCK_STREAM) || !has_option(descriptor, SO_ACCEPTCONN, 0))
        return false;
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);
    if (getsockname(descriptor, (struct sockaddr *)&address, &length) == 0 && has_name(&address, length))
        return true;
    length = sizeof(address);
    return getpeername(descriptor, (struct sockaddr *)&address, &length) == 0 && has_name(&address, length);
}

int footprint_connections(void) {
    DIR *folder = opendir("/dev/fd");
    if (!folder)
        return -1;
    int count = 0;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        count += is_connection(atoi(entry->d_name));
    closedir(folder);
    return count;
}
