/* Preloaded into a live run: its wall clock differs from the machine's by what a file says.
 *
 * SET_CLOCK names a file of eight bytes, nanoseconds, that is mapped before the sandbox closes.
 * Setting the machine's clock would set it for every other test. What the kernel stamps is not
 * moved, so packets then seem to come from another time. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset_ns;

__attribute__((constructor)) static void map_offset(void)
{
    const char *path = getenv("SET_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *map =
        file < 0 ? MAP_FAILED : mmap(NULL, sizeof *offset_ns, PROT_READ, MAP_SHARED, file, 0);
    offset_ns = map == MAP_FAILED ? NULL : (const volatile int64_t *)map;
    if (file >= 0)
        close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const int64_t second_ns = 1000000000;
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && clock == CLOCK_REALTIME && offset_ns) {
        int64_t time_ns = now->tv_sec * second_ns + now->tv_nsec + *offset_ns;
        now->tv_sec = time_ns / second_ns;
        now->tv_nsec = time_ns % second_ns;
    }
    return result;
}
