/* From the command line to the sandbox's rules.
 *
 * See confinement.h. Captures and databases may come from anybody, so everything that looks at one
 * is confined before it does. Deliberately does not check whether files are there: opening them
 * says so. */
#include "confinement.h"

#include <stdio.h>
#include <string.h>

#include "capture/privileges.h"
#include "capture/sandbox.h"
#include "feed/unix_path.h"

enum { READS_CAPTURES = IN_ANALYZE | IN_EXTRACT, READS_DATABASES = IN_MERGE | IN_COMPARE };

static void allow_outputs(struct sandbox *sandbox, const struct settings *settings)
{
    const char *const files[] = {settings->html_path, settings->json_path};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i])
            sandbox_allow_output(sandbox, files[i]);
    if (settings->csv_directory)
        sandbox_allow_output_folder(sandbox, settings->csv_directory);
}

/* Where extract is told no captures, the database tells which: any file that may be read. */
static void allow_captures(struct sandbox *sandbox, const struct settings *settings,
                           enum command_bit command)
{
    if (settings->argument_count)
        sandbox_allow_captures(sandbox, (const char *const *)settings->arguments,
                               settings->argument_count);
    else if (command == IN_EXTRACT)
        sandbox_allow_read(sandbox, "/");
}

static void allow_files(struct sandbox *sandbox, const struct settings *settings,
                        enum command_bit command)
{
    allow_outputs(sandbox, settings);
    if (settings->trust_path)
        sandbox_allow_read(sandbox, settings->trust_path);
    if (command & READS_CAPTURES)
        allow_captures(sandbox, settings, command);
    if (command & READS_DATABASES)
        for (size_t i = 0; i < settings->argument_count; i++)
            sandbox_allow_database(sandbox, settings->arguments[i]);
    else
        sandbox_allow_database(sandbox, settings->database);
    if (settings->output_path && command == IN_MERGE)
        sandbox_allow_database(sandbox, settings->output_path);
    else if (settings->output_path)
        sandbox_allow_output(sandbox, settings->output_path);
}

static void tell(const struct settings *settings, const struct sandbox_level *level)
{
    char words[256];
    struct text text = text_over(words, sizeof words);
    sandbox_describe(level, &text);
    if (settings->log_level >= LOG_DEBUG)
        fprintf(stderr, "apnscope: sandbox: %s\n", words);
    else if (!sandbox_is_whole(level) && settings->log_level >= LOG_NOTICE && !settings->quiet)
        fprintf(stderr, "apnscope: note: the sandbox is not whole: %s\n", words);
}

static void enter(struct sandbox *sandbox, enum sandbox_kind kind, const struct settings *settings)
{
    struct sandbox_level level = sandbox_enter(sandbox, kind);
    sandbox_free(sandbox);
    tell(settings, &level);
}

bool confine(const struct settings *settings, enum command_bit command, struct fault *fault)
{
    if (!(command & IN_SANDBOX))
        return true;
    if (!privileges_drop_but_files(fault))
        return false;
    if (settings->no_sandbox)
        return true;
    struct sandbox *sandbox = sandbox_new();
    allow_files(sandbox, settings, command);
    enter(sandbox, SANDBOX_OFFLINE, settings);
    return true;
}

bool confine_to_user(const struct settings *settings, struct privileges_user *user,
                     struct fault *fault)
{
    return privileges_find_user(user, settings->user, "apnscope", fault) &&
           privileges_drop(user, fault);
}

/* What outputs open anew (SIGHUP), make and remove. */
static void allow_live_outputs(struct sandbox *sandbox, const struct settings *settings)
{
    const char *lines = settings->json_lines;
    if (lines && !unix_path(lines) && strcmp(lines, "-") != 0)
        sandbox_allow_output(sandbox, lines);
    if (unix_path(settings->metrics))
        sandbox_allow_removal(sandbox, unix_path(settings->metrics));
    if (settings->evidence)
        sandbox_allow_output_folder(sandbox, settings->evidence);
}

/* Of an interface that is made anew, the facts lie in other files than before. The first folder has
 * links into the second. */
static void allow_interfaces(struct sandbox *sandbox)
{
    sandbox_allow_read(sandbox, "/sys/class/net");
    sandbox_allow_read(sandbox, "/sys/devices");
}

void confine_live(const struct settings *settings)
{
    if (settings->no_sandbox)
        return;
    struct sandbox *sandbox = sandbox_new();
    /* A collector or a syslog daemon that was away is connected again. */
    bool connects = unix_path(settings->json_lines) || settings->syslog;
    sandbox_allow_database(sandbox, settings->database);
    allow_interfaces(sandbox);
    allow_live_outputs(sandbox, settings);
    enter(sandbox, connects ? SANDBOX_LIVE_UNIX_SOCKETS : SANDBOX_LIVE, settings);
}

/* The sanitizers' runtime starts a process at the very end, to look for leaks. */
void confine_threads(void)
{
#ifndef APNSCOPE_SANITIZED
    privileges_end_threads();
#endif
}
