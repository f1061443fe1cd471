/* SPDX-License-Identifier: Apache-2.0 */

/* What the examples talk to: a server on the loopback interface that returns each byte, and hangs up on 'x'. */
#ifndef ECHO_SERVER_H
#define ECHO_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)

/* Ends the program with a message if the condition is false. */
static inline void check(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "failed: %s\n", what);
        exit(1);
    }
}

static void *echo_to_client(void *argument) {
    int fd = (int)(intptr_t)argument;
    char byte;
    while (read(fd, &byte, 1) == 1 && byte != 'x' && write(fd, &byte, 1) == 1) {
    }
    close(fd);
    return NULL;
}

static void *accept_clients(void *argument) {
    int listener = (int)(intptr_t)argument, fd;
    pthread_t thread;
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        check(pthread_create(&thread, NULL, echo_to_client, (void *)(intptr_t)fd) == 0, "a thread for a client");
        pthread_detach(thread);
    }
    return NULL;
}

/* Starts the server, which runs as long as the program, and returns its address. */
static inline struct sockaddr_in start_echo_server(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    pthread_t thread;
    check(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 64) == 0 &&
              getsockname(listener, (struct sockaddr *)&address, &size) == 0 &&
              pthread_create(&thread, NULL, accept_clients, (void *)(intptr_t)listener) == 0,
          "the server starts");
    pthread_detach(thread);
    return address;
}

/* Returns an address of this machine at which nobody listens. */
static inline struct sockaddr_in address_that_refuses(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    check(bind(fd, (struct sockaddr *)&address, size) == 0 && getsockname(fd, (struct sockaddr *)&address, &size) == 0,
          "an address");
    return address; /* The socket stays bound, so that no other program gets the port. */
}

#endif
