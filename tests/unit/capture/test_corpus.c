/* Captures of other people: frame counts as Wireshark's capinfos gives them, and no harm from the
 * broken ones. Skipped where they are not at hand. */
#include <dirent.h>
#include <time.h>

#include "builder.h"

static const char *corpus(void)
{
    static char path[512];
    const char *given = getenv("APNSCOPE_SHARED_PCAPS");
    snprintf(path, sizeof path, "%s", given ? given : TEST_SOURCE_DIR "/../shared/pcaps");
    if (access(path, R_OK) == 0)
        return path;
    print_message("no captures at %s: skipped\n", path);
    skip();
    return NULL;
}

struct golden {
    const char *name;
    uint64_t frames;
    const char *format;
};

static const struct golden goldens[] = {
    {"encap/8021ad.pcap", 179, "pcap"},
    {"encap/apple-mixed-eth-null-radar-74957353.pcapng", 197, "pcapng"},
    {"encap/gtp-iphone-sll.pcap", 106, "pcap"},
    {"encap/null-apple-radar-88502733.pcapng", 4, "pcapng"},
    {"encap/pcap-bigendian-ns.pcap", 10, "pcap (nanoseconds)"},
    {"encap/pcap-bigendian.pcap", 2, "pcap"},
    {"encap/pcap-modified-kuznetzov.pcap", 5, "pcap (modified)"},
    {"encap/pcap-nanosecond.pcap", 4, "pcap (nanoseconds)"},
    {"encap/pcapng-11-interfaces.pcapng", 64, "pcapng"},
    {"encap/pcapng-2-sections.pcapng", 27, "pcapng"},
    {"encap/pcapng-22if-eth.pcapng", 699, "pcapng"},
    {"encap/pcapng-bigendian.pcapng", 4, "pcapng"},
    {"encap/pcapng-dsb-tls.pcapng", 17, "pcapng"},
    {"encap/pktap-multi-idb-radar-31053702.pcapng", 694, "pcapng"},
    {"encap/pppoe-double-vlan.pcap", 432, "pcap"},
    {"encap/sll-100.pcap", 100, "pcap"},
    {"encap/sll-oversized-addr.pcapng", 209, "pcapng"},
    {"apns/apple-radar-33413692.pcap", 3859, NULL},
    {"apns/ndpi-skype.pcap", 3284, NULL},
    {"apns/ndpi-iphone.pcap", 500, NULL},
    {"bad/midfile-error/complex.pcapng", 5, "pcapng"},
    {"bad/midfile-error/many_interfaces-1.pcapng", 64, "pcapng"},
    {"bad/midfile-error/modify-request.pcapng", 17, "pcapng"},
    {"bad/midfile-error/ospf6_print_lshdr-oobr.pcapng", 15, NULL},
    {"bad/midfile-error/tls_DER-incomplete-header.pcap", 6, "pcap"},
    {"bad/midfile-error/test005.pcapng", 4, "pcapng"},
};

static void frame_counts_are_those_of_wireshark(void **state)
{
    (void)state;
    const char *root = corpus();
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", root, goldens[i].name);
        if (access(path, R_OK) != 0) {
            print_message("not there: %s\n", path);
            continue;
        }
        struct seen seen = read_path(path);
        if (seen.count != goldens[i].frames)
            fail_msg("%s: %zu frames, expected %llu", goldens[i].name, seen.count,
                     (unsigned long long)goldens[i].frames);
        if (goldens[i].format)
            assert_string_equal(capture_file_at(seen.capture, 0)->format, goldens[i].format);
        forget(&seen);
    }
}

static void apple_packets_know_their_process(void **state)
{
    (void)state;
    char path[1024];
    snprintf(path, sizeof path, "%s/encap/apple-mixed-eth-null-radar-74957353.pcapng", corpus());
    if (access(path, R_OK) != 0)
        skip();
    struct seen seen = read_path(path);
    size_t of_test = 0, of_kernel = 0;
    for (size_t i = 0; i < seen.count; i++) {
        const char *name = seen.frames[i].process.name;
        of_test += name && strcmp(name, "network_test") == 0;
        of_kernel += name && strcmp(name, "kernel_task") == 0;
    }
    assert_int_equal(of_test, 176);
    assert_int_equal(of_kernel, 9);
    forget(&seen);
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t read_folder(const char *folder)
{
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        char path[2048];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_type == DT_DIR) {
            if (entry->d_name[0] != '.')
                count += read_folder(path);
            continue;
        }
        double begin_s = now_s();
        struct seen seen = read_path(path);
        if (!seen.opened)
            assert_true(seen.fault.sentence[0] != 0);
        if (now_s() - begin_s > 1.0)
            fail_msg("%s: took %.1f s", path, now_s() - begin_s);
        forget(&seen);
        count++;
    }
    closedir(entries);
    return count;
}

static void broken_captures_end_in_no_time_and_do_no_harm(void **state)
{
    (void)state;
    char path[1024];
    snprintf(path, sizeof path, "%s/bad", corpus());
    if (access(path, R_OK) != 0)
        skip();
    assert_true(read_folder(path) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_counts_are_those_of_wireshark),
        cmocka_unit_test(apple_packets_know_their_process),
        cmocka_unit_test(broken_captures_end_in_no_time_and_do_no_harm),
    };
    return cmocka_run_group_tests_name("capture/corpus", tests, NULL, remove_folder);
}
