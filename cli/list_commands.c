/* `apnscope checks`, `apnscope interfaces`, `apnscope filter`: what the program knows, what it can
 * capture on, and what it takes of it. */
#include <stdio.h>

#include "capture/filter.h"
#include "capture/interfaces.h"
#include "command.h"

int command_checks(const struct settings *settings)
{
    struct report_catalogue catalogue = catalogue_of_rules();
    report_checks(&catalogue, settings->markdown, command_report_options(settings).width, stdout);
    return EXIT_NO_FAULT;
}

static void print_interface(void *context, const struct capture_interface *interface)
{
    (void)context;
    printf("%-16s %-12s %s\n", interface->name, interface->is_up ? "up" : "down",
           interface->description ? interface->description : "");
}

int command_interfaces(const struct settings *settings)
{
    struct fault fault = {{0}};
    (void)settings;
    if (!capture_interfaces(print_interface, NULL, &fault))
        return command_failed(EXIT_ENVIRONMENT, &fault);
    return EXIT_NO_FAULT;
}

static bool compiles(const char *expression, struct fault *fault)
{
    struct filter *filter;
    if (!filter_compile(&filter, expression, fault))
        return false;
    filter_free(filter);
    return true;
}

int command_filter(const struct settings *settings)
{
    char expression[SCOPE_FILTER_SIZE];
    struct text text = text_over(expression, sizeof expression);
    struct scope_filter scope = settings_scope_filter(settings);
    struct fault fault = {{0}};
    scope_filter_write(&scope, true, &text);
    if (text.cut)
        return command_misused("the filter would be longer than %d characters; join prefixes",
                               SCOPE_FILTER_SIZE);
    /* Each by itself first: a complaint about the whole would say little. */
    if (!filter_check_packets(settings->filter, &fault) ||
        !filter_check_packets(settings->also, &fault) || !compiles(expression, &fault))
        return command_failed(EXIT_USAGE, &fault);
    puts(expression);
    return EXIT_NO_FAULT;
}
