/* Where reports go: a temporary file renamed when it is whole, or standard output.
 *
 * Last step of every writer. Deliberately knows nothing of formats; a writer never looks at the
 * stream's errors, because the one check at the end covers all of it (stdio errors are sticky). */
#include "report/output.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool output_failed(const struct output *output, int cause, struct fault *fault)
{
    const char *try = cause == ENOSPC || cause == EDQUOT
                          ? "free some space or write to another disk"
                          : "check the path and its permissions, or write to another place";
    return fault_set(fault, "%s: it cannot be written: %s; %s", output->name, strerror(cause), try);
}

static bool is_in_place(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool open_temporary(struct output *output, const char *path, struct fault *fault)
{
    output->target = strdup(path);
    int length = asprintf(&output->temporary, "%s.XXXXXX", path);
    assert(output->target && length > 0);
    int descriptor = mkostemp(output->temporary, O_CLOEXEC); /* mode 0600, mkstemp(3) */
    if (descriptor < 0) {
        int cause = errno;
        free(output->temporary);
        free(output->target);
        output->temporary = output->target = NULL;
        return output_failed(output, cause, fault);
    }
    output->file = fdopen(descriptor, "w");
    assert(output->file);
    return true;
}

bool output_open(struct output *output, const char *path, struct fault *fault)
{
    *output = (struct output){.name = path};
    if (strcmp(path, "-") == 0) {
        output->name = "standard output";
        output->file = stdout;
        return true;
    }
    if (is_folder(path))
        return fault_set(fault, "%s: is a folder; name a file in it", path);
    if (!is_in_place(path)) {
        if (!open_temporary(output, path, fault))
            return false;
    } else {
        output->file = fopen(path, "we");
        if (!output->file)
            return output_failed(output, errno, fault);
    }
    (void)setvbuf(output->file, NULL, _IOFBF, OUTPUT_BUFFER_SIZE);
    return true;
}

static void output_free(struct output *output)
{
    free(output->temporary);
    free(output->target);
    *output = (struct output){.name = output->name};
}

static int close_checked(struct output *output)
{
    FILE *file = output->file;
    output->file = NULL;
    errno = 0;
    bool failed = fflush(file) != 0 || ferror(file) != 0;
    int cause = failed ? (errno ? errno : EIO) : 0;
    if (output->temporary && !cause && fsync(fileno(file)) != 0 && errno != EINVAL)
        cause = errno;
    if (file != stdout && fclose(file) != 0 && !cause)
        cause = errno;
    return cause;
}

bool output_commit(struct output *output, struct fault *fault)
{
    int cause = close_checked(output);
    if (!cause && output->temporary && rename(output->temporary, output->target) != 0)
        cause = errno;
    if (cause && output->temporary)
        (void)unlink(output->temporary);
    bool whole = cause == 0;
    if (!whole)
        (void)output_failed(output, cause, fault);
    output_free(output);
    return whole;
}

void output_abandon(struct output *output)
{
    if (output->file && output->file != stdout)
        (void)fclose(output->file);
    if (output->temporary)
        (void)unlink(output->temporary);
    output_free(output);
}
