/* `apnscope report`: the database as HTML, CSV, JSON or text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "command.h"

static bool output_wants_colour(void)
{
    const char *term = getenv("TERM");
    const char *no_colour = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(no_colour && *no_colour) &&
           !(term && strcmp(term, "dumb") == 0);
}

/* A terminal that cannot show it says so there. */
bool command_locale_has_unicode(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *locale = NULL;
    for (size_t i = 0; i < sizeof variables / sizeof *variables && !(locale && *locale); i++)
        locale = getenv(variables[i]);
    return locale && (strcasestr(locale, "UTF-8") || strcasestr(locale, "UTF8"));
}

/* COLUMNS is for who wants it otherwise (POSIX.1-2017, Base Definitions, section 8.3). */
static unsigned output_width(void)
{
    enum { NARROWEST = 40, WIDEST = 160, ORDINARY = 80 };
    const char *columns = getenv("COLUMNS");
    unsigned long width = columns ? strtoul(columns, NULL, 10) : 0;
    struct winsize size;
    if (!width && isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    if (!width)
        return ORDINARY;
    return width < NARROWEST ? NARROWEST : width > WIDEST ? WIDEST : (unsigned)width;
}

struct report_options command_report_options(const struct settings *settings)
{
    return (struct report_options){.database = settings->database,
                                   .range = {.run_id = settings->run_id,
                                             .site = settings->site,
                                             .all_runs = settings->all_runs,
                                             .since_ns = settings->since_ns,
                                             .until_ns = settings->until_ns},
                                   .catalogue = catalogue_of_rules(),
                                   .change_ns = settings->change_ns,
                                   .redact = settings->redact,
                                   .colour = output_wants_colour(),
                                   .unicode = isatty(STDOUT_FILENO) && command_locale_has_unicode(),
                                   .ascii = !command_locale_has_unicode(),
                                   .width = output_width(),
                                   .folds = isatty(STDOUT_FILENO) || getenv("COLUMNS")};
}

static bool write_reports(const struct settings *settings, const struct report_options *options,
                          struct fault *fault)
{
    bool any = settings->html_path || settings->json_path || settings->csv_directory;
    if (!command_spares(settings->html_path, settings->database, fault) ||
        !command_spares(settings->json_path, settings->database, fault))
        return false;
    if (settings->html_path && !report_html(options, settings->html_path, fault))
        return false;
    if (settings->json_path && !report_json(options, settings->json_path, fault))
        return false;
    if (settings->csv_directory && !report_csv(options, settings->csv_directory, fault))
        return false;
    if (settings->markdown && !report_markdown(options, "-", fault))
        return false;
    any = any || settings->markdown;
    return (any && !settings->text) || report_text(options, "-", fault);
}

int command_report(const struct settings *settings)
{
    struct fault fault = {{0}};
    struct report_options options = command_report_options(settings);
    if (settings->argument_count)
        return command_misused("report reads a database, not %s; to read a capture: apnscope "
                               "analyze %s",
                               settings->arguments[0], settings->arguments[0]);
    if (!write_reports(settings, &options, &fault))
        return command_failed(EXIT_ENVIRONMENT, &fault);
    return EXIT_NO_FAULT;
}
