/* A table of first bytes of files that people take for captures.
 *
 * See lookalike.h. Deliberately short: formats that turn up where captures are kept. */
#include "lookalike.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static const char to_pcap[] =
    "convert it first: editcap -F pcapng FILE FILE.pcapng, or save it as pcapng in Wireshark";
static const char if_wireshark_can[] =
    "name a pcap, pcapng, snoop or ERF file; if Wireshark opens it, convert it: "
    "editcap -F pcapng FILE FILE.pcapng";
static const char name_capture[] = "name a pcap or pcapng file";
static const char hexdump_advice[] =
    "a text cannot be analysed: make a capture of it (text2pcap FILE FILE.pcap), or let the device "
    "write a capture file";
static const char error_page[] =
    "the download probably gave an error page: download the capture again";
static const char unpack[] = "unpack it and name the capture in it";

struct row {
    size_t offset;
    size_t size;
    const char *bytes;
    const char *what;
    const char *advice;
};

#define ROW(offset, bytes, what, advice)                                                           \
    {                                                                                              \
        offset, sizeof(bytes) - 1, bytes, what, advice                                             \
    }

static const struct row rows[] = {
    ROW(0, "btsnoop\0", "a Bluetooth btsnoop log", name_capture),
    ROW(0, "GMBU", "a Microsoft Network Monitor capture", to_pcap),
    ROW(0, "RTSS", "a Microsoft Network Monitor 1 capture", to_pcap),
    ROW(0, "XCP\0", "a NetXRay or Sniffer capture", to_pcap),
    ROW(0, "TRSNIFF data    \x1a", "a Sniffer capture", to_pcap),
    ROW(0, "ObserverPktBuffer", "a Network Instruments Observer capture", to_pcap),
    ROW(0, "MSCF", "a Microsoft cabinet (netsh trace makes them)",
        "unpack it (expand FILE -F:* FOLDER) and convert the .etl in it with etl2pcapng"),
    ROW(0, "interfaces=[", "what a FortiGate's sniffer prints",
        "download a capture file from it instead, or convert the text with fgt2eth"),
    ROW(0, "iptrace ", "an AIX iptrace capture", to_pcap),
    ROW(0, "\x7fver", "a WildPackets/Savvius capture", to_pcap),
    ROW(0, "\x54\x52\x00\x64\x00", "an HP-UX nettl trace", to_pcap),
    ROW(0, "#!/", "a script", name_capture),
    ROW(0, "SQLite format 3", "an SQLite database",
        "a database of this program is opened with apnscope report --db"),
    ROW(0, "PK\x03\x04", "a ZIP archive", unpack),
    ROW(0, "7z\xbc\xaf\x27\x1c", "a 7-Zip archive", unpack),
    ROW(0, "Rar!\x1a\x07", "a RAR archive", unpack),
    ROW(0, "BZh", "bzip2 data", "unpack it first: bunzip2 FILE"),
    ROW(0, "\x1f\x9d", "compress(1) data", "unpack it first: uncompress FILE"),
    ROW(0, "\x02\x21\x4c\x18", "legacy lz4 data", "unpack it first: lz4 -d FILE"),
    ROW(257, "ustar", "a tar archive", unpack),
    ROW(0,
        "\x7f"
        "ELF",
        "a program (ELF)", name_capture),
    ROW(0, "MZ", "a Windows program", name_capture),
    ROW(0, "\xcf\xfa\xed\xfe", "a program (Mach-O)", name_capture),
    ROW(0, "%PDF", "a PDF document", name_capture),
    ROW(0, "\x89PNG", "a PNG image", name_capture),
    ROW(0, "\xff\xd8\xff", "a JPEG image", name_capture),
    ROW(0, "GIF8", "a GIF image", name_capture),
    ROW(0, "bplist", "a binary property list", name_capture),
    ROW(0, "<?xml", "XML text", name_capture),
    ROW(0, "{\"", "JSON text",
        "the download may have given an error message: look into it, and download the capture "
        "again"),
    ROW(0, "version https://git-lfs", "a Git LFS pointer", "fetch the file itself: git lfs pull"),
    ROW(0, "\xff\xfe", "UTF-16 text", name_capture),
};

static bool is_text(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] == 0x7f || (bytes[i] < 0x20 && !strchr("\t\n\r\f\x1b", bytes[i])) ||
            bytes[i] == 0)
            return false;
    return true;
}

static bool is_zeros(const uint8_t *bytes, size_t size)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* What HTML begins with after white space, in any case: WHATWG "MIME Sniffing" section 7.1. */
static bool is_html(const uint8_t *bytes, size_t size)
{
    static const char *const starts[] = {"<!doctype html", "<html", "<head", "<body"};
    while (size && (bytes[0] <= ' ' || bytes[0] == 0xef || bytes[0] == 0xbb || bytes[0] == 0xbf)) {
        bytes++;
        size--;
    }
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        size_t length = strlen(starts[i]);
        if (size >= length && strncasecmp((const char *)bytes, starts[i], length) == 0)
            return true;
    }
    return false;
}

/* Citrix ADC puts it behind a header whose size differs by version. */
static bool is_netscaler(const uint8_t *bytes, size_t size)
{
    static const char signature[] = "netscaler ";
    enum { LOOKED_AT = 64, LENGTH = sizeof signature - 1 };
    for (size_t at = 0; at < LOOKED_AT && at + LENGTH <= size; at++)
        if (strncasecmp((const char *)bytes + at, signature, LENGTH) == 0)
            return true;
    return false;
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_hex_digit(uint8_t byte)
{
    return is_digit(byte) || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f');
}

/* "0000  45 00 ...", "0x0000:  4500 ...", "00000000: 4500 ...": an offset of zeros, a gap, and
 * bytes as hexadecimal digits. */
static bool is_hexdump(const uint8_t *bytes, size_t size)
{
    size_t at = 0, zeros = 0, digits = 0;
    while (at < size && (bytes[at] == ' ' || bytes[at] == '\t'))
        at++;
    if (at + 1 < size && bytes[at] == '0' && bytes[at + 1] == 'x')
        at += 2;
    while (at < size && bytes[at] == '0')
        at++, zeros++;
    size_t gap = at;
    while (at < size && (bytes[at] == ' ' || bytes[at] == ':' || bytes[at] == '\t'))
        at++;
    while (at < size && is_hex_digit(bytes[at]))
        at++, digits++;
    return zeros >= 3 && at > gap && digits >= 2 && at < size && bytes[at] == ' ';
}

/* tcpdump's default time: "12:34:56.789012 IP ...", with -tttt after "2026-03-01 ". */
static bool begins_with_time(const uint8_t *bytes, size_t size)
{
    static const char time_shape[] = "dd:dd:dd.d";
    if (size > 11 && bytes[4] == '-' && bytes[7] == '-' && bytes[10] == ' ') {
        bytes += 11;
        size -= 11;
    }
    if (size < sizeof time_shape)
        return false;
    for (size_t i = 0; time_shape[i]; i++)
        if (time_shape[i] == 'd' ? !is_digit(bytes[i]) : bytes[i] != (uint8_t)time_shape[i])
            return false;
    return true;
}

struct lookalike lookalike_of(const char *path, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (size >= rows[i].offset + rows[i].size &&
            memcmp(bytes + rows[i].offset, rows[i].bytes, rows[i].size) == 0)
            return (struct lookalike){rows[i].what, rows[i].advice};
    /* Neither has a magic number: the name is all there is. */
    if (text_ends_with_nocase(path, ".etl"))
        return (struct lookalike){"a Microsoft ETL trace",
                                  "convert it first: pktmon etl2pcap FILE, or etl2pcapng"};
    if (text_ends_with_nocase(path, ".erf"))
        return (struct lookalike){"a damaged Endace ERF capture",
                                  "its first records cannot be read: copy or capture it again"};
    if (is_netscaler(bytes, size))
        return (struct lookalike){"a NetScaler trace", to_pcap};
    if (is_html(bytes, size))
        return (struct lookalike){"an HTML page", error_page};
    if (is_hexdump(bytes, size))
        return (struct lookalike){"a hexdump in text", hexdump_advice};
    if (begins_with_time(bytes, size))
        return (struct lookalike){"what tcpdump prints",
                                  "let tcpdump write packets instead: tcpdump -w FILE.pcap"};
    if (is_zeros(bytes, size))
        return (struct lookalike){"nothing but zeros", "copy or capture it again"};
    if (is_text(bytes, size))
        return (struct lookalike){"text", name_capture};
    return (struct lookalike){"data of an unknown kind", if_wireshark_can};
}
