/* SPDX-License-Identifier: Apache-2.0 */

/* One epoll loop: 100 jobs at the same time send 2,000 letters over at most four connections, some of which die. */
#include "epoll_driver.h"

#define JOBS 100
#define LETTERS 2000

static loop the_loop;
static int sent, answered, died, failed;
static int error;

static void send_next(job *it) {
    if (sent < LETTERS) {
        it->letter = ++sent % 50 == 0 ? 'x' : (char)('a' + sent % 20);
        send_letter(it, 10 * SECOND);
    }
}

static void on_answer(job *it, bp_status status, char answer) {
    check(status == BP_OK, bp_status_message(status));
    check(answer == it->letter || (answer == 0 && it->letter == 'x'), "the server's answer");
    *(answer != 0 ? &answered : &died) += 1;
    send_next(it);
}

static void on_failure(job *it, bp_status status, char answer) {
    (void)answer;
    check(status == BP_CONNECT_FAILED, bp_status_message(status));
    error = it->request.error;
    failed++;
}

int main(void) {
    static job jobs[JOBS];
    bp_pool_configuration configuration = {.max_size = 2, .hard_limit = 4, .element_size = sizeof(connection)};
    bp_pool *pool;
    check(bp_pool_create(&configuration, &pool) == BP_OK, "a pool");
    loop_create(&the_loop, pool, address_that_refuses());

    jobs[0] = (job){.loop = &the_loop, .letter = 'a', .answered = on_failure};
    send_letter(&jobs[0], SECOND);
    while (failed == 0) {
        loop_turn(&the_loop);
    }
    check(error == ECONNREFUSED, "the reason of a failed connect");

    the_loop.server = start_echo_server();
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (job){.loop = &the_loop, .answered = on_answer};
        send_next(&jobs[i]);
    }
    while (answered + died < LETTERS) {
        loop_turn(&the_loop);
    }
    loop_end(&the_loop);
    check(bp_pool_destroy(pool) == BP_OK, "a pool that nobody uses");
    printf("%d answers, %d connections died\n", answered, died);
    return 0;
}
