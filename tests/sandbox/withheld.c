/* See withheld.h. Does it by a seccomp filter of its own; filters add up. */
#include "withheld.h"

#include <assert.h>
#include <errno.h>
#include <linux/prctl.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

static void answer(const int *calls, int count, int error, const struct scmp_arg_cmp *only)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    assert(filter);
    for (int i = 0; i < count; i++) {
        bool has_condition = only && calls[i] == SCMP_SYS(prctl);
        int result = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((uint32_t)error), calls[i],
                                            has_condition ? 1 : 0, only);
        assert(result == 0);
    }
    int loaded = seccomp_load(filter);
    assert(loaded == 0);
    seccomp_release(filter);
}

void withhold_landlock(void)
{
    static const int calls[] = {444, 445, 446}; /* landlock_*, on every processor */
    answer(calls, 3, ENOSYS, NULL);
}

void withhold_seccomp(void)
{
    static const struct scmp_arg_cmp set_filter = {0, SCMP_CMP_EQ, PR_SET_SECCOMP, 0};
    const int calls[] = {SCMP_SYS(seccomp), SCMP_SYS(prctl)};
    answer(calls, 2, EINVAL, &set_filter);
}
