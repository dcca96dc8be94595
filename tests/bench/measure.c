/* Clocks, medians and child processes for the benchmarks. Judges no number: see docs/performance.md
 * for what they mean. */
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double measure_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

/* execv takes pointers to char for history's sake and writes nothing through them. */
static void become(const char *const *words)
{
    union {
        const char *const *given;
        char *const *taken;
    } list = {.given = words};
    int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere >= 0)
        dup2(nowhere, STDOUT_FILENO);
    execv(words[0], list.taken);
    perror(words[0]);
    _exit(127);
}

bool measure_program(const char *const *words, struct measured *measured)
{
    int status;
    struct rusage usage;
    double begun_s = measure_now_s();
    pid_t child = fork();
    if (child == 0)
        become(words);
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        perror("fork");
        return false;
    }
    measured->wall_s = measure_now_s() - begun_s;
    measured->cpu_s = seconds(&usage.ru_utime) + seconds(&usage.ru_stime);
    measured->peak_mib = (double)usage.ru_maxrss / 1024;
    if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
        return true;
    fprintf(stderr, "%s: ended with status %d\n", words[0], status);
    return false;
}

static int in_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double measure_median(double *values, size_t count)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, in_order);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

bool measure_count(const char *text, size_t most, size_t *count)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno || end == text || *end || value < 1 || value > most)
        return false;
    *count = value;
    return true;
}
