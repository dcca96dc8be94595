/* pcapng, written: section header, interface descriptions as they are needed, enhanced packets.
 *
 * Beside the reader of the same format (pcapng_file.c). Deliberately small: what a frame's original
 * file says besides (statistics, names, secrets) is not carried over. */
#include "pcapng_writer.h"

#include <string.h>

#include "base/clock.h"

/* draft-ietf-opsawg-pcapng sections 4.1, 4.2, 4.3 and 3.5. */
enum block_type { BLOCK_INTERFACE = 1, BLOCK_ENHANCED = 6, BLOCK_SECTION = 0x0a0d0d0a };
enum option_code {
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    SHB_USERAPPL = 4,
    IF_TSRESOL = 9,
    IF_FCSLEN = 13
};
enum { BYTE_ORDER_MAGIC = 0x1a2b3c4d, NANOSECONDS = 9, OPTION_SIZE_MAX = 1024 };

static void put_u16(FILE *file, uint16_t value)
{
    putc(value & 0xff, file);
    putc(value >> 8, file);
}

static void put_u32(FILE *file, uint32_t value)
{
    put_u16(file, (uint16_t)value);
    put_u16(file, (uint16_t)(value >> 16));
}

static uint32_t padded(uint32_t size)
{
    return (size + 3) & ~UINT32_C(3);
}

static void put_padded(FILE *file, const void *bytes, uint32_t size)
{
    fwrite(bytes, 1, size, file);
    for (uint32_t i = size; i < padded(size); i++)
        putc(0, file);
}

static uint32_t text_size(const char *text)
{
    size_t size = text ? strlen(text) : 0;
    return size < OPTION_SIZE_MAX ? (uint32_t)size : OPTION_SIZE_MAX;
}

/* Bytes that the option takes; 0: it is left out. */
static uint32_t option_size(const char *text)
{
    uint32_t size = text_size(text);
    return size ? 4 + padded(size) : 0;
}

static void put_option(FILE *file, enum option_code code, const char *text)
{
    uint32_t size = text_size(text);
    if (!size)
        return;
    put_u16(file, (uint16_t)code);
    put_u16(file, (uint16_t)size);
    put_padded(file, text, size);
}

static void put_byte_option(FILE *file, enum option_code code, uint8_t value)
{
    put_u16(file, (uint16_t)code);
    put_u16(file, 1);
    put_padded(file, &value, 1);
}

void pcapng_writer_begin(struct pcapng_writer *writer, FILE *file, const char *application,
                         const char *comment)
{
    uint32_t size = 28 + option_size(application) + option_size(comment) + 4;
    *writer = (struct pcapng_writer){.file = file};
    put_u32(file, BLOCK_SECTION);
    put_u32(file, size);
    put_u32(file, BYTE_ORDER_MAGIC);
    put_u16(file, 1); /* version 1.0 */
    put_u16(file, 0);
    put_u32(file, UINT32_MAX); /* the section's length is not told */
    put_u32(file, UINT32_MAX);
    put_option(file, OPTION_COMMENT, comment);
    put_option(file, SHB_USERAPPL, application);
    put_u32(file, OPTION_END);
    put_u32(file, size);
}

static void put_interface(FILE *file, const struct frame *frame)
{
    uint32_t size = 20 + 8 + (frame->fcs_size ? 8 : 0) + 4;
    put_u32(file, BLOCK_INTERFACE);
    put_u32(file, size);
    put_u16(file, frame->link_type);
    put_u16(file, 0);
    put_u32(file, 0); /* no snap length: frames say themselves what was cut */
    put_byte_option(file, IF_TSRESOL, NANOSECONDS);
    if (frame->fcs_size)
        put_byte_option(file, IF_FCSLEN, (uint8_t)frame->fcs_size);
    put_u32(file, OPTION_END);
    put_u32(file, size);
}

/* The number of the frame's interface here, described where it is new; UINT32_MAX: no room. */
static uint32_t interface_of(struct pcapng_writer *writer, const struct frame *frame)
{
    uint32_t i = 0;
    while (i < writer->interface_count && (writer->interfaces[i].id != frame->interface_id ||
                                           writer->interfaces[i].link_type != frame->link_type ||
                                           writer->interfaces[i].fcs_size != frame->fcs_size))
        i++;
    if (i < writer->interface_count)
        return i;
    if (i == PCAPNG_WRITER_INTERFACES)
        return UINT32_MAX;
    writer->interfaces[i].id = frame->interface_id;
    writer->interfaces[i].link_type = frame->link_type;
    writer->interfaces[i].fcs_size = frame->fcs_size;
    writer->interface_count++;
    put_interface(writer->file, frame);
    return i;
}

bool pcapng_writer_put(struct pcapng_writer *writer, const struct frame *frame, const char *comment)
{
    FILE *file = writer->file;
    uint32_t interface = interface_of(writer, frame);
    uint32_t options = option_size(comment);
    uint32_t size = 32 + padded(frame->captured_size) + (options ? options + 4 : 0);
    uint64_t time_ns = frame->time_ns > 0 ? (uint64_t)frame->time_ns : 0;
    if (interface == UINT32_MAX)
        return false;
    put_u32(file, BLOCK_ENHANCED);
    put_u32(file, size);
    put_u32(file, interface);
    put_u32(file, (uint32_t)(time_ns >> 32));
    put_u32(file, (uint32_t)time_ns);
    put_u32(file, frame->captured_size);
    put_u32(file, frame->original_size);
    put_padded(file, frame->bytes, frame->captured_size);
    put_option(file, OPTION_COMMENT, comment);
    if (options)
        put_u32(file, OPTION_END);
    put_u32(file, size);
    return true;
}
