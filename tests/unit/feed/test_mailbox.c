/* The queue in front of an output that does not come along. */
#include "feed_sample.h"

#include <stdatomic.h>

#include "feed/mailbox.h"

enum { QUEUE_SIZE = 4096, RECORD_SIZE = 200 };

struct slow {
    atomic_bool may_go;
    _Atomic unsigned taken;
};

static void take(void *context, uint32_t kind, const void *record, size_t size)
{
    struct slow *slow = context;
    assert_int_equal(kind, 3);
    assert_true(size >= RECORD_SIZE);
    assert_int_equal(*(const uint8_t *)record, 7);
    while (!atomic_load(&slow->may_go))
        usleep(1000);
    atomic_fetch_add(&slow->taken, 1);
}

static struct mailbox *open_mailbox(struct slow *slow)
{
    struct mailbox *mailbox;
    struct fault fault;
    struct mailbox_reader reader = {
        .name = "test", .size = QUEUE_SIZE, .context = slow, .take = take};
    assert_true(mailbox_open(&mailbox, &reader, &fault));
    assert_true(mailbox_start(mailbox, &fault));
    return mailbox;
}

static void what_has_no_room_is_counted_and_the_rest_arrives(void **state)
{
    struct slow slow = {0};
    struct feed_origin origin = sample_origin();
    struct mailbox *mailbox = open_mailbox(&slow);
    uint8_t record[RECORD_SIZE] = {7};
    unsigned put = 0, lost = 0;
    (void)state;
    for (int i = 0; i < 100; i++) /* more than there is room for, and nobody waits */
        mailbox_put(mailbox, 3, record, sizeof record) ? put++ : lost++;
    assert_true(lost > 0);
    mailbox_tell(mailbox, &origin);
    char expected[64];
    snprintf(expected, sizeof expected, "test: %u records lost so far", lost);
    assert_string_equal(sample_said, expected);
    atomic_store(&slow.may_go, true);
    mailbox_close(mailbox, &origin);
    assert_int_equal(slow.taken, put);
}

static void trouble_is_told_once_and_so_is_its_end(void **state)
{
    struct slow slow = {.may_go = true};
    struct feed_origin origin = sample_origin();
    struct mailbox *mailbox = open_mailbox(&slow);
    (void)state;
    mailbox_trouble(mailbox, "the disk is full");
    mailbox_tell(mailbox, &origin);
    assert_string_equal(sample_said, "test: the disk is full");
    sample_said[0] = '\0';
    mailbox_trouble(mailbox, "the disk is full");
    mailbox_tell(mailbox, &origin);
    assert_string_equal(sample_said, "");
    mailbox_trouble(mailbox, NULL);
    mailbox_tell(mailbox, &origin);
    assert_string_equal(sample_said, "test: works again");
    mailbox_trouble(mailbox, "a short one");
    mailbox_trouble(mailbox, NULL);
    mailbox_tell(mailbox, &origin);
    assert_string_equal(sample_said, "test: a short one; works again");
    mailbox_close(mailbox, &origin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_no_room_is_counted_and_the_rest_arrives),
        cmocka_unit_test(trouble_is_told_once_and_so_is_its_end),
    };
    return cmocka_run_group_tests_name("feed/mailbox", tests, NULL, NULL);
}
