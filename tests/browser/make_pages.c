/* Writes the report pages that the browser opens: `make_pages DIRECTORY [--keep]` (--keep: the
 * databases instead, for tests/formats).
 *
 * From the databases of the report's own tests: a faulty site, a healthy one, hostile names, an
 * empty capture, five thousand devices, and three sites. */
#include "tests/unit/report/fill.h"

enum { MANY_DEVICES = 5000 };

static void write_page(const struct fill *fill, const char *directory, const char *name)
{
    char path[512];
    struct fault fault = {0};
    struct report_options options = fill_options(fill);
    options.range.all_runs = true;
    snprintf(path, sizeof path, "%s/%s.html", directory, name);
    if (!report_html(&options, path, &fault)) {
        fprintf(stderr, "%s\n", fault.sentence);
        exit(3);
    }
    fill_remove(fill);
}

static void keep_database(const struct fill *fill, const char *directory, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.db", directory, name);
    if (rename(fill->database, path) != 0) {
        perror(path);
        exit(3);
    }
    fill_remove(fill);
}

static void fill_empty_site(struct fill *fill)
{
    fill_begin(fill);
    fill_requirement(fill, R0_CAPTURE, STATUS_FAIL, 0, 0,
                     "None of 48,213 packets belongs to a session of APNs: nothing can be judged.");
    fill_end(fill);
}

static void fill_many(struct fill *fill)
{
    fill_begin(fill);
    for (unsigned i = 0; i < MANY_DEVICES; i++) {
        char client[32];
        bool is_blocked = i % 5 == 0;
        snprintf(client, sizeof client, "10.%u.%u.%u", 30 + i / 60000, i / 250 % 240, 2 + i % 250);
        if (is_blocked)
            fill_unanswered(fill, client, "17.57.144.84", 5223, i % 3000);
        else
            fill_working(fill, client, "17.57.144.20", 5223, i % 3000, 500);
        fill_device(fill, client, is_blocked ? VERDICT_BROKEN : VERDICT_WORKS,
                    is_blocked ? "" : "5223", is_blocked ? "Nothing worked." : "It worked.", 1);
        if (!is_blocked)
            continue;
        struct finding finding =
            fill_finding(fill, "port-blocked-silent", SEVERITY_FAIL, client,
                         "TCP 5223 to Apple gets no answer: 5 SYNs over 15 s, no reply.");
        finding.flow_number = fill->flows;
        store_finding(fill->store, &finding);
    }
    fill_end(fill);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*fill)(struct fill *fill);
    } pages[] = {{"faulty", fill_faulty},    {"healthy", fill_healthy}, {"hostile", fill_hostile},
                 {"empty", fill_empty_site}, {"many", fill_many},       {"sites", fill_sites}};
    bool keeps = argc == 3 && strcmp(argv[2], "--keep") == 0;
    if (argc != 2 && !keeps) {
        fputs("usage: make_pages DIRECTORY [--keep]\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        struct fill fill;
        pages[i].fill(&fill);
        (keeps ? keep_database : write_page)(&fill, argv[1], pages[i].name);
    }
    return 0;
}
