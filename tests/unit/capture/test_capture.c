/* Opening: what is refused and how it is said; directories; the time range; quality. */
#include <sys/socket.h>
#include <sys/un.h>

#include "builder.h"

static void refuses(const char *path, const char *sentence)
{
    struct seen seen = read_path(path);
    assert_false(seen.opened);
    assert_contains(seen.fault.sentence, sentence);
    if (path[0] == '/')
        assert_contains(seen.fault.sentence, path);
    forget(&seen);
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    refuses("/nowhere/at-all.pcap", "no such file");
}

static void a_file_without_permission_says_so(void **state)
{
    (void)state;
    struct build b = pcap();
    const char *path = save("forbidden", &b);
    if (geteuid() == 0)
        skip(); /* root may read everything */
    assert_int_equal(chmod(path, 0), 0);
    refuses(path, "no permission");
}

static void devices_and_sockets_are_not_captures(void **state)
{
    (void)state;
    refuses("/dev/null", "is a device");
    refuses("/dev/zero", "is a device");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = in_folder("socket");
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    refuses(path, "is a socket");
    close(fd);
}

static void an_empty_file_holds_no_packets(void **state)
{
    (void)state;
    refuses(save_bytes("empty", "", 0), "holds no packets: 0 bytes");
}

static void what_is_no_capture_is_called_by_its_name(void **state)
{
    (void)state;
    struct {
        const char *name;
        const char *bytes;
        size_t size;
        const char *what;
    } files[] = {
        {"elf", "\177ELF\2\1\1", 7, "ELF"},
        {"pdf", "%PDF-1.7", 8, "PDF"},
        {"zip", "PK\3\4aaaa", 8, "ZIP"},
        {"png", "\211PNG\r\n\032\n", 8, "PNG"},
        {"observer", "ObserverPktBufferVersion=15.00", 30, "Observer"},
        {"adc.cap", "\1\0\2\0NetScaler Performance Data", 30, "NetScaler"},
        {"cabinet", "MSCF\0\0\0\0", 8, "cabinet"},
        {"forti.pcap", "interfaces=[any]\nfilters=[none]\n", 31, "FortiGate"},
        {"netmon", "GMBU\1\2\3\4", 8, "Network Monitor"},
        {"x.erf", "\0\1\2\3\4\5\6\7\10", 9, "ERF"},
        {"x.ETL", "\0\1\2\3\4\5\6\7\10", 9, "ETL"},
        {"out", "12:34:56.789012 IP 17.1.1.1.5223 > 10.0.0.1.1: Flags [S]\n", 57, "tcpdump"},
        {"out2", "2026-03-01 12:34:56.789012 IP 17.1.1.1 > 1.1.1.1: x\n", 52, "tcpdump"},
        {"text", "hello\n", 6, "text"},
        {"bz2", "BZh91AY", 7, "bzip2"},
        {"html", "<html><body>404", 15, "HTML"},
        {"html2", "\n  <!DOCTYPE HTML>\n", 19, "HTML"},
        {"html3", "\xef\xbb\xbf<Head>", 9, "HTML"},
        {"json", "{\"error\": \"not found\"}", 22, "JSON"},
        {"hex", "0000  45 00 00 3c 1c 46\n", 24, "hexdump"},
        {"hex2", "\t0x0000:  4500 003c 1c46\n", 25, "hexdump"},
        {"hex3", "00000000: 4500 003c 1c46\n", 25, "hexdump"},
        {"zeroth", "0000 is the first of them\n", 26, "looks like text"},
        {"zeros", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, "zeros"},
        {"one", "\1", 1, "fewer than any capture"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        refuses(save_bytes(files[i].name, files[i].bytes, files[i].size), files[i].what);
}

static void inside_a_compression_it_is_looked_at_too(void **state)
{
    (void)state;
    const char *path = in_folder("x.gz");
    char line[600];
    snprintf(line, sizeof line, "printf '%%s' '%%PDF-1.7' | gzip -c > %s", path);
    assert_int_equal(system(line), 0);
    refuses(path, "under its gzip compression");
    refuses(path, "PDF");
}

static void standard_input_is_a_dash_and_only_once(void **state)
{
    (void)state;
    const char *paths[] = {"-", "-"};
    struct seen seen = read_paths(paths, 2, NULL);
    assert_false(seen.opened);
    assert_contains(seen.fault.sentence, "named twice");
    forget(&seen);
    struct build b = pcap();
    record(&b, 1, 0, 60);
    int kept = dup(STDIN_FILENO);
    int fd = open(save("stdin", &b), O_RDONLY);
    assert_true(dup2(fd, STDIN_FILENO) == STDIN_FILENO);
    seen = read_paths(paths, 1, NULL);
    assert_int_equal(seen.count, 1);
    assert_string_equal(capture_file_at(seen.capture, 0)->path, "-");
    forget(&seen);
    dup2(kept, STDIN_FILENO);
    close(kept);
    close(fd);
}

static void a_folder_stands_for_the_captures_in_it(void **state)
{
    (void)state;
    const char *folder = in_folder("folder");
    assert_int_equal(mkdir(folder, 0700), 0);
    refuses(folder, "holds no captures");
    struct build b = pcap();
    record(&b, 2, 0, 60);
    save("folder/b.pcap", &b);
    b = pcapng(true);
    packet(&b, 0, 1000000, 61);
    save("folder/a.pcapng", &b);
    save_bytes("folder/notes.txt", "hello\n", 6);
    save_bytes("folder/ring.pcap3", "", 0);
    b = pcap();
    b.size = 10;
    save("folder/cut.pcap", &b);
    assert_int_equal(mkdir(in_folder("folder/sub"), 0700), 0);
    struct seen seen = read_path(folder);
    assert_true(seen.opened);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.frames[0].captured_size, 61);
    assert_int_equal(capture_file_count(seen.capture), 3);
    assert_contains(capture_file_at(seen.capture, 0)->path, "folder/a.pcapng");
    assert_contains(capture_file_at(seen.capture, 0)->notes, "2 of 5 files are no captures");
    assert_contains(seen.quality.damage, "cut.pcap: the file header is cut");
    forget(&seen);
}

static void a_folder_of_other_things_is_refused_with_their_number(void **state)
{
    (void)state;
    const char *folder = in_folder("others");
    assert_int_equal(mkdir(folder, 0700), 0);
    save_bytes("others/a", "hello", 5);
    save_bytes("others/b", "hello", 5);
    refuses(folder, "2 files looked at");
}

static void one_file_that_was_named_and_is_none_refuses_all(void **state)
{
    (void)state;
    struct build b = pcap();
    const char *paths[] = {save("good", &b), save_bytes("bad", "hello", 5)};
    struct seen seen = read_paths(paths, 2, NULL);
    assert_false(seen.opened);
    forget(&seen);
}

static void frames_outside_the_time_range_are_numbered_and_not_given(void **state)
{
    (void)state;
    struct capture_options options = {.since_ns = 100 * NS_PER_S, .until_ns = 200 * NS_PER_S};
    struct build b = pcap();
    for (uint32_t i = 0; i < 300; i++)
        record(&b, i, 0, 60);
    const char *path = save("range", &b);
    struct seen seen = read_paths(&path, 1, &options);
    assert_int_equal(seen.count, 100);
    assert_int_equal(seen.frames[0].number, 101);
    assert_int_equal(seen.frames[99].number, 200);
    assert_int_equal(seen.quality.frames, 300);
    assert_int_equal(seen.quality.skipped[SKIP_FILTERED], 200);
    assert_int_equal(seen.quality.first_ns, 100 * NS_PER_S);
    assert_int_equal(seen.quality.last_ns, 199 * NS_PER_S);
    forget(&seen);
}

static void quality_counts_bytes_cuts_and_steps_back(void **state)
{
    (void)state;
    struct build b = pcap_of(0xa1b2c3d4, true, 96, 1);
    static const uint32_t times[] = {10, 9, 20, 4};
    for (size_t i = 0; i < 4; i++) {
        record_head(&b, times[i], 0, 96, 96 + (i == 2));
        put_filler(&b, 96, 1);
    }
    struct seen seen = read_build(&b);
    assert_int_equal(seen.quality.frames, 4);
    assert_int_equal(seen.quality.bytes, 384);
    assert_int_equal(seen.quality.frames_cut, 1);
    assert_int_equal(seen.quality.backward_steps, 2);
    assert_int_equal(seen.quality.largest_step_back_ns, 16 * NS_PER_S);
    assert_int_equal(seen.quality.smallest_snap, 96);
    forget(&seen);
}

static void frames_cut_by_a_later_tool_show_the_snap_length(void **state)
{
    (void)state;
    struct build b = pcap();
    record_head(&b, 1, 0, 96, 1514);
    put_filler(&b, 96, 1);
    record_head(&b, 2, 0, 70, 1514);
    put_filler(&b, 70, 1);
    record(&b, 3, 0, 60); /* whole */
    struct seen seen = read_build(&b);
    assert_int_equal(seen.quality.frames_cut, 2);
    assert_int_equal(seen.quality.smallest_snap, 70);
    forget(&seen);
}

static void quality_adds_to_what_is_there(void **state)
{
    (void)state;
    struct build b = pcap();
    record(&b, 10, 0, 60);
    struct seen seen = read_build(&b);
    struct capture_quality quality = {
        .frames = 5, .bytes = 100, .first_ns = 3 * NS_PER_S, .last_ns = 4 * NS_PER_S};
    capture_quality_of(seen.capture, &quality);
    assert_int_equal(quality.frames, 6);
    assert_int_equal(quality.bytes, 160);
    assert_int_equal(quality.first_ns, 3 * NS_PER_S);
    assert_int_equal(quality.last_ns, 10 * NS_PER_S);
    forget(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(a_file_without_permission_says_so),
        cmocka_unit_test(devices_and_sockets_are_not_captures),
        cmocka_unit_test(an_empty_file_holds_no_packets),
        cmocka_unit_test(what_is_no_capture_is_called_by_its_name),
        cmocka_unit_test(inside_a_compression_it_is_looked_at_too),
        cmocka_unit_test(standard_input_is_a_dash_and_only_once),
        cmocka_unit_test(a_folder_stands_for_the_captures_in_it),
        cmocka_unit_test(a_folder_of_other_things_is_refused_with_their_number),
        cmocka_unit_test(one_file_that_was_named_and_is_none_refuses_all),
        cmocka_unit_test(frames_outside_the_time_range_are_numbered_and_not_given),
        cmocka_unit_test(quality_counts_bytes_cuts_and_steps_back),
        cmocka_unit_test(frames_cut_by_a_later_tool_show_the_snap_length),
        cmocka_unit_test(quality_adds_to_what_is_there),
    };
    return cmocka_run_group_tests_name("capture/capture", tests, NULL, remove_folder);
}
