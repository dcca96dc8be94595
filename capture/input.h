/* One capture file while it is read: its window, its format, the frames taken from it.
 *
 * Between the formats (pcap_file.c, pcapng_file.c) and merge.c / capture.c. The frames of one
 * input come in file order; numbers are given later, by capture.c. Deliberately does not compare
 * times with other files. */
#ifndef APNSCOPE_CAPTURE_INPUT_H
#define APNSCOPE_CAPTURE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/capture.h"
#include "erf_file.h"
#include "pcap_file.h"
#include "pcapng_file.h"
#include "snoop_file.h"
#include "source.h"
#include "window.h"

struct input;

/* Wireshark's bound on a frame (WTAP_MAX_PACKET_SIZE_STANDARD): more is damage, not a jumbo. */
enum { INPUT_FRAME_SIZE_MAX = 262144 };

/* A capture format: one row per reader. */
struct format {
    /* Reads the file header; false after input_damage told why it cannot be read. */
    bool (*open)(struct input *input);
    /* Frames that stand in the window, at most `max`; 0: the end, or damage. Refills only before
     * the first frame of a batch, and sets input->batch_offset there. */
    size_t (*next)(struct input *input, struct frame *frames, size_t max);
    /* As next, but never refills: 0 also where a frame is not whole, or where something is wrong
     * that next will tell. NULL: cannot be read in parts. */
    size_t (*take)(struct input *input, struct frame *frames, size_t max);
    void (*close)(struct input *input);
};

/* What all inputs of a run share. */
struct input_shared {
    struct names *names;
    struct fetcher *fetcher;  /* reads resumed files ahead; NULL: there is none */
    uint32_t interface_count; /* ids given so far, through all files */
};

struct input_drops {
    uint64_t kernel;
    uint64_t interface;
    bool known;
};

struct input {
    struct capture_file facts;
    char format_text[64]; /* what facts.format points to once opened */
    struct input_shared *shared;
    struct source *source;
    struct window window;
    const struct format *format;
    struct pcap_file pcap;
    struct pcapng_file pcapng;
    struct snoop_file snoop;
    struct erf_file erf;

    uint64_t records;       /* frames taken so far */
    uint64_t batch_offset;  /* where the last batch began */
    uint64_t number_gap;    /* frame numbers that go to other blocks before the next frame */
    uint64_t batch_gap;     /* the same before the last batch */
    int64_t last_time_ns;   /* of the last frame taken; for packets without a time */
    int64_t batch_time_ns;  /* last_time_ns before that batch */
    bool has_timeless;      /* packets without a time were seen */
    uint32_t smallest_snap; /* 0: none stated */
    struct input_drops drops;
    uint64_t stored_read; /* for progress, while parked or finished */
    bool ended;           /* no more frames */
    bool parked;

    struct frame *ready; /* merge.c: the batch frames are taken from; NULL: none */
    size_t ready_count;
    size_t ready_next;
    size_t skip;          /* frames of the batch at hand that were given before parking */
    bool pinned;          /* gave frames in this call: its window must not move */
    int64_t merge_key_ns; /* highest time so far: a step back never reorders a file */
    size_t order;         /* place among the arguments */
};

enum input_opened {
    INPUT_OPENED,
    INPUT_UNREADABLE, /* missing, forbidden, a device */
    INPUT_NOT_A_CAPTURE, /* or empty */
    INPUT_BAD_HEADER /* a capture by its first bytes, but its header cannot be read */
};

/* `path` must outlive the input. `window_size` is where the buffer starts; it grows on demand. */
enum input_opened input_open(struct input **input, const char *path,
                             const struct capture_options *options, struct input_shared *shared,
                             size_t window_size, struct fault *fault);
void input_close(struct input *input); /* NULL is fine */

/* The next frames of this file; 0 at its end, when facts are final. `number` holds how many frame
 * numbers are left out before the frame, capture.c makes numbers of that. */
size_t input_next(struct input *input, struct frame *frames, size_t max);

/* The frames that stand whole in the window; for parts.c. */
size_t input_take(struct input *input, struct frame *frames, size_t max);

/* For merge.c: a new batch in `ready`; false at the end. No frame of the last one may be in use. */
bool input_refill(struct input *input);

/* Gives back window and source; input_resume goes on with the first frame not yet given, of those
 * in `ready`. Parked inputs cost a few hundred bytes and their facts. */
void input_park(struct input *input);
void input_resume(struct input *input, size_t window_size);

/* Stored bytes read so far. */
uint64_t input_stored_read(const struct input *input);

/* For the formats. The sentence becomes the file's damage; the input ends there. */
void input_damage(struct input *input, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The file ends inside something of `size` bytes that begins at the window's front. A clean end
 * when nothing is left. */
void input_end(struct input *input, uint64_t size);
void input_note(struct input *input, const char *label, const uint8_t *bytes, size_t size);
uint32_t input_new_interface(struct input *input, uint32_t snap);

#endif
