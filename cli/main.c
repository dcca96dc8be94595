/* apnscope: proves from packets whether a network lets Apple Push Notification service work.
 *
 * Finds the command and hands it its settings. The commands are in the other files of cli/. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli_version.h"
#include "command.h"
#include "confinement.h"
#include "dissect/protocol.h"
#include "store/store.h"

static const struct command {
    const char *name;
    const char *usage;
    const char *summary;
    enum command_bit bit;
    int (*run)(const struct settings *settings);
} commands[] = {
#define COMMAND(bit, name, usage, summary) {#name, usage, summary, IN_##bit, command_##name},
#include "command.def"
#undef COMMAND
};

enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void print_help(void)
{
    puts("apnscope proves from packets whether a network lets Apple Push Notification service\n"
         "work, and if not, what breaks it, who does it, and where.\n\n"
         "Usage: apnscope COMMAND [OPTION…] [ARGUMENT…]\n\nCommands:");
    for (int i = 0; i < COMMAND_COUNT; i++)
        printf("  %-12s %s\n", commands[i].name, commands[i].summary);
    puts("\n`apnscope COMMAND --help` lists the options of a command.\n\n"
         "Exit status: 0 no fault found, 1 a fault found, 2 wrong usage, 3 the environment (no such\n"
         "file, no permission, disk full, not a capture, a capture without packets).");
}

static void print_command_help(const struct command *command)
{
    printf("Usage: apnscope %s\n\n%c%s.\n\nOptions:\n", command->usage,
           command->summary[0] - 'a' + 'A', command->summary + 1);
    settings_print_options(command->bit);
}

static int print_version(void)
{
    printf("apnscope %s\n%s; %s\n", APNSCOPE_VERSION, protocol_library_version(),
           store_library_version());
    return EXIT_NO_FAULT;
}

int command_failed(enum exit_status status, const struct fault *fault)
{
    fprintf(stderr, "apnscope: %s\n", fault->sentence);
    return status;
}

int command_misused(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("apnscope: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return EXIT_USAGE;
}

static int run_command(const struct command *command, int argc, char **argv)
{
    struct fault fault = {{0}};
    struct settings settings;
    if (!settings_read(&settings, command->bit, argc, argv, &fault))
        return command_failed(EXIT_USAGE, &fault);
    if (settings.version)
        return print_version();
    if (settings.help) {
        print_command_help(command);
        return EXIT_NO_FAULT;
    }
    if (!confine(&settings, command->bit, &fault))
        return command_failed(EXIT_ENVIRONMENT, &fault);
    return command->run(&settings);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    (void)umask(S_IRWXG | S_IRWXO); /* what is written tells who was online when */
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(name, commands[i].name) == 0)
            return run_command(&commands[i], argc - 1, argv + 1);
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        return print_version();
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help();
        return EXIT_NO_FAULT;
    }
    if (!*name)
        return command_misused("no command given; see apnscope --help");
    return command_misused("%s is not a command; see apnscope --help", name);
}
