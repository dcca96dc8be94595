/* `apnscope merge`: runs of several databases, sites and sensors in one. */
#include <stdio.h>

#include "base/count.h"
#include "command.h"
#include "store/store.h"

int command_merge(const struct settings *settings)
{
    struct fault fault = {{0}};
    struct store_merged merged;
    if (!settings->output_path || !settings->argument_count)
        return command_misused("merge needs a database to write and databases to read: apnscope "
                               "merge -o all.db berlin.db hamburg.db");
    if (!store_merge(settings->output_path, (const char *const *)settings->arguments,
                     settings->argument_count, &merged, &fault))
        return command_failed(EXIT_ENVIRONMENT, &fault);
    fprintf(stderr, "apnscope: %s copied into %s", COUNTED(merged.runs, "run was|runs were"),
            settings->output_path);
    if (merged.already_there)
        fprintf(stderr, ", %s there already", COUNTED(merged.already_there, "was|were"));
    if (merged.still_running)
        fprintf(stderr, ", %s left out, still running", COUNTED(merged.still_running, "run"));
    fprintf(stderr, "; `apnscope report --db %s --all-runs` tells of all of them.\n",
            settings->output_path);
    return EXIT_NO_FAULT;
}
