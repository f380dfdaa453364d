/* A payload in C: says hello, keeps a time, reads its own mailbox.
 *
 * In its package it has the console as its first capability and a timer as its
 * second. The exit code is 0 if every answer is what docs/SYSCALLS.md says. */
#include "heliograph.h"

enum { CONSOLE = 0, TIMER = 1 };

static const char HELLO[] = "hello from C\n";

HELIO_EXPORT(_start)
int32_t _start(void)
{
    struct {
        struct helio_message head;
        uint8_t body[8];
    } got;
    int64_t before = helio_timer_wait(TIMER, HELIO_TIMER_WAIT_ABSOLUTE, 0);
    int64_t after = helio_timer_wait(TIMER, HELIO_TIMER_WAIT_RELATIVE, 5000000);
    if (before < 0 || after < before + 5000000)
        return 1;
    if (helio_queue_send(HELIO_MAILBOX, 7, HELIO_PRIORITY(HELIO_QUEUE_SEND_PLAIN, 3), HELLO, 5) != 0)
        return 2;
    if (helio_queue_recv(HELIO_MAILBOX, 0, &got, sizeof got) != 24 + 5)
        return 3;
    if (got.head.kind != 7 || got.head.length != 5 || got.head.priority != 3 || got.body[4] != 'o')
        return 4;
    if (helio_queue_recv(HELIO_MAILBOX, 0, &got, sizeof got) != -HELIO_TIMED_OUT)
        return 5;
    if (helio_queue_send(TIMER, 0, 0, HELLO, 5) != -HELIO_WRONG_KIND)
        return 6;
    return helio_queue_send(CONSOLE, 0, 0, HELLO, sizeof HELLO - 1) == 0 ? 0 : 7;
}
