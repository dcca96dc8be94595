/* What identifies the input of a run as a whole: the hash of its file, or of its files' hashes.
 *
 * Asked once, at the end, for the run's row. Hashes no file itself: capture/source does that as
 * bytes are read. */
#include <string.h>

#include "capture.h"
#include "digest.h"

/* The hash of a file, or in its place the fingerprint where only that was taken. */
static const char *name_of(const struct capture_file *file, bool only_whole)
{
    return only_whole || file->sha256[0] ? file->sha256 : file->fingerprint;
}

static void hash_of_hashes(const struct capture *capture, bool only_whole, char text[65])
{
    bool complete = true;
    struct digest *digest = digest_new();
    for (size_t i = 0; i < capture_file_count(capture); i++) {
        const char *name = name_of(capture_file_at(capture, i), only_whole);
        complete = complete && name[0];
        digest_add(digest, name, strlen(name));
    }
    digest_text(digest, text);
    if (!complete)
        text[0] = '\0';
    digest_free(digest);
}

void capture_identity(const struct capture *capture, char sha256[65], char fingerprint[65])
{
    if (capture_file_count(capture) != 1) {
        hash_of_hashes(capture, true, sha256);
        hash_of_hashes(capture, false, fingerprint);
        return;
    }
    memcpy(sha256, capture_file_at(capture, 0)->sha256, DIGEST_TEXT_SIZE);
    memcpy(fingerprint, capture_file_at(capture, 0)->fingerprint, DIGEST_TEXT_SIZE);
}
