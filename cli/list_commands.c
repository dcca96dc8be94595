/* `apnscope checks` and `apnscope interfaces`: what the program knows and can capture on. */
#include <stdio.h>

#include "capture/interfaces.h"
#include "command.h"

int command_checks(const struct settings *settings)
{
    struct report_catalogue catalogue = catalogue_of_rules();
    report_checks(&catalogue, settings->markdown, stdout);
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
