/* Fuzzing of the capture readers: the input is a stored file, compressed or not.
 *
 * The bytes stand in a memory file and are read twice through the public interface: alone and
 * merged with themselves, so that parking and resuming are reached too. Every byte of every frame
 * is read, because a frame that reaches outside its window is what this looks for. Deliberately
 * judges nothing but memory and these few promises. */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A small compressed file may unpack to terabytes; that is not what is looked for. */
enum { FRAMES_MAX = 100000, PATH_SIZE = 64 };

static void check_frame(const struct frame *frame, uint64_t *last_number)
{
    static volatile uint8_t sink;
    uint8_t sum = 0;
    assert(frame->number > *last_number);
    assert(frame->captured_size <= 262144 && frame->original_size >= frame->captured_size);
    assert(frame->time_ns != TIME_UNKNOWN);
    for (uint32_t i = 0; i < frame->captured_size; i++)
        sum = (uint8_t)(sum + frame->bytes[i]);
    sink = sum;
    (void)sink;
    *last_number = frame->number;
}

static uint64_t read_all(const char *const *paths, size_t copies, struct names *names)
{
    struct capture_options options = {.names = names,
                                      .hash = CAPTURE_HASH_NEVER,
                                      .since_ns = TIME_UNKNOWN,
                                      .until_ns = TIME_UNKNOWN};
    struct fault fault = {{0}};
    struct capture *capture;
    if (!capture_open(&capture, paths, copies, &options, &fault)) {
        assert(fault.sentence[0]);
        return 0;
    }
    struct frame frames[CAPTURE_BATCH_MAX];
    uint64_t last_number = 0, total = 0;
    size_t count;
    while (total < FRAMES_MAX && (count = capture_next(capture, frames, CAPTURE_BATCH_MAX)) != 0) {
        for (size_t i = 0; i < count; i++)
            check_frame(&frames[i], &last_number);
        total += count;
    }
    struct capture_quality quality = {0};
    capture_quality_of(capture, &quality);
    assert(quality.frames == total);
    assert(quality.truncated == (quality.damage[0] != 0));
    capture_close(capture);
    return total;
}

static int file_of(const uint8_t *data, size_t size, char *path)
{
    int fd = memfd_create("capture", MFD_CLOEXEC);
    assert(fd >= 0);
    ssize_t written = write(fd, data, size);
    assert(written == (ssize_t)size);
    (void)written;
    snprintf(path, PATH_SIZE, "/proc/self/fd/%d", fd);
    return fd;
}

/* Alone, and merged with its copy: another file, since one that is named twice is read once. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[PATH_SIZE], copy_path[PATH_SIZE];
    const char *paths[2] = {path, copy_path};
    int fd = file_of(data, size, path), copy = file_of(data, size, copy_path);
    struct names *names = names_new(1 << 16);
    uint64_t alone = read_all(paths, 1, names);
    uint64_t twice = read_all(paths, 2, names);
    assert(alone >= FRAMES_MAX || twice == 2 * alone);
    names_free(names);
    close(fd);
    close(copy);
    return 0;
}
