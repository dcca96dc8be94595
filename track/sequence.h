/* Sequence numbers of one direction of a flow (RFC 9293 section 3.4).
 *
 * Says of each segment whether it is new, seen before, late or beyond a hole. Small: a flow holds
 * two. Arithmetic is modulo 2^32 throughout. */
#ifndef APNSCOPE_TRACK_SEQUENCE_H
#define APNSCOPE_TRACK_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

struct sequence {
    uint32_t next;       /* one past the highest byte seen */
    uint32_t hole_start; /* the oldest hole below `next`; hole_start == hole_end: none */
    uint32_t hole_end;
    uint32_t repairs;    /* lost data segments that were sent again and acknowledged soon */
    int64_t advanced_ns; /* when `next` last moved */
    int64_t missing_ns;  /* since when bytes are acknowledged that were not captured; 0: none */
    uint32_t acked;      /* the other side's last acknowledgement; with is_acked */
    uint32_t resent_ms;  /* when bytes were first sent again, modulo 2^32; 0: none wait */
    bool known;
    bool is_acked;
};

/* A mirror port may deliver an ACK before the data that it acknowledges (the two directions pass
 * different queues). Only what is still missing after this long was not captured. */
#define SEQUENCE_PATIENCE_NS INT64_C(200000000)

enum segment_kind {
    SEGMENT_EMPTY,          /* carries nothing */
    SEGMENT_NEW,            /* continues, or begins, the known bytes */
    SEGMENT_AHEAD,          /* beyond a hole: bytes before it were not seen */
    SEGMENT_OUT_OF_ORDER,   /* fills a hole soon after it opened: overtaken on the way */
    SEGMENT_RETRANSMISSION, /* bytes seen before, or a hole filled later than reordering explains */
    SEGMENT_KEEPALIVE       /* at most one byte just below `next` (RFC 9293 section 3.8.4) */
};

static inline int32_t sequence_distance(uint32_t from, uint32_t to)
{
    return (int32_t)(to - from);
}

/* Takes a segment of `size` payload bytes (SYN and FIN count one each, given in `marks`).
 * `reorder_ns` is how late a segment may come and still be called overtaken. */
enum segment_kind sequence_take(struct sequence *sequence, uint32_t first, uint32_t size,
                                uint32_t marks, int64_t now_ns, int64_t reorder_ns);

/* A loss that the peers repair takes this long at most; a peer that answers later was away. */
enum { SEQUENCE_REPAIR_MS = 2000 };

/* The other side acknowledged up to `ack`: returns how many bytes it confirms that were never
 * captured (0 in the ordinary case; each is told once), and forgets holes below it. */
uint32_t sequence_acknowledged(struct sequence *sequence, uint32_t ack, int64_t now_ns);

#endif
