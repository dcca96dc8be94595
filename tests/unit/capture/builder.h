/* Captures built byte by byte, and read back through the public interface.
 *
 * For the tests of this folder. Deliberately independent of the readers it tests: no header of
 * theirs, no constants of theirs. */
#ifndef TEST_CAPTURE_BUILDER_H
#define TEST_CAPTURE_BUILDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/capture.h"

#define UNUSED __attribute__((unused))

struct build {
    uint8_t *bytes;
    size_t size;
    size_t room;
    bool little;
    size_t block; /* where the open pcapng block begins */
};

/* Grows in steps: a reallocation per byte is slow under the sanitizer. */
UNUSED static void make_room(struct build *b, size_t size)
{
    if (b->size + size <= b->room)
        return;
    b->room = 2 * b->room + size + 256;
    b->bytes = realloc(b->bytes, b->room);
    assert_non_null(b->bytes);
}

UNUSED static void put(struct build *b, const void *bytes, size_t size)
{
    make_room(b, size);
    memcpy(b->bytes + b->size, bytes, size);
    b->size += size;
}

UNUSED static void put_number(struct build *b, uint64_t value, unsigned size)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> 8 * (b->little ? i : size - 1 - i));
    put(b, bytes, size);
}

UNUSED static void put8(struct build *b, unsigned value)
{
    put_number(b, value, 1);
}

UNUSED static void put16(struct build *b, unsigned value)
{
    put_number(b, value, 2);
}

UNUSED static void put32(struct build *b, uint64_t value)
{
    put_number(b, value, 4);
}

UNUSED static void put_filler(struct build *b, size_t size, uint8_t byte)
{
    make_room(b, size);
    memset(b->bytes + b->size, byte, size);
    b->size += size;
}

/* ---- pcap ---- */

UNUSED static struct build pcap_of(uint32_t magic, bool little, uint32_t snap, uint32_t link)
{
    struct build b = {.little = little};
    put32(&b, magic);
    put16(&b, 2);
    put16(&b, 4);
    put32(&b, 0);
    put32(&b, 0);
    put32(&b, snap);
    put32(&b, link);
    return b;
}

UNUSED static struct build pcap(void)
{
    return pcap_of(0xa1b2c3d4, true, 262144, 1);
}

UNUSED static void record_head(struct build *b, uint32_t seconds, uint32_t ticks, uint32_t captured,
                               uint32_t original)
{
    put32(b, seconds);
    put32(b, ticks);
    put32(b, captured);
    put32(b, original);
}

UNUSED static void record(struct build *b, uint32_t seconds, uint32_t ticks, uint32_t size)
{
    record_head(b, seconds, ticks, size, size);
    put_filler(b, size, (uint8_t)seconds);
}

/* ---- pcapng ---- */

UNUSED static void begin_block(struct build *b, uint32_t type)
{
    b->block = b->size;
    put32(b, type);
    put32(b, 0);
}

UNUSED static void end_block(struct build *b)
{
    put_filler(b, -(b->size - b->block) & 3, 0);
    uint32_t total = (uint32_t)(b->size - b->block + 4);
    put32(b, total);
    struct build length = {.little = b->little};
    put32(&length, total);
    memcpy(b->bytes + b->block + 4, length.bytes, 4);
    free(length.bytes);
}

UNUSED static void option_bytes(struct build *b, unsigned code, const void *bytes, size_t size)
{
    put16(b, code);
    put16(b, (unsigned)size);
    put(b, bytes, size);
    put_filler(b, -size & 3, 0);
}

UNUSED static void option_text(struct build *b, unsigned code, const char *text)
{
    option_bytes(b, code, text, strlen(text));
}

UNUSED static void option_number(struct build *b, unsigned code, uint64_t value, unsigned size)
{
    put16(b, code);
    put16(b, size);
    put_number(b, value, size);
    put_filler(b, -(size_t)size & 3, 0);
}

UNUSED static void section_begin(struct build *b, bool little)
{
    b->little = little;
    begin_block(b, 0x0a0d0d0a);
    put32(b, 0x1a2b3c4d);
    put16(b, 1);
    put16(b, 0);
    put_filler(b, 8, 0xff);
}

UNUSED static void section(struct build *b, bool little)
{
    section_begin(b, little);
    end_block(b);
}

UNUSED static void interface_begin(struct build *b, unsigned link, uint32_t snap)
{
    begin_block(b, 1);
    put16(b, link);
    put16(b, 0);
    put32(b, snap);
}

UNUSED static void interface(struct build *b, unsigned link, uint32_t snap)
{
    interface_begin(b, link, snap);
    end_block(b);
}

UNUSED static void packet_begin(struct build *b, uint32_t id, uint64_t units, uint32_t captured,
                                uint32_t original)
{
    begin_block(b, 6);
    put32(b, id);
    put32(b, units >> 32);
    put32(b, units & 0xffffffff);
    put32(b, captured);
    put32(b, original);
    put_filler(b, (captured + 3u) & ~3u, (uint8_t)units);
}

UNUSED static void packet(struct build *b, uint32_t id, uint64_t units, uint32_t size)
{
    packet_begin(b, id, units, size, size);
    end_block(b);
}

UNUSED static struct build pcapng(bool little)
{
    struct build b = {0};
    section(&b, little);
    interface(&b, 1, 0);
    return b;
}

/* ---- files ---- */

static char test_folder[64];

UNUSED static const char *in_folder(const char *name)
{
    static char paths[8][512];
    static unsigned next;
    if (!test_folder[0]) {
        strcpy(test_folder, "/tmp/test-capture-XXXXXX");
        assert_non_null(mkdtemp(test_folder));
    }
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", test_folder, name);
    return path;
}

UNUSED static const char *save_bytes(const char *name, const void *bytes, size_t size)
{
    const char *path = in_folder(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

/* Frees the bytes. */
UNUSED static const char *save(const char *name, struct build *b)
{
    const char *path = save_bytes(name, b->bytes, b->size);
    free(b->bytes);
    *b = (struct build){0};
    return path;
}

UNUSED static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    if (!test_folder[0])
        return 0;
    snprintf(command, sizeof command, "rm -rf %s", test_folder);
    test_folder[0] = '\0';
    return system(command) == 0 ? 0 : -1;
}

/* ---- reading back ---- */

enum { SEEN_MAX = 40000 };

/* Everything that was read; frames without their bytes, of which `first_byte` is kept. */
struct seen {
    struct names *names;
    struct capture *capture;
    struct capture_quality quality;
    struct frame *frames;
    uint8_t *first_bytes;
    size_t count;
    struct fault fault;
    bool opened;
};

UNUSED static struct seen read_paths(const char *const *paths, size_t count,
                                     const struct capture_options *wanted)
{
    struct seen seen = {.names = names_new(1 << 20)};
    struct capture_options options = {.since_ns = TIME_UNKNOWN, .until_ns = TIME_UNKNOWN};
    struct frame batch[CAPTURE_BATCH_MAX];
    if (wanted)
        options = *wanted;
    options.names = seen.names;
    seen.frames = calloc(SEEN_MAX, sizeof *seen.frames);
    seen.first_bytes = calloc(SEEN_MAX, 1);
    assert_true(seen.frames && seen.first_bytes);
    seen.opened = capture_open(&seen.capture, paths, count, &options, &seen.fault);
    if (!seen.opened)
        return seen;
    size_t got;
    while ((got = capture_next(seen.capture, batch, CAPTURE_BATCH_MAX)) != 0) {
        for (size_t i = 0; i < got; i++) {
            assert_true(seen.count < SEEN_MAX);
            seen.first_bytes[seen.count] = batch[i].captured_size ? batch[i].bytes[0] : 0;
            /* every byte must be there to be read: the sanitizer watches */
            volatile uint8_t sum = 0;
            for (uint32_t j = 0; j < batch[i].captured_size; j++)
                sum = (uint8_t)(sum + batch[i].bytes[j]);
            seen.frames[seen.count++] = batch[i];
        }
    }
    assert_int_equal(capture_next(seen.capture, batch, CAPTURE_BATCH_MAX), 0);
    capture_quality_of(seen.capture, &seen.quality);
    return seen;
}

UNUSED static struct seen read_path(const char *path)
{
    return read_paths(&path, 1, NULL);
}

UNUSED static struct seen read_build(struct build *b)
{
    return read_path(save("capture", b));
}

UNUSED static void forget(struct seen *seen)
{
    capture_close(seen->capture);
    names_free(seen->names);
    free(seen->frames);
    free(seen->first_bytes);
}

UNUSED static void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" does not contain \"%s\"", text, part);
}

#endif
