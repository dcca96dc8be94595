/* print_completions bash|zsh|fish: completions for a shell, from the tables of the command line.
 *
 * Run by the build. Deliberately completes no values that only the database knows. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../cli/command_bit.h"

struct command {
    const char *name;
    const char *summary;
    unsigned bit;
};

struct option_row {
    const char *name;
    const char *argument; /* NULL: none */
    unsigned commands;
    const char *help;
};

static const struct command commands[] = {
#define COMMAND(bit, name, usage, summary) {#name, summary, IN_##bit},
#include "../cli/command.def"
#undef COMMAND
};

static const struct option_row options[] = {
#define OPTION(id, name, argument, commands, help) {name, argument, (unsigned)(commands), help},
#include "../cli/option.def"
#undef OPTION
};

/* Values that are words. */
static const struct {
    const char *option;
    const char *words;
} values[] = {
    {"hash", "auto always never"},
    {"log-level", "error notice debug"},
};

enum {
    COMMAND_COUNT = sizeof commands / sizeof *commands,
    OPTION_COUNT = sizeof options / sizeof *options,
    VALUE_COUNT = sizeof values / sizeof *values
};

#define SHOWN         "devices flows findings runs flow finding"
#define TAKES_CAPTURE (IN_ANALYZE | IN_EXTRACT | IN_MERGE | IN_COMPARE)

static const char *words_of(const struct option_row *option)
{
    for (int i = 0; i < VALUE_COUNT; i++)
        if (strcmp(values[i].option, option->name) == 0)
            return values[i].words;
    return NULL;
}

static bool takes_file(const struct option_row *option)
{
    return option->argument && strncmp(option->argument, "FILE", 4) == 0;
}

static bool takes_folder(const struct option_row *option)
{
    return option->argument && strcmp(option->argument, "DIR") == 0;
}

static bool takes_interface(const struct option_row *option)
{
    return option->argument && strcmp(option->argument, "IF") == 0;
}

/* Text inside single quotes, `also` with a backslash before. */
static void put_quoted(const char *text, const char *also)
{
    for (; *text; text++) {
        if (*text == '\'') {
            fputs("'\\''", stdout);
            continue;
        }
        if (strchr(also, *text))
            putchar('\\');
        putchar(*text);
    }
}

/* ---- bash ---- */

static void put_bash_options(const struct command *command)
{
    printf("    %s) words='", command->name);
    for (int i = 0; i < OPTION_COUNT; i++)
        if (options[i].commands & command->bit)
            printf("--%s ", options[i].name);
    printf("%s' ;;\n", command->bit == IN_SHOW ? SHOWN : "");
}

static void put_bash_value(const struct option_row *option)
{
    const char *words = words_of(option);
    printf("    --%s) ", option->name);
    if (words)
        printf("COMPREPLY=($(compgen -W '%s' -- \"$word\")) ;;\n", words);
    else if (takes_folder(option))
        puts("COMPREPLY=($(compgen -d -- \"$word\")) ;;");
    else if (takes_file(option))
        puts("COMPREPLY=($(compgen -f -- \"$word\")) ;;");
    else if (takes_interface(option))
        puts("COMPREPLY=($(cd /sys/class/net && compgen -f -- \"$word\")) ;;");
    else
        puts("COMPREPLY=() ;;");
}

static void print_bash(void)
{
    puts("# bash completion of apnscope(1), made from its tables.\n"
         "_apnscope()\n{\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=\n"
         "    case $before in");
    for (int i = 0; i < OPTION_COUNT; i++)
        if (options[i].argument)
            put_bash_value(&options[i]);
    puts("    *) before= ;;\n    esac\n"
         "    [ -z \"$before\" ] || return\n"
         "    case ${COMP_WORDS[1]} in");
    for (int i = 0; i < COMMAND_COUNT; i++)
        put_bash_options(&commands[i]);
    puts("    esac");
    fputs("    [ \"$COMP_CWORD\" -gt 1 ] || words='", stdout);
    for (int i = 0; i < COMMAND_COUNT; i++)
        printf("%s ", commands[i].name);
    puts("--help --version'\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "}\n"
         "complete -o filenames -o bashdefault -o default -F _apnscope apnscope");
}

/* ---- zsh ---- */

static void put_zsh_option(const struct option_row *option)
{
    const char *words = words_of(option);
    printf("            '%s--%s[", strstr(option->help, "repeatable") ? "*" : "", option->name);
    put_quoted(option->help, "[]\\");
    putchar(']');
    if (option->argument)
        printf(":%s:", option->argument);
    if (words)
        printf("(%s)", words);
    else if (takes_folder(option))
        fputs("_files -/", stdout);
    else if (takes_file(option))
        fputs("_files", stdout);
    else if (takes_interface(option))
        fputs("_net_interfaces", stdout);
    puts("' \\");
}

static void put_zsh_command(const struct command *command)
{
    printf("    %s)\n        _arguments \\\n", command->name);
    for (int i = 0; i < OPTION_COUNT; i++)
        if (options[i].commands & command->bit)
            put_zsh_option(&options[i]);
    if (command->bit == IN_SHOW)
        puts("            '1:what:(" SHOWN ")' '2:number: ' ;;");
    else if (command->bit & TAKES_CAPTURE)
        puts("            '*:file:_files' ;;");
    else
        puts("            ;;");
}

static void print_zsh(void)
{
    puts("#compdef apnscope\n# zsh completion of apnscope(1), made from its tables.\n"
         "local -a commands=(");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        printf("    '%s:", commands[i].name);
        put_quoted(commands[i].summary, ":");
        puts("'");
    }
    puts(")\n"
         "if (( CURRENT == 2 )); then\n"
         "    _describe command commands\n"
         "    return\n"
         "fi\n"
         "local command=$words[2]\n"
         "words=($words[2,-1])\n"
         "(( CURRENT-- ))\n"
         "case $command in");
    for (int i = 0; i < COMMAND_COUNT; i++)
        put_zsh_command(&commands[i]);
    puts("esac");
}

/* ---- fish ---- */

static void put_fish_words(const char *text)
{
    putchar('\'');
    for (; *text; text++)
        printf(strchr("'\\", *text) ? "\\%c" : "%c", *text);
    puts("'");
}

static void put_fish_option(const struct command *command, const struct option_row *option)
{
    const char *words = words_of(option);
    printf("complete -c apnscope -n '__fish_seen_subcommand_from %s' -l %s", command->name,
           option->name);
    if (words)
        printf(" -x -a '%s'", words);
    else if (takes_folder(option))
        fputs(" -x -a '(__fish_complete_directories)'", stdout);
    else if (takes_file(option))
        fputs(" -r -F", stdout);
    else if (takes_interface(option))
        fputs(" -x -a '(__fish_print_interfaces)'", stdout);
    else if (option->argument)
        fputs(" -x", stdout);
    fputs(" -d ", stdout);
    put_fish_words(option->help);
}

static void print_fish(void)
{
    puts("# fish completion of apnscope(1), made from its tables.");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        printf("complete -c apnscope -n __fish_use_subcommand -f -a %s -d ", commands[i].name);
        put_fish_words(commands[i].summary);
    }
    puts("complete -c apnscope -n '__fish_seen_subcommand_from show' -f -a '" SHOWN "'");
    for (int c = 0; c < COMMAND_COUNT; c++)
        for (int i = 0; i < OPTION_COUNT; i++)
            if (options[i].commands & commands[c].bit)
                put_fish_option(&commands[c], &options[i]);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *shell;
        void (*print)(void);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (argc == 2 && strcmp(argv[1], shells[i].shell) == 0) {
            shells[i].print();
            return 0;
        }
    fputs("usage: print_completions bash|zsh|fish\n", stderr);
    return 2;
}
