/* `apnscope show`: devices, flows, findings, runs, or one of them, on the terminal. */
#include <stdlib.h>
#include <string.h>

#include "command.h"

static const struct {
    const char *word;
    enum report_list list;
} lists[] = {
    {"devices", SHOW_DEVICES},
    {"flows", SHOW_FLOWS},
    {"findings", SHOW_FINDINGS},
    {"runs", SHOW_RUNS},
};

static const struct {
    const char *word;
    bool (*show)(const struct report_options *options, int64_t id, struct fault *fault);
} singles[] = {
    {"flow", report_flow},
    {"finding", report_finding},
};

static int show_one(const struct settings *settings, size_t index)
{
    struct fault fault = {{0}};
    struct report_options options = command_report_options(settings);
    char *end;
    int64_t id = strtoll(settings->arguments[1], &end, 10);
    if (*end || id <= 0)
        return command_misused("%s is not a number of a %s; see `apnscope show %ss`",
                               settings->arguments[1], singles[index].word, singles[index].word);
    if (!singles[index].show(&options, id, &fault))
        return command_failed(EXIT_ENVIRONMENT, &fault);
    return EXIT_NO_FAULT;
}

static int show_list(const struct settings *settings, enum report_list list)
{
    struct fault fault = {{0}};
    struct report_options options = command_report_options(settings);
    if (!report_list(&options, list, &fault))
        return command_failed(EXIT_ENVIRONMENT, &fault);
    return EXIT_NO_FAULT;
}

int command_show(const struct settings *settings)
{
    const char *word = settings->argument_count ? settings->arguments[0] : "";
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (strcmp(word, lists[i].word) == 0 && settings->argument_count == 1)
            return show_list(settings, lists[i].list);
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++)
        if (strcmp(word, singles[i].word) == 0 && settings->argument_count == 2)
            return show_one(settings, i);
    return command_misused("show needs one of: devices, flows, findings, runs, flow N, finding N");
}
