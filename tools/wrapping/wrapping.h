/* A capture in another wrapping: the same packets behind other headers, in other kinds of files.
 *
 * tools/wrap is the program; the tests use it directly: whatever the wrapping, the same network
 * must be judged the same. Forms are the rows of form.def; a specification names some of them,
 * applied from left to right: "vxlan,fragmented=576,pcapng,zstd". Deliberately shares no code with
 * capture/ and dissect/, so that a wrong header cannot hide behind the code that reads it. */
#ifndef APNSCOPE_TOOLS_WRAPPING_H
#define APNSCOPE_TOOLS_WRAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

struct wrap_frame {
    uint8_t *bytes; /* owned by the list */
    uint32_t captured_size;
    uint32_t original_size;
    int64_t time_ns;
    uint16_t link_type; /* LINKTYPE_ value */
};

/* All in memory: a tool for captures that people look at, not for those that fill disks. */
struct wrap_frames {
    struct wrap_frame *items;
    size_t count;
    size_t room;
};

/* Copies the bytes. */
void wrap_frames_add(struct wrap_frames *frames, const struct wrap_frame *frame);
void wrap_frames_free(struct wrap_frames *frames);

/* What a form takes away, so that a test knows what to compare. */
enum wrap_loss {
    LOSES_NOTHING = 0,
    LOSES_TAGS = 1 << 0,  /* VLAN tags of the frames */
    LOSES_BYTES = 1 << 1, /* bytes of packets: snap lengths */
    LOSES_ORDER = 1 << 2, /* the order of frames whose times run backwards: files merged by time */
    LOSES_COUNT = 1 << 3  /* how many packets there were: one is cut into several */
};

struct wrap_form {
    const char *name;
    const char *group; /* heading in the list of forms */
    const char *what;
    unsigned loses; /* enum wrap_loss */
};

size_t wrap_form_count(void);
struct wrap_form wrap_form_at(size_t index);

/* Writes the frames (Ethernet or raw IP) to `path`, a folder of files where the form says so. What
 * a form cannot carry (ARP in a raw IP capture) is left out. False with a sentence: an unknown
 * form, nothing left, a file that cannot be written. */
MUST_USE bool wrap_write(const struct wrap_frames *frames, const char *specification,
                         const char *path, struct fault *fault);

#endif
