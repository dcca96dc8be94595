/* Telling a process that runs from one that is gone. */
#include "store_sample.h"

#include <sys/wait.h>

#include "store/process_mark.h"

static void this_process_is_alive(void **state)
{
    char mark[PROCESS_MARK_SIZE];
    (void)state;
    process_mark(mark);
    assert_true(process_mark_is_alive(mark));
}

static void a_process_that_ended_is_gone(void **state)
{
    char mark[PROCESS_MARK_SIZE] = "";
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        process_mark(mark);
        _exit(write(ends[1], mark, sizeof mark) == sizeof mark ? 0 : 1);
    }
    assert_int_equal(read(ends[0], mark, sizeof mark), sizeof mark);
    waitpid(child, NULL, 0);
    close(ends[0]);
    close(ends[1]);
    assert_false(process_mark_is_alive(mark));
}

static void a_later_process_of_the_same_number_is_another(void **state)
{
    char mark[PROCESS_MARK_SIZE];
    (void)state;
    process_mark(mark);
    *strrchr(mark, ' ') = '\0';
    strcat(mark, " 1");
    assert_false(process_mark_is_alive(mark));
}

static void another_boot_is_gone(void **state)
{
    char mark[PROCESS_MARK_SIZE];
    (void)state;
    process_mark(mark);
    mark[0] = mark[0] == 'f' ? 'e' : 'f';
    assert_false(process_mark_is_alive(mark));
}

static void a_process_of_another_namespace_counts_as_alive(void **state)
{
    char mark[PROCESS_MARK_SIZE];
    (void)state;
    process_mark(mark);
    char *space = strchr(mark, ' ') + 1;
    space[0] = 'x';
    assert_true(process_mark_is_alive(mark));
}

static void unreadable_marks_are_gone(void **state)
{
    (void)state;
    assert_false(process_mark_is_alive(NULL));
    assert_false(process_mark_is_alive(""));
    assert_false(process_mark_is_alive("a b c d"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_process_is_alive),
        cmocka_unit_test(a_process_that_ended_is_gone),
        cmocka_unit_test(a_later_process_of_the_same_number_is_another),
        cmocka_unit_test(another_boot_is_gone),
        cmocka_unit_test(a_process_of_another_namespace_counts_as_alive),
        cmocka_unit_test(unreadable_marks_are_gone),
    };
    return cmocka_run_group_tests_name("store/process_mark", tests, NULL, NULL);
}
