/* What is written as pcapng is read back by our own reader. */
#include "builder.h"

#include "capture/pcapng_writer.h"

static const uint8_t bytes[] = {1, 2, 3, 4, 5};

static struct frame sample(uint32_t interface, uint16_t link_type, int64_t time_ns, uint32_t size)
{
    return (struct frame){.interface_id = interface,
                          .link_type = link_type,
                          .time_ns = time_ns,
                          .captured_size = size,
                          .original_size = size + 1000,
                          .bytes = bytes};
}

static const char *write_frames(const struct frame *frames, size_t count)
{
    struct pcapng_writer writer;
    const char *path = in_folder("written.pcapng");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    pcapng_writer_begin(&writer, file, "a test", "of three frames");
    for (size_t i = 0; i < count; i++)
        assert_true(pcapng_writer_put(&writer, &frames[i], i == 1 ? "the proof" : NULL));
    assert_int_equal(fclose(file), 0);
    return path;
}

static void frames_come_back_with_their_times_link_types_and_sizes(void **state)
{
    (void)state;
    const struct frame written[] = {sample(0, 1, INT64_C(1772359200123456789), 5),
                                    sample(7, 113, INT64_C(1772359200123456790), 3),
                                    sample(0, 1, INT64_C(1772359201000000001), 4)};
    const char *path = write_frames(written, 3);
    struct fault fault = {{0}};
    struct capture *capture;
    struct frame frames[CAPTURE_BATCH_MAX];
    struct names *names = names_new(1 << 16);
    struct capture_options options = {
        .names = names, .since_ns = TIME_UNKNOWN, .until_ns = TIME_UNKNOWN};
    if (!capture_open(&capture, &path, 1, &options, &fault))
        fail_msg("%s", fault.sentence);
    size_t count = 0, more;
    while ((more = capture_next(capture, frames, CAPTURE_BATCH_MAX)))
        for (size_t i = 0; i < more; i++, count++) {
            assert_int_equal(frames[i].time_ns, written[count].time_ns);
            assert_int_equal(frames[i].link_type, written[count].link_type);
            assert_int_equal(frames[i].captured_size, written[count].captured_size);
            assert_int_equal(frames[i].original_size, written[count].original_size);
            assert_memory_equal(frames[i].bytes, bytes, written[count].captured_size);
        }
    assert_int_equal(count, 3);
    assert_false(capture_file_at(capture, 0)->truncated);
    capture_close(capture);
    names_free(names);
}

static void too_many_interfaces_are_told(void **state)
{
    (void)state;
    struct pcapng_writer writer;
    FILE *file = fopen("/dev/null", "wb");
    assert_non_null(file);
    pcapng_writer_begin(&writer, file, NULL, NULL);
    for (uint32_t i = 0; i < PCAPNG_WRITER_INTERFACES; i++) {
        struct frame frame = sample(i, 1, 0, 1);
        assert_true(pcapng_writer_put(&writer, &frame, NULL));
    }
    struct frame frame = sample(PCAPNG_WRITER_INTERFACES, 1, 0, 1);
    assert_false(pcapng_writer_put(&writer, &frame, NULL));
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_back_with_their_times_link_types_and_sizes),
        cmocka_unit_test(too_many_interfaces_are_told),
    };
    return cmocka_run_group_tests_name("capture/pcapng_writer", tests, NULL, NULL);
}
