/* SPDX-License-Identifier: Apache-2.0 */

/* One libuv loop: 50 jobs at the same time send 2,000 letters over at most four connections, some of which die. */
#include <CBurstPool.h>

#include "echo_server.h"

#include <uv.h>

#define JOBS 50
#define LETTERS 2000

static bp_pool *pool;
static bp_driver *driver;
static struct sockaddr_in server;
static uv_async_t wakeup;
static uv_timer_t timer;

/* A connection. The element of its slot is its address, because libuv wants a handle until it has been closed. */
typedef struct {
    uv_tcp_t tcp;
    uv_connect_t connecting;
    bp_lease lease;
    int error; /* With which it did not open. */
    struct job *job;
} connection;

/* The four functions of the driver. */

static void on_closed(uv_handle_t *handle) {
    connection *it = handle->data;
    if (it->error == 0) {
        bp_driver_finish_close(driver, it->lease);
    } else {
        bp_driver_finish_open(driver, it->lease, it->error);
    }
    free(it);
}

static void on_connected(uv_connect_t *request, int status) {
    connection *it = request->data;
    if (status == 0) {
        bp_driver_finish_open(driver, it->lease, 0);
    } else {
        it->error = -status; /* On Unix, libuv's errors are negated values of errno. */
        uv_close((uv_handle_t *)&it->tcp, on_closed);
    }
}

static void on_open(bp_driver *of, bp_lease permit, void *element) {
    connection *it = calloc(1, sizeof *it);
    (void)of;
    check(it != NULL, "memory for a connection");
    *(connection **)element = it;
    it->lease = permit;
    it->tcp.data = it->connecting.data = it;
    uv_tcp_init(wakeup.loop, &it->tcp);
    check(uv_tcp_connect(&it->connecting, &it->tcp, (struct sockaddr *)&server, on_connected) == 0, "a connect begins");
}

static void on_close(bp_driver *of, bp_lease lease, void *element) {
    connection *it = *(connection **)element;
    (void)of;
    it->lease = lease;
    uv_close((uv_handle_t *)&it->tcp, on_closed);
}

static void on_post(bp_driver *of) {
    (void)of;
    uv_async_send(&wakeup);
}

static void on_timer(uv_timer_t *of) {
    (void)of;
    bp_driver_run(driver);
}

static void on_arm(bp_driver *of, uint64_t nanoseconds) {
    (void)of;
    if (nanoseconds == BP_NO_DEADLINE) {
        uv_timer_stop(&timer);
    } else {
        uv_timer_start(&timer, on_timer, nanoseconds / 1000000 + 1, 0);
    }
}

static void on_wakeup(uv_async_t *of) {
    (void)of;
    bp_driver_run(driver);
}

static void on_ended(void *data) {
    (void)data;
    uv_close((uv_handle_t *)&wakeup, NULL);
    uv_close((uv_handle_t *)&timer, NULL);
    check(bp_pool_destroy(pool) == BP_OK, "a pool that nobody uses");
}

/* What the program does with its connections. */

typedef struct job {
    bp_request request;
    uv_write_t writing;
    char letter;
} job;

static int sent, answered, died, refused;
static job jobs[JOBS];

static void on_acquired(bp_request *request);

static void send_next(job *it) {
    if (sent < LETTERS) {
        it->letter = ++sent % 50 == 0 ? 'x' : (char)('a' + sent % 20);
        bp_request_init(&it->request, on_acquired, it);
        check(bp_request_submit(&it->request, driver, 10 * SECOND) == BP_OK, "a request");
    } else if (answered + died == LETTERS) {
        check(bp_driver_shutdown(driver, on_ended) == BP_OK, "the end begins");
    }
}

static void on_buffer(uv_handle_t *handle, size_t size, uv_buf_t *buffer) {
    static char bytes[16];
    (void)handle, (void)size;
    *buffer = uv_buf_init(bytes, sizeof bytes);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer) {
    connection *it = stream->data;
    job *job = it->job;
    if (size == 0) {
        return;
    }
    uv_read_stop(stream);
    if (size < 0) {
        died++;
        bp_driver_discard(driver, it->lease);
    } else {
        check(size == 1 && buffer->base[0] == job->letter, "the server's answer");
        answered++;
        bp_driver_release(driver, it->lease);
    }
    send_next(job);
}

static void on_acquired(bp_request *request) {
    job *job = request->data;
    check(request->status == BP_OK, bp_status_message(request->status));
    connection *it = *(connection **)bp_element(pool, request->lease);
    it->lease = request->lease;
    it->job = job;
    uv_buf_t buffer = uv_buf_init(&job->letter, 1);
    uv_read_start((uv_stream_t *)&it->tcp, on_buffer, on_read);
    uv_write(&job->writing, (uv_stream_t *)&it->tcp, &buffer, 1, NULL);
}

static void on_refused(bp_request *request) {
    check(request->status == BP_CONNECT_FAILED && uv_translate_sys_error(request->error) == UV_ECONNREFUSED,
          "the reason of a failed connect");
    refused++;
    server = start_echo_server();
    for (int i = 0; i < JOBS; i++) {
        send_next(&jobs[i]);
    }
}

int main(void) {
    static const bp_driver_functions functions = {.open = on_open, .close = on_close, .post = on_post, .arm = on_arm};
    bp_pool_configuration configuration = {.max_size = 2, .hard_limit = 4, .element_size = sizeof(connection *)};
    uv_loop_t *loop = uv_default_loop();
    uv_async_init(loop, &wakeup, on_wakeup);
    uv_timer_init(loop, &timer);
    check(bp_pool_create(&configuration, &pool) == BP_OK, "a pool");
    check(bp_driver_create(pool, &functions, NULL, &driver) == BP_OK, "a driver");

    server = address_that_refuses();
    bp_request_init(&jobs[0].request, on_refused, NULL);
    check(bp_request_submit(&jobs[0].request, driver, SECOND) == BP_OK, "a request");
    uv_run(loop, UV_RUN_DEFAULT);
    check(uv_loop_close(loop) == 0, "nothing is left on the loop");
    printf("%d answers, %d connections died, %d was refused\n", answered, died, refused);
    return 0;
}
