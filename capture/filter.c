/* Compiling and running filter expressions through libpcap.
 *
 * See filter.h. Deliberately does not touch devices or files. */
#include "capture/filter.h"

#include <assert.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"

enum {
    FILTER_LINK_TYPES_MAX = 32, /* more in one run: their frames do not match, and are counted */
    FILTER_SNAP = 262144
};

/* https://www.tcpdump.org/linktypes.html: LINKTYPE_ values that are not the DLT_ value here. */
enum { LINKTYPE_RAW = 101, LINKTYPE_PPP_HDLC = 50, LINKTYPE_PKTAP = 258, LINKTYPE_ATM = 100 };

struct program {
    uint16_t link_type;
    bool usable;
    struct bpf_program code;
};

struct filter {
    char *expression;
    size_t program_count;
    struct program programs[FILTER_LINK_TYPES_MAX];
    uint64_t unfiltered;
};

static int dlt_of(uint16_t link_type)
{
    switch (link_type) {
    case LINKTYPE_RAW:
        return DLT_RAW;
    case LINKTYPE_PPP_HDLC:
        return DLT_PPP_SERIAL;
    case LINKTYPE_ATM:
        return DLT_ATM_RFC1483;
    default:
        return link_type;
    }
}

/* libpcap's complaint goes to `complaint`, of PCAP_ERRBUF_SIZE. */
static bool compile_for(uint16_t link_type, const char *expression, struct bpf_program *code,
                        char *complaint)
{
    pcap_t *nothing = pcap_open_dead(dlt_of(link_type), FILTER_SNAP);
    assert(nothing);
    bool compiled = pcap_compile(nothing, code, expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!compiled && complaint) {
        strncpy(complaint, pcap_geterr(nothing), PCAP_ERRBUF_SIZE - 1);
        complaint[PCAP_ERRBUF_SIZE - 1] = '\0';
    }
    pcap_close(nothing);
    return compiled;
}

static void add_program(struct filter *filter, uint16_t link_type)
{
    struct program *program = &filter->programs[filter->program_count++];
    program->link_type = link_type;
    program->usable = compile_for(link_type, filter->expression, &program->code, NULL);
}

static bool is_valid_for(uint16_t link_type, const char *expression, char *complaint)
{
    struct bpf_program code;
    if (!compile_for(link_type, expression, &code, complaint))
        return false;
    pcap_freecode(&code);
    return true;
}

static bool refuse(const char *expression, const char *complaint, struct fault *fault)
{
    return fault_set(fault, "the filter \"%s\" is not valid: %s; see pcap-filter(7)", expression,
                     complaint);
}

static struct filter *filter_of(const char *expression)
{
    struct filter *filter = calloc(1, sizeof *filter);
    assert(filter);
    filter->expression = strdup(expression);
    assert(filter->expression);
    return filter;
}

bool filter_compile(struct filter **compiled, const char *expression, struct fault *fault)
{
    char complaint[PCAP_ERRBUF_SIZE] = "";
    *compiled = NULL;
    if (!is_valid_for(DLT_EN10MB, expression, complaint) &&
        !is_valid_for(LINKTYPE_RAW, expression, NULL))
        return refuse(expression, complaint, fault);
    *compiled = filter_of(expression);
    return true;
}

bool filter_compile_packets(struct filter **compiled, const char *expression, struct fault *fault)
{
    char complaint[PCAP_ERRBUF_SIZE] = "";
    *compiled = NULL;
    if (is_valid_for(LINKTYPE_RAW, expression, complaint)) {
        *compiled = filter_of(expression);
        return true;
    }
    if (!is_valid_for(DLT_EN10MB, expression, NULL))
        return refuse(expression, complaint, fault);
    return fault_set(
        fault,
        "the filter \"%s\" speaks of link headers, but it is applied to the IP packets "
        "inside all headers and tunnels; use addresses, networks, ports and protocols",
        expression);
}

bool filter_check_packets(const char *expression, struct fault *fault)
{
    struct filter *filter;
    if (!expression)
        return true;
    if (!filter_compile_packets(&filter, expression, fault))
        return false;
    filter_free(filter);
    return true;
}

void filter_free(struct filter *filter)
{
    if (!filter)
        return;
    for (size_t i = 0; i < filter->program_count; i++)
        if (filter->programs[i].usable)
            pcap_freecode(&filter->programs[i].code);
    free(filter->expression);
    free(filter);
}

/* NULL: libpcap cannot filter this link type. */
static const struct bpf_program *program_for(struct filter *filter, uint16_t link_type)
{
    for (size_t i = 0; i < filter->program_count; i++)
        if (filter->programs[i].link_type == link_type)
            return filter->programs[i].usable ? &filter->programs[i].code : NULL;
    if (filter->program_count == FILTER_LINK_TYPES_MAX)
        return NULL;
    add_program(filter, link_type);
    const struct program *added = &filter->programs[filter->program_count - 1];
    return added->usable ? &added->code : NULL;
}

/* The frame inside a PKTAP header (Apple's pktap.h): length at 0, link type at 8, little-endian.
 * Version 2 headers are shorter and hold the link type at 6 (flag 0x80000 at 36). */
static struct frame inside_pktap(const struct frame *frame)
{
    enum { PKTAP_MINIMUM = 40, PKTAP_VERSION_2 = 0x80000 };
    struct frame inner = *frame;
    if (frame->captured_size < PKTAP_MINIMUM)
        return inner;
    bool is_version_2 = load_u32_le(frame->bytes + 36) & PKTAP_VERSION_2;
    uint32_t size = is_version_2 ? frame->bytes[0] : load_u32_le(frame->bytes);
    uint32_t link_type =
        is_version_2 ? load_u16_le(frame->bytes + 6) : load_u32_le(frame->bytes + 8);
    if (size < PKTAP_MINIMUM || size > frame->captured_size || link_type > UINT16_MAX)
        return inner;
    inner.link_type = link_type == DLT_RAW ? LINKTYPE_RAW : (uint16_t)link_type;
    inner.bytes += size;
    inner.captured_size -= size;
    inner.original_size -= size;
    return inner;
}

static bool matches(struct filter *filter, uint16_t link_type, const uint8_t *bytes,
                    uint32_t captured, uint32_t size)
{
    const struct bpf_program *code = program_for(filter, link_type);
    if (!code) {
        filter->unfiltered++;
        return false;
    }
    struct pcap_pkthdr header = {.caplen = captured, .len = size};
    return pcap_offline_filter(code, &header, bytes) != 0;
}

bool filter_matches(struct filter *filter, const struct frame *frame)
{
    struct frame inner = frame->link_type == LINKTYPE_PKTAP ? inside_pktap(frame) : *frame;
    return matches(filter, inner.link_type, inner.bytes, inner.captured_size, inner.original_size);
}

bool filter_matches_packet(struct filter *filter, const uint8_t *ip, uint32_t captured,
                           uint32_t size)
{
    return matches(filter, LINKTYPE_RAW, ip, captured, size);
}

uint64_t filter_unfiltered(const struct filter *filter)
{
    return filter->unfiltered;
}
