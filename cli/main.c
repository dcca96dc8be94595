/* apnscope: proves from packets whether a network lets Apple Push Notification service work.
 *
 * Finds the command and hands it its settings. The commands are in the other files of cli/. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli_version.h"
#include "command.h"
#include "confinement.h"
#include "dissect/protocol.h"
#include "report/visible.h"
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

/* Commands of options alone. */
enum { TAKES_NOTHING = IN_CHECKS | IN_FILTER | IN_INTERFACES };

static void print_help(void)
{
    puts("apnscope proves from packets whether a network lets Apple Push Notification service\n"
         "work, and if not, what breaks it, who does it, and where.\n\n"
         "Usage: apnscope COMMAND [OPTION...] [ARGUMENT...]\n\nCommands:");
    for (int i = 0; i < COMMAND_COUNT; i++)
        printf("  %-12s %s\n", commands[i].name, commands[i].summary);
    puts("\n`apnscope COMMAND --help` lists the options of a command.\n\n"
         "Exit status: 0 no fault found, 1 a fault found, 2 wrong usage, 3 the environment (no "
         "such\n"
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
    printf("apnscope %s\nnDPI %s, SQLite %s\n", APNSCOPE_VERSION, protocol_library_version(),
           store_library_version());
    return EXIT_NO_FAULT;
}

/* Names of files and interfaces may hold anything, and come from databases of others. */
static void complain(const char *sentence)
{
    fputs("apnscope: ", stderr);
    visible_put(stderr, sentence);
    fputc('\n', stderr);
}

int command_failed(enum exit_status status, const struct fault *fault)
{
    complain(fault->sentence);
    return status;
}

int command_misused(const char *format, ...)
{
    char sentence[FAULT_SENTENCE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    complain(sentence);
    return EXIT_USAGE;
}

bool command_spares(const char *output, const char *input, struct fault *fault)
{
    struct stat written, read;
    if (!output || strcmp(output, "-") == 0 || stat(output, &written) != 0 ||
        stat(input, &read) != 0 || written.st_dev != read.st_dev || written.st_ino != read.st_ino)
        return true;
    return fault_set(
        fault, "%s is what would be read: it was left as it was; write to another file", output);
}

/* What a command printed must have arrived; most check it themselves, and say so. */
static int finish_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    if (status != EXIT_ENVIRONMENT)
        fprintf(stderr, "apnscope: standard output: it cannot be written: %s\n", strerror(errno));
    return EXIT_ENVIRONMENT;
}

static const struct command *find_command(const char *name)
{
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    return NULL;
}

/* `apnscope help COMMAND` is `apnscope COMMAND --help`. */
static int help(int argc, char **argv)
{
    const struct command *command = argc > 2 ? find_command(argv[2]) : NULL;
    if (argc > 2 && !command)
        return command_misused("%s is not a command; see apnscope --help", argv[2]);
    if (command)
        print_command_help(command);
    else
        print_help();
    return EXIT_NO_FAULT;
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
    if (command->bit & TAKES_NOTHING && settings.argument_count)
        return command_misused("%s takes no argument; what is %s for? see apnscope %s --help",
                               command->name, settings.arguments[0], command->name);
    if (!confine(&settings, command->bit, &fault))
        return command_failed(EXIT_ENVIRONMENT, &fault);
    return command->run(&settings);
}

static int run(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    const struct command *command = find_command(name);
    if (command)
        return run_command(command, argc - 1, argv + 1);
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        return print_version();
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return help(argc, argv);
    if (!*name)
        return command_misused("no command given; see apnscope --help");
    return command_misused("%s is not a command; see apnscope --help", name);
}

int main(int argc, char **argv)
{
    (void)umask(S_IRWXG | S_IRWXO); /* what is written tells who was online when */
    return finish_output(run(argc, argv));
}
