/* Stored bytes: compression, hashes, pipes, damage of the compressed data. */
#include "builder.h"

static struct build three_packets(void)
{
    struct build b = pcap();
    for (uint32_t i = 0; i < 3; i++)
        record(&b, i, 0, 60);
    return b;
}

/* The compressors are run as programs: the tests see what users store. */
static bool compress_with(const char *command, const char *from, const char *to)
{
    char line[1200];
    snprintf(line, sizeof line, "%s < %s > %s 2>/dev/null", command, from, to);
    return system(line) == 0;
}

struct compression {
    const char *command;
    const char *format;
};

static const struct compression compressions[] = {
    {"gzip -c", "pcap, gzip"},
    {"zstd -q -c", "pcap, zstd"},
    {"lz4 -q -c", "pcap, lz4"},
    {"xz -c", "pcap, xz"},
};
enum { COMPRESSIONS = sizeof compressions / sizeof *compressions };

static struct build many_packets(void)
{
    struct build b = pcap();
    for (uint32_t i = 0; i < 5000; i++)
        record(&b, i, i * 7919 % 1000000, 40 + i % 1400);
    return b;
}

static void check_many(const char *path, const char *format)
{
    struct seen seen = read_path(path);
    assert_int_equal(seen.count, 5000);
    for (uint32_t i = 0; i < 5000; i++)
        assert_int_equal(seen.first_bytes[i], i & 0xff);
    assert_false(seen.quality.truncated);
    const struct capture_file *facts = capture_file_at(seen.capture, 0);
    assert_string_equal(facts->format, format);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(facts->stored_size, status.st_size);
    uint64_t done, total;
    capture_progress(seen.capture, &done, &total);
    assert_int_equal(done, total);
    assert_int_equal(total, status.st_size);
    forget(&seen);
}

static void each_compression_is_read(void **state)
{
    (void)state;
    struct build b = many_packets();
    const char *plain = save("plain", &b);
    for (size_t i = 0; i < COMPRESSIONS; i++) {
        const char *path = in_folder("compressed");
        if (!compress_with(compressions[i].command, plain, path)) {
            print_message("no program: %s\n", compressions[i].command);
            continue;
        }
        check_many(path, compressions[i].format);
    }
}

static void concatenated_members_are_one_stream(void **state)
{
    (void)state;
    struct build b = many_packets();
    save_bytes("first", b.bytes, 100000);
    save_bytes("second", b.bytes + 100000, b.size - 100000);
    free(b.bytes);
    for (size_t i = 0; i < COMPRESSIONS; i++) {
        char line[1200];
        const char *path = in_folder("both");
        snprintf(line, sizeof line, "cd %s && (%s < first && %s < second) > both 2>/dev/null",
                 test_folder, compressions[i].command, compressions[i].command);
        if (system(line) != 0)
            continue;
        check_many(path, compressions[i].format);
    }
}

static void cut_compressed_data_gives_what_can_be_unpacked(void **state)
{
    (void)state;
    struct build b = many_packets();
    const char *plain = save("plain", &b);
    for (size_t i = 0; i < COMPRESSIONS; i++) {
        const char *path = in_folder("compressed");
        struct stat status;
        if (!compress_with(compressions[i].command, plain, path))
            continue;
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(truncate(path, status.st_size - 3), 0);
        struct seen seen = read_path(path);
        assert_true(seen.opened);
        assert_true(seen.count <= 5000);
        assert_true(seen.quality.truncated);
        assert_contains(seen.quality.damage, "ends in the middle");
        forget(&seen);
    }
}

static void corrupt_compressed_data_is_damage(void **state)
{
    (void)state;
    struct build b = many_packets();
    const char *plain = save("plain", &b);
    for (size_t i = 0; i < COMPRESSIONS; i++) {
        const char *path = in_folder("compressed");
        struct stat status;
        if (!compress_with(compressions[i].command, plain, path))
            continue;
        assert_int_equal(stat(path, &status), 0);
        int fd = open(path, O_RDWR);
        assert_true(fd >= 0);
        char junk[64];
        memset(junk, 0x55, sizeof junk);
        assert_int_equal(pwrite(fd, junk, sizeof junk, status.st_size / 2), sizeof junk);
        close(fd);
        struct seen seen = read_path(path);
        assert_true(!seen.opened || seen.quality.truncated);
        forget(&seen);
    }
}

static void zeros_after_gzip_are_padding_and_other_bytes_are_damage(void **state)
{
    (void)state;
    struct build b = three_packets();
    const char *plain = save("plain", &b);
    const char *path = in_folder("padded");
    assert_true(compress_with("gzip -c", plain, path));
    char line[1200];
    snprintf(line, sizeof line, "head -c 1000 /dev/zero >> %s", path);
    assert_int_equal(system(line), 0);
    struct seen seen = read_path(path);
    assert_int_equal(seen.count, 3);
    assert_false(seen.quality.truncated);
    forget(&seen);
    assert_true(compress_with("gzip -c", plain, path));
    snprintf(line, sizeof line, "printf junkjunkjunk >> %s", path);
    assert_int_equal(system(line), 0);
    seen = read_path(path);
    assert_int_equal(seen.count, 3);
    assert_true(seen.quality.truncated);
    forget(&seen);
}

static void the_hash_is_that_of_the_stored_file_even_after_damage(void **state)
{
    (void)state;
    struct build b = three_packets();
    record_head(&b, 1, 1, 0x40000000, 0x40000000);
    put_filler(&b, 3 << 20, 0x77);
    const char *path = save("damaged", &b);
    char line[600], expected[65] = "";
    snprintf(line, sizeof line, "sha256sum %s", path);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%64s", expected), 1);
    pclose(pipe);
    struct seen seen = read_path(path);
    assert_int_equal(seen.count, 3);
    assert_string_equal(capture_file_at(seen.capture, 0)->sha256, expected);
    assert_string_equal(capture_file_at(seen.capture, 0)->fingerprint, "");
    forget(&seen);
}

static void without_a_hash_there_is_a_fingerprint_that_sees_every_sample(void **state)
{
    (void)state;
    struct capture_options options = {
        .hash = CAPTURE_HASH_NEVER, .since_ns = TIME_UNKNOWN, .until_ns = TIME_UNKNOWN};
    struct build b = many_packets();
    char before[65] = "";
    const size_t changed[] = {b.size, 30, b.size - 1, b.size / 64 * 33 + 100};
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
        if (i)
            b.bytes[changed[i]] ^= 1;
        const char *path = save_bytes("f", b.bytes, b.size);
        struct seen seen = read_paths(&path, 1, &options);
        const struct capture_file *facts = capture_file_at(seen.capture, 0);
        assert_string_equal(facts->sha256, "");
        assert_int_equal(strlen(facts->fingerprint), 64);
        assert_string_not_equal(facts->fingerprint, before);
        strcpy(before, facts->fingerprint);
        forget(&seen);
    }
    free(b.bytes);
}

/* A writer on the other end of a named pipe, piece by piece. */
static void write_slowly(const char *path, const struct build *b, size_t piece)
{
    if (fork() != 0)
        return;
    int fd = open(path, O_WRONLY);
    for (size_t at = 0; at < b->size; at += piece) {
        size_t size = b->size - at < piece ? b->size - at : piece;
        if (write(fd, b->bytes + at, size) != (ssize_t)size)
            _exit(1);
    }
    _exit(0);
}

static void a_pipe_is_read_as_it_comes(void **state)
{
    (void)state;
    struct build b = three_packets();
    const char *path = in_folder("pipe");
    for (size_t piece = 1; piece < 300; piece += 37) {
        unlink(path);
        assert_int_equal(mkfifo(path, 0600), 0);
        write_slowly(path, &b, piece);
        struct seen seen = read_path(path);
        assert_int_equal(seen.count, 3);
        assert_false(seen.quality.truncated);
        const struct capture_file *facts = capture_file_at(seen.capture, 0);
        assert_int_equal(facts->stored_size, b.size);
        assert_int_equal(strlen(facts->sha256), 64);
        forget(&seen);
    }
    free(b.bytes);
}

static void a_pipe_may_carry_compressed_data(void **state)
{
    (void)state;
    struct build b = three_packets();
    const char *plain = save("plain", &b);
    const char *stored = in_folder("stored");
    assert_true(compress_with("gzip -c", plain, stored));
    struct build compressed = {0};
    uint8_t bytes[4096];
    FILE *file = fopen(stored, "rb");
    assert_non_null(file);
    put(&compressed, bytes, fread(bytes, 1, sizeof bytes, file));
    fclose(file);
    const char *path = in_folder("pipe");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    write_slowly(path, &compressed, 1);
    struct seen seen = read_path(path);
    assert_int_equal(seen.count, 3);
    assert_string_equal(capture_file_at(seen.capture, 0)->format, "pcap, gzip");
    forget(&seen);
    free(compressed.bytes);
}

/* A file whose writer goes on each time that its end is reached. */
struct growth {
    const char *path;
    const struct build *whole;
    size_t written;
    size_t piece;
    unsigned asked;
};

static bool grow_or_stop(void *context)
{
    struct growth *growth = context;
    growth->asked++;
    size_t left = growth->whole->size - growth->written;
    size_t size = left < growth->piece ? left : growth->piece;
    FILE *file = fopen(growth->path, "ab");
    assert_non_null(file);
    assert_int_equal(fwrite(growth->whole->bytes + growth->written, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    growth->written += size;
    return left == 0;
}

static struct capture_options following(struct growth *growth)
{
    return (struct capture_options){.since_ns = TIME_UNKNOWN,
                                    .until_ns = TIME_UNKNOWN,
                                    .follow = true,
                                    .stop = grow_or_stop,
                                    .stop_context = growth};
}

static void a_file_that_grows_is_followed_until_asked_to_stop(void **state)
{
    (void)state;
    struct build b = three_packets();
    struct growth growth = {.whole = &b, .piece = b.size / 3};
    struct capture_options options = following(&growth);
    growth.path = save_bytes("growing", b.bytes, 0); /* the writer has just begun */
    struct seen seen = read_paths(&growth.path, 1, &options);
    assert_true(seen.opened);
    assert_int_equal(seen.count, 3);
    assert_false(seen.quality.truncated);
    assert_true(growth.asked >= 4);
    assert_int_equal(capture_file_at(seen.capture, 0)->stored_size, b.size);
    forget(&seen);
    free(b.bytes);
}

static void the_record_that_a_followed_file_ends_in_is_being_written(void **state)
{
    (void)state;
    struct build b = three_packets();
    b.size -= 5;
    struct growth growth = {.whole = &b, .written = b.size};
    struct capture_options options = following(&growth);
    growth.path = save_bytes("growing", b.bytes, b.size);
    struct seen seen = read_paths(&growth.path, 1, &options);
    assert_int_equal(seen.count, 2);
    assert_false(seen.quality.truncated);
    assert_string_equal(seen.quality.damage, "");
    forget(&seen);
    free(b.bytes);
}

struct change {
    const char *path;
    const char *instead; /* NULL: it is emptied */
    unsigned asked;
};

static bool change_once(void *context)
{
    struct change *change = context;
    if (change->asked++ == 0 && change->instead)
        assert_int_equal(rename(change->instead, change->path), 0);
    else if (change->asked == 1)
        assert_int_equal(truncate(change->path, 0), 0);
    return change->asked > 500;
}

static void a_followed_file_that_is_cut_or_replaced_ends(void **state)
{
    (void)state;
    struct build b = three_packets();
    static const char *const reasons[] = {"made shorter", "replaced or removed"};
    for (size_t i = 0; i < 2; i++) {
        struct change change = {.path = save_bytes("growing", b.bytes, b.size)};
        struct capture_options options = {.since_ns = TIME_UNKNOWN,
                                          .until_ns = TIME_UNKNOWN,
                                          .follow = true,
                                          .stop = change_once,
                                          .stop_context = &change};
        char path[200];
        snprintf(path, sizeof path, "%s", change.path);
        change.path = path;
        if (i)
            change.instead = save_bytes("other", b.bytes, b.size);
        struct seen seen = read_paths(&change.path, 1, &options);
        assert_int_equal(seen.count, 3);
        assert_true(seen.quality.truncated);
        assert_contains(seen.quality.damage, reasons[i]);
        assert_true(change.asked < 100);
        forget(&seen);
    }
    free(b.bytes);
}

static void only_one_file_can_be_followed(void **state)
{
    (void)state;
    struct build b = three_packets();
    struct growth growth = {.whole = &b, .written = b.size};
    struct capture_options options = following(&growth);
    const char *const two[] = {save_bytes("one", b.bytes, b.size),
                               save_bytes("two", b.bytes, b.size)};
    struct seen seen = read_paths(two, 2, &options);
    assert_false(seen.opened);
    assert_contains(seen.fault.sentence, "only one file can be followed");
    forget(&seen);
    free(b.bytes);
}

static bool stop_at_once(void *context)
{
    ++*(unsigned *)context;
    return true;
}

/* Nobody writes into the pipe any more, and nobody closes it: reading must not wait for ever. */
static void a_silent_pipe_can_be_given_up(void **state)
{
    (void)state;
    unsigned asked = 0;
    struct build b = three_packets();
    const char *path = in_folder("silent");
    struct capture_options options = {.since_ns = TIME_UNKNOWN,
                                      .until_ns = TIME_UNKNOWN,
                                      .stop = stop_at_once,
                                      .stop_context = &asked};
    assert_int_equal(mkfifo(path, 0600), 0);
    int writer = open(path, O_RDWR);
    assert_int_equal(write(writer, b.bytes, b.size), b.size);
    struct seen seen = read_paths(&path, 1, &options);
    assert_int_equal(seen.count, 3);
    assert_true(asked > 0);
    forget(&seen);
    close(writer);
    free(b.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_compression_is_read),
        cmocka_unit_test(concatenated_members_are_one_stream),
        cmocka_unit_test(cut_compressed_data_gives_what_can_be_unpacked),
        cmocka_unit_test(corrupt_compressed_data_is_damage),
        cmocka_unit_test(zeros_after_gzip_are_padding_and_other_bytes_are_damage),
        cmocka_unit_test(the_hash_is_that_of_the_stored_file_even_after_damage),
        cmocka_unit_test(without_a_hash_there_is_a_fingerprint_that_sees_every_sample),
        cmocka_unit_test(a_pipe_is_read_as_it_comes),
        cmocka_unit_test(a_pipe_may_carry_compressed_data),
        cmocka_unit_test(a_file_that_grows_is_followed_until_asked_to_stop),
        cmocka_unit_test(the_record_that_a_followed_file_ends_in_is_being_written),
        cmocka_unit_test(a_followed_file_that_is_cut_or_replaced_ends),
        cmocka_unit_test(only_one_file_can_be_followed),
        cmocka_unit_test(a_silent_pipe_can_be_given_up),
    };
    return cmocka_run_group_tests_name("capture/source", tests, NULL, remove_folder);
}
