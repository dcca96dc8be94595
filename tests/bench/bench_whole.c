/* bench_whole [--runs N] [--apnscope PROGRAM] [--without-ndpi] CAPTURE…: the program against the
 * floor.
 *
 * Runs `apnscope analyze` (reading to committed database and printed summary) and the bare libpcap
 * loop over the same capture in turn, and prints a row of a Markdown table: medians, their ratio,
 * the range of the ratios of neighbouring runs, the ratio of processor times (of all threads; less
 * disturbed by a busy machine), and the program's peak memory. Ratios can be compared between
 * machines and days; seconds cannot. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "measure.h"

enum { PATH_SIZE = 1024 };

struct plan {
    const char *apnscope;
    bool without_ndpi;
    size_t runs;
    char folder[PATH_SIZE];
    char database[PATH_SIZE + 16];
};

struct results {
    double loop_s[RUNS_MAX];
    double program_s[RUNS_MAX];
    double ratio[RUNS_MAX];
    double cpu_ratio[RUNS_MAX];
    double peak_mib;
};

static const char usage[] =
    "usage: bench_whole [--runs N] [--apnscope PROGRAM] [--without-ndpi] CAPTURE...\n";

static void remove_database(const struct plan *plan)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[PATH_SIZE + 32];
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(path, sizeof path, "%s%s", plan->database, ends[i]);
        unlink(path);
    }
}

static bool run_loop(const char *capture, struct measured *measured)
{
    const char *const words[] = {BENCH_LIBPCAP_LOOP, capture, NULL};
    return measure_program(words, measured);
}

/* A new database each time: a run that replaces an older one would pay for that too. */
static bool run_apnscope(const struct plan *plan, const char *capture, struct measured *measured)
{
    const char *const words[] = {plan->apnscope,
                                 "analyze",
                                 "--db",
                                 plan->database,
                                 capture,
                                 plan->without_ndpi ? "--without-ndpi" : NULL,
                                 NULL};
    bool good = measure_program(words, measured);
    remove_database(plan);
    return good;
}

/* The first pair is not counted: it brings the file into the page cache. */
static bool measure_capture(const struct plan *plan, const char *capture, struct results *results)
{
    struct measured loop, program;
    if (!run_loop(capture, &loop) || !run_apnscope(plan, capture, &program))
        return false;
    for (size_t i = 0; i < plan->runs; i++) {
        if (!run_loop(capture, &loop) || !run_apnscope(plan, capture, &program))
            return false;
        results->loop_s[i] = loop.wall_s;
        results->program_s[i] = program.wall_s;
        results->ratio[i] = program.wall_s / loop.wall_s;
        results->cpu_ratio[i] = program.cpu_s / loop.cpu_s;
        if (program.peak_mib > results->peak_mib)
            results->peak_mib = program.peak_mib;
    }
    return true;
}

static void print_row(const struct plan *plan, const char *capture, struct results *results)
{
    struct stat status;
    const char *slash = strrchr(capture, '/');
    double size_mb = stat(capture, &status) == 0 ? (double)status.st_size / 1e6 : 0;
    double loop_s = measure_median(results->loop_s, plan->runs);
    double program_s = measure_median(results->program_s, plan->runs);
    double cpu_ratio = measure_median(results->cpu_ratio, plan->runs);
    (void)measure_median(results->ratio, plan->runs); /* sorts: first and last are the range */
    printf("| %s | %.0f MB | %.3f s | %.3f s | **%.2f** | %.2f to %.2f | %.2f | %.0f MiB |\n",
           slash ? slash + 1 : capture, size_mb, loop_s, program_s, program_s / loop_s,
           results->ratio[0], results->ratio[plan->runs - 1], cpu_ratio, results->peak_mib);
    fflush(stdout);
}

static bool take_options(int argc, char **argv, struct plan *plan)
{
    static const struct option long_options[] = {{"runs", required_argument, NULL, 'r'},
                                                 {"apnscope", required_argument, NULL, 'a'},
                                                 {"without-ndpi", no_argument, NULL, 'n'},
                                                 {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 'a')
            plan->apnscope = optarg;
        else if (option == 'n')
            plan->without_ndpi = true;
        else if (option != 'r' || !measure_count(optarg, RUNS_MAX, &plan->runs))
            return false;
    }
    return optind < argc;
}

int main(int argc, char **argv)
{
    const char *temporary = getenv("TMPDIR");
    struct plan plan = {.apnscope = BENCH_APNSCOPE, .runs = 5};
    bool good = true;
    if (!take_options(argc, argv, &plan)) {
        fputs(usage, stderr);
        return 2;
    }
    snprintf(plan.folder, sizeof plan.folder, "%s/apnscope-bench-XXXXXX",
             temporary ? temporary : "/tmp");
    if (!mkdtemp(plan.folder)) {
        perror(plan.folder);
        return 3;
    }
    snprintf(plan.database, sizeof plan.database, "%s/bench.db", plan.folder);
    puts("| capture | size | libpcap loop | apnscope | ratio | range | of CPU time | memory |\n"
         "|---|---|---|---|---|---|---|---|");
    for (int i = optind; i < argc; i++) {
        struct results results = {.peak_mib = 0};
        bool measured = measure_capture(&plan, argv[i], &results);
        if (measured)
            print_row(&plan, argv[i], &results);
        good = good && measured;
    }
    rmdir(plan.folder);
    return good ? 0 : 3;
}
