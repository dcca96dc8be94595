/* make_pcap SCENARIO OUTPUT: the capture that a scenario describes, for Wireshark or by hand.
 *
 * make_pcap --doubled --snaplen N --truncated-at N are the distortions that the tests use. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "scenario.h"
#include "words.h"

static const char usage[] =
    "usage: make_pcap [--doubled] [--snaplen BYTES] [--truncated-at BYTES] SCENARIO OUTPUT\n";

static bool take_options(int argc, char **argv, struct scenario_write_options *options)
{
    static const struct option long_options[] = {{"doubled", no_argument, NULL, 'd'},
                                                 {"snaplen", required_argument, NULL, 's'},
                                                 {"truncated-at", required_argument, NULL, 't'},
                                                 {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        int64_t number = 0;
        if (option == '?' || (optarg && (!words_integer(optarg, &number) || number < 1)))
            return false;
        if (option == 'd')
            options->doubled = true;
        else if (option == 's')
            options->snap_size = (uint32_t)number;
        else
            options->truncated_at = (uint64_t)number;
    }
    return argc - optind == 2;
}

int main(int argc, char **argv)
{
    struct scenario_write_options options = {0};
    struct scenario *scenario = NULL;
    struct fault fault = {""};
    if (!take_options(argc, argv, &options)) {
        fputs(usage, stderr);
        return 2;
    }
    bool good = scenario_read(argv[optind], &scenario, &fault) &&
                scenario_write_pcap(scenario, argv[optind + 1], &options, &fault);
    if (!good)
        fprintf(stderr, "make_pcap: %s\n", fault.sentence);
    scenario_free(scenario);
    return good ? 0 : 3;
}
