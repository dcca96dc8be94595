/* UDP, and the options of TCP.
 *
 * Last step of a frame: DNS messages become packets, tunnels go back to the link or network layer,
 * all other UDP leaves. TCP's own header is inline in transport.h. Options are read only on
 * request, since only SYN segments have interesting ones. */
#include "transport.h"

#include "dissect/dissect.h"
#include "tunnel.h"

enum { UDP_HEADER_SIZE = 8, PORT_DNS = 53 };

static enum skip_reason fill_dns(struct walk *walk, uint16_t source_port, uint16_t destination_port)
{
    walk_fill_without_tcp(walk, PACKET_DNS);
    walk->packet->source_port = source_port;
    walk->packet->destination_port = destination_port;
    return SKIP_NONE;
}

/* RFC 768. A length of 0 means "what the IP packet holds": RFC 2675 section 4, and segmentation
 * offload. A first fragment holds less than the length says. */
enum skip_reason transport_udp(struct walk *walk)
{
    if (!walk_has(walk, UDP_HEADER_SIZE))
        return transport_short(walk, UDP_HEADER_SIZE);
    uint16_t source_port = load_u16(walk->at);
    uint16_t destination_port = load_u16(walk->at + 2);
    uint32_t size = load_u16(walk->at + 4);
    if (size == 0)
        size = walk->wire;
    if (size < UDP_HEADER_SIZE || (size > walk->wire && !walk->is_fragment))
        return SKIP_TRANSPORT_BAD;
    walk_shorten(walk, size);
    walk_skip(walk, UDP_HEADER_SIZE);
    if (source_port == PORT_DNS || destination_port == PORT_DNS)
        return fill_dns(walk, source_port, destination_port);
    return tunnel_udp(walk, source_port, destination_port);
}

/* IANA, "TCP Option Kind Numbers". */
enum {
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_MSS = 2,            /* RFC 9293 section 3.7.1 */
    OPTION_WINDOW_SCALE = 3,   /* RFC 7323 section 2.2 */
    OPTION_SACK_PERMITTED = 4, /* RFC 2018 section 2 */
    OPTION_TIMESTAMPS = 8,     /* RFC 7323 section 3.2 */
    OPTION_FAST_OPEN = 34,     /* RFC 7413 section 4.1.1 */
    OPTION_EXPERIMENT_1 = 253, /* RFC 6994 */
    OPTION_EXPERIMENT_2 = 254
};

enum { WINDOW_SCALE_MAX = 14, EXPERIMENT_FAST_OPEN = 0xf989 };

static bool read_mss(struct reader *value, struct tcp_options *options)
{
    options->mss = reader_u16(value);
    options->has_mss = true;
    return reader_left(value) == 0;
}

/* RFC 7323 section 2.3: more than 14 counts as 14. */
static bool read_window_scale(struct reader *value, struct tcp_options *options)
{
    uint8_t scale = reader_u8(value);
    options->window_scale = scale < WINDOW_SCALE_MAX ? scale : WINDOW_SCALE_MAX;
    options->has_window_scale = true;
    return reader_left(value) == 0;
}

static bool read_sack_permitted(struct reader *value, struct tcp_options *options)
{
    options->sack_permitted = true;
    return reader_left(value) == 0;
}

static bool read_timestamps(struct reader *value, struct tcp_options *options)
{
    options->timestamp_value = reader_u32(value);
    options->timestamp_echo = reader_u32(value);
    options->has_timestamps = true;
    return reader_left(value) == 0;
}

static bool read_fast_open(struct reader *value, struct tcp_options *options)
{
    (void)value;
    options->has_fast_open = true;
    return true;
}

/* Fast open lived under the experimental kinds before it had its own, RFC 7413 appendix A. */
static bool read_experiment(struct reader *value, struct tcp_options *options)
{
    if (reader_left(value) >= 2 && reader_u16(value) == EXPERIMENT_FAST_OPEN)
        options->has_fast_open = true;
    return true;
}

static const struct {
    uint8_t kind;
    bool (*read)(struct reader *value, struct tcp_options *options);
} option_readers[] = {
    {OPTION_MSS, read_mss},
    {OPTION_WINDOW_SCALE, read_window_scale},
    {OPTION_SACK_PERMITTED, read_sack_permitted},
    {OPTION_TIMESTAMPS, read_timestamps},
    {OPTION_FAST_OPEN, read_fast_open},
    {OPTION_EXPERIMENT_1, read_experiment},
    {OPTION_EXPERIMENT_2, read_experiment},
};

/* False leaves *options as it was. */
static bool read_option(uint8_t kind, struct reader value, struct tcp_options *options)
{
    for (size_t i = 0; i < sizeof option_readers / sizeof option_readers[0]; i++) {
        if (option_readers[i].kind != kind)
            continue;
        struct tcp_options with = *options;
        if (!option_readers[i].read(&value, &with) || value.failed)
            return false;
        *options = with;
    }
    return true;
}

struct tcp_options dissect_tcp_options(const struct packet *packet)
{
    struct tcp_options options = {.has_mss = false};
    struct reader reader = reader_over(packet->tcp_options, packet->tcp_options_size);
    while (reader_left(&reader) > 0) {
        uint8_t kind = reader_u8(&reader);
        if (kind == OPTION_END)
            break;
        if (kind == OPTION_NOP)
            continue;
        uint8_t size = reader_u8(&reader);
        struct reader value = reader_take(&reader, size < 2 ? SIZE_MAX : size - 2U);
        /* What the snap length cut off is not the sender's fault. */
        if (reader.failed && packet->tcp_options_cut && size != 1)
            break;
        if (reader.failed || !read_option(kind, value, &options)) {
            options.malformed = true;
            break;
        }
    }
    return options;
}
