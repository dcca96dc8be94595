/* The rows of form.def, and what their kinds do. Private to tools/wrapping. */
#ifndef APNSCOPE_TOOLS_FORM_H
#define APNSCOPE_TOOLS_FORM_H

#include "parcel.h"
#include "wrapping.h"

enum { LAYERS_MAX = 10 };

struct layer {
    parcel_layer put;
    uint32_t argument;
};

/* Makes other frames of the frames; NUMBER of "name=NUMBER" is the argument, else the row's. */
typedef void (*frames_change)(const struct wrap_frames *in, uint32_t argument,
                              struct wrap_frames *out);
/* A capture file of the frames. False: this format cannot hold them. */
typedef bool (*file_build)(const struct wrap_frames *frames, uint32_t argument, struct bytes *out);
/* The part of `parts` that a frame goes to. */
typedef uint32_t (*file_part)(const struct wrap_frames *frames, size_t index, uint32_t parts);
/* Appends the bytes, compressed. */
typedef void (*file_compress)(const uint8_t *bytes, size_t size, struct bytes *out);

struct form {
    struct wrap_form facts;
    uint16_t link_type;              /* of layers */
    struct layer layers[LAYERS_MAX]; /* from the inside out; none: not a form of this kind */
    frames_change change;
    file_build build;
    file_part part;
    file_compress compress;
    const char *suffix; /* of compress */
    uint32_t argument;  /* of change, build and part; of compress: members */
};

/* NULL: no such form. `argument`: that of the row, or what the name says. */
const struct form *form_find(const char *name, size_t length, uint32_t *argument);

/* Frames in the form's layers. What they cannot carry stays as it is if its link type is that of
 * the form, and is left out otherwise. */
void form_wrap(const struct form *form, const struct wrap_frames *in, struct wrap_frames *out);

/* rearrange.c */
enum double_style { DOUBLE_SAME, DOUBLE_ROUTED, DOUBLE_TAGGED };
enum fragment_order { FRAGMENT_REVERSED = 1 << 16 };
void double_frames(const struct wrap_frames *in, uint32_t style, struct wrap_frames *out);
void snap_frames(const struct wrap_frames *in, uint32_t size, struct wrap_frames *out);
void fragment_frames(const struct wrap_frames *in, uint32_t size, struct wrap_frames *out);
void offload_frames(const struct wrap_frames *in, uint32_t unused, struct wrap_frames *out);
void mix_links(const struct wrap_frames *in, uint32_t unused, struct wrap_frames *out);

/* file_pcap.c, file_pcapng.c, file_other.c */
enum pcap_style {
    PCAP_BIG = 1 << 0,
    PCAP_NANOSECONDS = 1 << 1,
    PCAP_MODIFIED = 1 << 2, /* Kuznetzov's: an interface, protocol and direction in each record */
    PCAP_FCS = 1 << 3       /* the header says that four bytes of check sequence are included */
};
enum pcapng_style {
    PCAPNG_BIG = 1 << 0,
    PCAPNG_NANOSECONDS = 1 << 1,
    PCAPNG_CLOCKS = 1 << 2,   /* three interfaces with three kinds of clocks */
    PCAPNG_SECTIONS = 1 << 3, /* a new section every few packets, of either byte order */
    PCAPNG_EXTRAS = 1 << 4,   /* names, secrets, custom and unknown blocks, comments, statistics */
    PCAPNG_OBSOLETE = 1 << 5  /* the packet block of before 2009 */
};
bool build_pcap(const struct wrap_frames *frames, uint32_t style, struct bytes *out);
bool build_pcapng(const struct wrap_frames *frames, uint32_t style, struct bytes *out);
bool build_snoop(const struct wrap_frames *frames, uint32_t unused, struct bytes *out);
bool build_erf(const struct wrap_frames *frames, uint32_t has_extension, struct bytes *out);

/* split.c */
uint32_t part_by_time(const struct wrap_frames *frames, size_t index, uint32_t parts);
uint32_t part_by_turns(const struct wrap_frames *frames, size_t index, uint32_t parts);
uint32_t part_by_turns_of_ten(const struct wrap_frames *frames, size_t index, uint32_t parts);

/* compress.c */
void compress_gzip(const uint8_t *bytes, size_t size, struct bytes *out);
void compress_zstd(const uint8_t *bytes, size_t size, struct bytes *out);
void compress_lz4(const uint8_t *bytes, size_t size, struct bytes *out);
void compress_xz(const uint8_t *bytes, size_t size, struct bytes *out);

#endif
