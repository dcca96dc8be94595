/* Clocks, medians and child processes for the benchmarks. */
#ifndef APNSCOPE_TESTS_BENCH_MEASURE_H
#define APNSCOPE_TESTS_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RUNS_MAX = 101 };

/* One measured run. */
struct measured {
    double wall_s;
    double cpu_s;        /* user and system, all threads */
    double peak_mib;     /* resident */
};

/* Runs a program with its output thrown away. False: it did not start or ended with a status that
 * is neither 0 nor 1 (a fault was found in the capture). */
bool measure_program(const char *const *words, struct measured *measured);

double measure_now_s(void); /* monotonic */

/* Of `count` values; sorts them. */
double measure_median(double *values, size_t count);

/* A count on a command line, from 1 to `most`. False where it is not one. */
bool measure_count(const char *text, size_t most, size_t *count);

#endif
