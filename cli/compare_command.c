/* `apnscope compare`: two capture points of one path. */
#include "command.h"

int command_compare(const struct settings *settings)
{
    struct fault fault = {{0}};
    bool found = false;
    if (settings->argument_count != 2)
        return command_misused("compare wants two databases, the one from inside first: apnscope "
                               "compare INSIDE.db OUTSIDE.db");
    struct compare_options options = {.inside = settings->arguments[0],
                                      .outside = settings->arguments[1],
                                      .width = command_report_options(settings).width,
                                      .json_path = settings->json_path};
    if (!report_compare(&options, &found, &fault))
        return command_failed(EXIT_ENVIRONMENT, &fault);
    return found ? EXIT_FAULT : EXIT_NO_FAULT;
}
