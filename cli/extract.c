/* `apnscope extract`: the packets behind sessions and findings, as pcapng for Wireshark.
 *
 * Reads the capture that the run was made of once more, checks by its hash that it is that one, and
 * writes the packets with a comment on those that prove something. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/names.h"
#include "capture/capture.h"
#include "capture/pcapng_writer.h"
#include "cli_version.h"
#include "command.h"
#include "dissect/dissect.h"
#include "extraction.h"
#include "report/output.h"
#include "report/visible.h"

enum { NAMES_CAP_BYTES = 1 << 20, CAPTURES_MAX = 1024, NOTE_SIZE = 2048 };

/* The captures given, else those that the run names and that are still there. */
struct captures {
    const char *paths[CAPTURES_MAX];
    size_t count;
    char *names; /* the run's source, cut at "; " */
};

static bool is_there(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0;
}

static void split_source(struct captures *captures, const char *source)
{
    captures->names = strdup(source ? source : "");
    for (char *at = captures->names; at && *at && captures->count < CAPTURES_MAX;) {
        char *end = strstr(at, "; ");
        captures->paths[captures->count++] = at;
        if (!end)
            break;
        *end = '\0';
        at = end + 2;
    }
}

static const char *hash_of(const struct extraction *extraction)
{
    if (extraction->sha256)
        return extraction->sha256;
    return extraction->fingerprint ? extraction->fingerprint : "not known";
}

static bool find_captures(struct captures *captures, const struct settings *settings,
                          const struct extraction *extraction, struct fault *fault)
{
    for (size_t i = 0; i < settings->argument_count && i < CAPTURES_MAX; i++)
        captures->paths[captures->count++] = settings->arguments[i];
    if (captures->count)
        return true;
    split_source(captures, extraction->source);
    for (size_t i = 0; i < captures->count; i++)
        if (!is_there(captures->paths[i]))
            return fault_set(fault,
                             "%s, the capture of run %" PRId64 ", is not here (SHA-256 %s); name "
                             "where it lies: apnscope extract ... CAPTURE",
                             captures->paths[i], extraction->run_id, hash_of(extraction));
    return captures->count ||
           fault_set(fault,
                     "run %" PRId64 " names no capture file; name it: apnscope extract ... "
                     "CAPTURE (SHA-256 %s)",
                     extraction->run_id, hash_of(extraction));
}

/* Frame numbers mean something in that very capture only. */
static bool is_the_capture(const struct capture *capture, const struct extraction *extraction,
                           const struct captures *captures, struct fault *fault)
{
    char sha256[65], fingerprint[65];
    capture_identity(capture, sha256, fingerprint);
    bool has_both = extraction->sha256 && sha256[0];
    bool is_same = has_both ? strcmp(extraction->sha256, sha256) == 0
                            : extraction->fingerprint && fingerprint[0] &&
                                  strcmp(extraction->fingerprint, fingerprint) == 0;
    return is_same ||
           fault_set(fault,
                     "%s is not the capture of run %" PRId64
                     ": its SHA-256 is %s, wanted is %s (%s); a copy that was compressed or "
                     "unpacked since is another file",
                     captures->paths[0], extraction->run_id,
                     sha256[0]        ? sha256
                     : fingerprint[0] ? fingerprint
                                      : "not known",
                     hash_of(extraction), extraction->source ? extraction->source : "no name kept");
}

static bool put_frames(struct capture *capture, const struct extraction *extraction,
                       struct pcapng_writer *writer, uint64_t *written)
{
    struct frame frames[CAPTURE_BATCH_MAX];
    size_t count;
    while ((count = capture_next(capture, frames, CAPTURE_BATCH_MAX)))
        for (size_t i = 0; i < count; i++) {
            struct packet packet;
            const char *note = extraction_note(extraction, frames[i].number);
            bool is_ours = dissect_frame(&frames[i], &packet) == SKIP_NONE &&
                           extraction_takes(extraction, &packet);
            if (!note && !is_ours)
                continue;
            char shown[NOTE_SIZE];
            if (!pcapng_writer_put(writer, &frames[i],
                                   note ? visible_text(shown, sizeof shown, note) : NULL))
                return false;
            (*written)++;
        }
    return true;
}

static bool write_capture(FILE *file, const struct extraction *extraction,
                          const struct captures *captures, uint64_t *written, struct fault *fault)
{
    struct capture *capture;
    struct pcapng_writer writer;
    struct names *names = names_new(NAMES_CAP_BYTES);
    struct capture_options options = {.names = names,
                                      .hash = extraction->sha256 ? CAPTURE_HASH_ALWAYS
                                                                 : CAPTURE_HASH_AUTO,
                                      .since_ns = TIME_UNKNOWN,
                                      .until_ns = TIME_UNKNOWN};
    bool done = capture_open(&capture, captures->paths, captures->count, &options, fault);
    if (done) {
        char comment[256], source[200];
        snprintf(comment, sizeof comment, "Packets extracted from %s",
                 visible_text(source, sizeof source,
                              extraction->source ? extraction->source : "a capture"));
        pcapng_writer_begin(&writer, file, "apnscope " APNSCOPE_VERSION, comment);
        done = put_frames(capture, extraction, &writer, written) ||
               fault_set(fault,
                         "the packets come from more than %d interfaces; extract fewer "
                         "sessions at a time",
                         PCAPNG_WRITER_INTERFACES);
        done = done && is_the_capture(capture, extraction, captures, fault);
        capture_close(capture);
    }
    names_free(names);
    return done;
}

static bool spares_captures(const char *output, const struct captures *captures,
                            struct fault *fault)
{
    for (size_t i = 0; i < captures->count; i++)
        if (!command_spares(output, captures->paths[i], fault))
            return false;
    return true;
}

static bool write_output(const struct settings *settings, const struct extraction *extraction,
                         const struct captures *captures, uint64_t *written, struct fault *fault)
{
    struct output output;
    if (!spares_captures(settings->output_path, captures, fault) ||
        !command_spares(settings->output_path, settings->database, fault))
        return false;
    if (!output_open(&output, settings->output_path, fault))
        return false;
    if (!write_capture(output.file, extraction, captures, written, fault)) {
        output_abandon(&output);
        return false;
    }
    return output_commit(&output, fault);
}

static int extract(const struct settings *settings, const struct extraction *extraction)
{
    struct fault fault = {{0}};
    struct captures captures = {0};
    uint64_t written = 0;
    bool done = find_captures(&captures, settings, extraction, &fault) &&
                write_output(settings, extraction, &captures, &written, &fault);
    free(captures.names);
    if (!done)
        return command_failed(EXIT_ENVIRONMENT, &fault);
    fprintf(stderr, "apnscope: %s written to %s\n", COUNTED(written, "packet was|packets were"),
            strcmp(settings->output_path, "-") == 0 ? "standard output" : settings->output_path);
    return EXIT_NO_FAULT;
}

int command_extract(const struct settings *settings)
{
    struct fault fault = {{0}};
    struct extraction extraction;
    if (!settings->flow_ids.count && !settings->finding_ids.count)
        return command_misused("extract needs --flow N or --finding N; `apnscope show flows` and "
                               "`apnscope show findings` list them");
    if (!settings->output_path)
        return command_misused("extract needs -o FILE.pcapng");
    if (!extraction_plan(&extraction, settings->database, settings->flow_ids.items,
                         settings->flow_ids.count, settings->finding_ids.items,
                         settings->finding_ids.count, &fault))
        return command_failed(EXIT_ENVIRONMENT, &fault);
    int status = extract(settings, &extraction);
    extraction_free(&extraction);
    return status;
}
