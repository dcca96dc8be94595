/* Blocks and options of pcapng: framing alone.
 *
 * Between window.h and pcapng_file.c. Numbers are those of draft-ietf-opsawg-pcapng sections 3 and
 * 4, and of Apple's libpcap (pcap-ng.h). Deliberately does not know what a block means. */
#ifndef APNSCOPE_CAPTURE_PCAPNG_BLOCK_H
#define APNSCOPE_CAPTURE_PCAPNG_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"

#define BLOCK_SECTION      0x0a0d0d0au /* section 4.1; reads the same in both byte orders */
#define BLOCK_INTERFACE    0x00000001u /* 4.2 */
#define BLOCK_PACKET       0x00000002u /* obsolete, appendix A */
#define BLOCK_SIMPLE       0x00000003u /* 4.4 */
#define BLOCK_STATISTICS   0x00000005u /* 4.6 */
#define BLOCK_ENHANCED     0x00000006u /* 4.3 */
#define BLOCK_PROCESS      0x80000001u /* Apple: u32 process id, options */
#define BLOCK_JOURNAL      0x00000009u /* systemd journal export; has a number in Wireshark */
#define BLOCK_CUSTOM       0x00000badu /* section 4.7; so have these two */
#define BLOCK_CUSTOM_FIXED 0x40000badu
#define BYTE_ORDER_MAGIC   0x1a2b3c4du
#define BLOCK_OVERHEAD     12u /* type, length, length again */

/* A packet of INPUT_FRAME_SIZE_MAX with a generous share of options still fits; an interpreted
 * block beyond is damage. Blocks that are passed over may have what Wireshark allows. */
#define BLOCK_READ_SIZE_MAX (UINT32_C(1) << 20)
#define BLOCK_SKIP_SIZE_MAX (UINT32_C(16) << 20)

struct input;

struct block {
    uint32_t type;
    bool little;
    size_t size; /* with overhead, padded to 4 bytes */
    const uint8_t *body;
    size_t body_size;
};

/* Makes the next block that means something stand at the window's front, whole and with both
 * lengths agreeing; others are passed over. `may_move`: the window may be refilled, and the end or
 * damage told; otherwise that is left to the next call. False: no such block. The window stays
 * before the block. */
bool block_at_front(struct input *input, bool section_little, bool may_move, struct block *block);

static inline uint16_t block_u16(const struct block *block, const uint8_t *bytes)
{
    return block->little ? load_u16_le(bytes) : load_u16(bytes);
}

static inline uint32_t block_u32(const struct block *block, const uint8_t *bytes)
{
    return block->little ? load_u32_le(bytes) : load_u32(bytes);
}

static inline uint64_t block_u64(const struct block *block, const uint8_t *bytes)
{
    return block->little ? load_u64_le(bytes) : load_u64(bytes);
}

struct option {
    uint16_t code;
    uint16_t size;
    const uint8_t *bytes;
};

/* The next option of the list; false at its end or where it is malformed: options are extras, so
 * a broken list costs its rest and never the block. */
bool option_next(const struct block *block, struct reader *list, struct option *option);

#endif
