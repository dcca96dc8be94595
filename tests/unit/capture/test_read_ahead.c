/* Reading ahead by a second thread: the same frames, errors and hashes as without it. */
#include "builder.h"

#include <signal.h>
#include <sys/wait.h>

enum { MIB = 1 << 20 };

/* Enough to be worth a thread, of records that straddle blocks in every way. */
static struct build much(void)
{
    struct build b = pcap();
    for (uint32_t i = 0; b.size < 12 * MIB; i++)
        record(&b, i, i * 7919 % 1000000, i % 97 == 0 ? 150000 : 40 + i * 31 % 1400);
    return b;
}

static size_t records_in(const struct build *b)
{
    size_t count = 0;
    for (size_t at = 24; at < b->size; count++) {
        uint32_t size;
        memcpy(&size, b->bytes + at + 8, sizeof size); /* little-endian machines only */
        at += 16 + size;
    }
    return count;
}

static void compress(const char *command, const char *name)
{
    char line[600];
    snprintf(line, sizeof line, "cd %s && %s < plain > %s", test_folder, command, name);
    assert_int_equal(system(line), 0);
}

static const char *save_compressed(const struct build *b, const char *command)
{
    save_bytes("plain", b->bytes, b->size);
    compress(command, "compressed");
    return in_folder("compressed");
}

static void check_frames(const struct seen *seen, size_t count)
{
    assert_true(seen->opened);
    assert_int_equal(seen->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(seen->frames[i].number, i + 1);
        assert_int_equal(seen->first_bytes[i], i & 0xff);
    }
}

static void a_large_compressed_file_is_read_whole(void **state)
{
    (void)state;
    static const char *const commands[] = {"gzip -1 -c", "zstd -q -1 -c"};
    struct build b = much();
    for (size_t i = 0; i < 2; i++) {
        struct seen seen = read_path(save_compressed(&b, commands[i]));
        check_frames(&seen, records_in(&b));
        assert_false(seen.quality.truncated);
        assert_int_equal(strlen(capture_file_at(seen.capture, 0)->sha256), 64);
        forget(&seen);
    }
    free(b.bytes);
}

static void damage_far_inside_is_told_after_the_frames_before_it(void **state)
{
    (void)state;
    struct build b = much();
    const char *path = save_compressed(&b, "gzip -1 -c");
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(truncate(path, status.st_size * 3 / 4), 0);
    struct seen seen = read_path(path);
    assert_true(seen.count > 100);
    check_frames(&seen, seen.count);
    assert_contains(seen.quality.damage, "ends in the middle");
    forget(&seen);
    free(b.bytes);
}

static void read_some_and_close(const char *path)
{
    struct names *names = names_new(MIB);
    struct capture_options options = {
        .names = names, .since_ns = TIME_UNKNOWN, .until_ns = TIME_UNKNOWN};
    struct capture *capture;
    struct frame frames[CAPTURE_BATCH_MAX];
    struct fault fault;
    assert_true(capture_open(&capture, &path, 1, &options, &fault));
    for (int i = 0; i < 3; i++)
        assert_int_not_equal(capture_next(capture, frames, CAPTURE_BATCH_MAX), 0);
    capture_close(capture);
    names_free(names);
}

static void reading_may_be_given_up(void **state)
{
    (void)state;
    struct build b = much();
    read_some_and_close(save_compressed(&b, "gzip -1 -c"));
    free(b.bytes);
}

/* The thread waits for a writer who has nothing more to say. */
static void so_it_may_while_a_pipe_is_silent(void **state)
{
    (void)state;
    struct build b = pcap();
    for (uint32_t i = 0; i < 1000; i++)
        record(&b, i, 0, 60);
    const char *path = in_folder("silent");
    assert_int_equal(mkfifo(path, 0600), 0);
    pid_t writer = fork();
    if (writer == 0) {
        int fd = open(path, O_WRONLY);
        if (write(fd, b.bytes, b.size) != (ssize_t)b.size)
            _exit(1);
        pause();
        _exit(0);
    }
    read_some_and_close(path);
    assert_int_equal(kill(writer, SIGTERM), 0);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    free(b.bytes);
}

static pid_t write_into(const char *pipe, const struct build *b)
{
    pid_t writer = fork();
    if (writer != 0)
        return writer;
    int fd = open(pipe, O_WRONLY);
    _exit(write(fd, b->bytes, b->size) == (ssize_t)b->size ? 0 : 1);
}

static void behind_damage_a_pipe_is_read_on_for_its_hash(void **state)
{
    (void)state;
    struct build b = pcap();
    record(&b, 0, 0, 60);
    record_head(&b, 1, 1, 0x40000000, 0x40000000);
    put_filler(&b, 3 * MIB, 0x77);
    const char *path = in_folder("damaged-pipe");
    int status;
    assert_int_equal(mkfifo(path, 0600), 0);
    pid_t writer = write_into(path, &b);
    struct seen piped = read_path(path);
    struct seen stored = read_path(save_bytes("damaged", b.bytes, b.size));
    assert_int_equal(waitpid(writer, &status, 0), writer);
    assert_int_equal(status, 0);
    assert_int_equal(piped.count, 1);
    assert_string_equal(capture_file_at(piped.capture, 0)->sha256,
                        capture_file_at(stored.capture, 0)->sha256);
    assert_int_equal(capture_file_at(piped.capture, 0)->stored_size, b.size);
    forget(&piped);
    forget(&stored);
    free(b.bytes);
}

static void merged_files_are_read_ahead_side_by_side(void **state)
{
    (void)state;
    enum { FILES = 5 };
    const char *paths[FILES];
    size_t count = 0;
    for (uint32_t file = 0; file < FILES; file++) {
        struct build b = pcap();
        char name[16];
        for (uint32_t i = 0; i < 4000; i++, count++)
            record(&b, 1000 + i, file, 200 + i % 700);
        snprintf(name, sizeof name, "overlapping-%u", file);
        paths[file] = save(name, &b);
    }
    struct seen seen = read_paths(paths, FILES, NULL);
    assert_int_equal(seen.count, count);
    for (size_t i = 1; i < count; i++)
        assert_true(seen.frames[i].time_ns >= seen.frames[i - 1].time_ns);
    forget(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_compressed_file_is_read_whole),
        cmocka_unit_test(damage_far_inside_is_told_after_the_frames_before_it),
        cmocka_unit_test(reading_may_be_given_up),
        cmocka_unit_test(so_it_may_while_a_pipe_is_silent),
        cmocka_unit_test(behind_damage_a_pipe_is_read_on_for_its_hash),
        cmocka_unit_test(merged_files_are_read_ahead_side_by_side),
    };
    return cmocka_run_group_tests_name("capture/read_ahead", tests, NULL, remove_folder);
}
