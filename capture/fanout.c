/* The program that shares frames among rings, and the system calls that set it.
 *
 * See fanout.h. Runs in the kernel for every frame of the interface, so it looks at a few words
 * only: no extension headers, no fragments but the first. What it cannot read goes to the first
 * ring. Offsets count from the network header (SKF_NET_OFF), because the kernel runs the program
 * where the link header may be stripped already; a tag that the adapter took off is not there.
 * Deliberately no hash of the whole flow: a device's sessions would scatter. */
#include "fanout.h"

#include <assert.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

/* IEEE 802, RFC 894, RFC 2464 */
enum { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd, TYPE_VLAN = 0x8100, TYPE_SERVICE_VLAN = 0x88a8 };
enum { APPLE_BYTE = 17, PROTOCOL_ICMP = 1, PROTOCOL_ICMPV6 = 58 };
enum { SOURCE, DESTINATION, PORT }; /* places in the program's memory */

/* The first words of Apple's prefixes (model/apple_range.def) and of NAT64. */
static const uint32_t apple_words[] = {0x26200149, 0x24030300, 0x2a01b740, 0x0064ff9b};
enum { APPLE_WORDS = sizeof apple_words / sizeof apple_words[0] };

enum label {
    NO_LABEL,
    ONE_TAG,
    TWO_TAGS,
    NETWORK,
    IPV4,
    IPV6,
    TAKE_SOURCE,
    TAKE_DESTINATION,
    HASH,
    LABEL_COUNT
};

struct writer {
    struct sock_filter *program;
    size_t count;
    uint16_t at[LABEL_COUNT];
    uint8_t on_true[FANOUT_PROGRAM_MAX]; /* the label that a jump leads to; 0: the next one */
};

static void put(struct writer *writer, uint16_t code, uint32_t k)
{
    assert(writer->count < FANOUT_PROGRAM_MAX);
    writer->program[writer->count++] = (struct sock_filter){.code = code, .k = k};
}

static void put_jump(struct writer *writer, uint16_t code, uint32_t k, enum label label)
{
    writer->on_true[writer->count] = (uint8_t)label;
    put(writer, code, k);
}

static void place(struct writer *writer, enum label label)
{
    writer->at[label] = (uint16_t)writer->count;
}

/* Jumps lead forward only, and in jumps that always lead somewhere the distance stands in k. */
static void resolve(struct writer *writer)
{
    for (size_t i = 0; i < writer->count; i++) {
        struct sock_filter *instruction = &writer->program[i];
        enum label label = (enum label)writer->on_true[i];
        if (label == NO_LABEL)
            continue;
        size_t distance = writer->at[label] - i - 1;
        assert(writer->at[label] > i && distance < 256);
        if (instruction->code == (BPF_JMP | BPF_JA))
            instruction->k = (uint32_t)distance;
        else
            instruction->jt = (uint8_t)distance;
    }
}

/* A byte, half or word `offset` bytes behind X in the network header. */
static void load(struct writer *writer, uint16_t size, uint32_t offset)
{
    put(writer, BPF_LD | size | BPF_IND, (uint32_t)SKF_NET_OFF + offset);
}

static void jump_if_equal(struct writer *writer, uint32_t value, enum label label)
{
    put_jump(writer, BPF_JMP | BPF_JEQ | BPF_K, value, label);
}

/* With the EtherType in A: X becomes the offset of the IP header. */
static void skip_tags(struct writer *writer)
{
    put(writer, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL));
    put(writer, BPF_LDX | BPF_IMM, 0);
    jump_if_equal(writer, TYPE_VLAN, ONE_TAG);
    jump_if_equal(writer, TYPE_SERVICE_VLAN, ONE_TAG);
    put_jump(writer, BPF_JMP | BPF_JA, 0, NETWORK);
    place(writer, ONE_TAG);
    load(writer, BPF_H, 2);
    put(writer, BPF_LDX | BPF_IMM, 4);
    jump_if_equal(writer, TYPE_VLAN, TWO_TAGS);
    jump_if_equal(writer, TYPE_SERVICE_VLAN, TWO_TAGS);
    put_jump(writer, BPF_JMP | BPF_JA, 0, NETWORK);
    place(writer, TWO_TAGS);
    load(writer, BPF_H, 2); /* X stands behind the first tag */
    put(writer, BPF_LDX | BPF_IMM, 8);
    place(writer, NETWORK);
    jump_if_equal(writer, TYPE_IPV4, IPV4);
    jump_if_equal(writer, TYPE_IPV6, IPV6);
    put(writer, BPF_RET | BPF_K, 0);
}

static void keep_addresses(struct writer *writer, uint32_t source, uint32_t destination)
{
    load(writer, BPF_W, source);
    put(writer, BPF_ST, SOURCE);
    load(writer, BPF_W, destination);
    put(writer, BPF_ST, DESTINATION);
}

/* Neither side is Apple's: with X at the ports, the lower one is a server's. */
static void choose_by_port(struct writer *writer, uint32_t offset)
{
    load(writer, BPF_H, offset);
    put(writer, BPF_ST, PORT);
    load(writer, BPF_H, offset + 2);
    put(writer, BPF_LDX | BPF_W | BPF_MEM, PORT);
    put_jump(writer, BPF_JMP | BPF_JGT | BPF_X, 0, TAKE_DESTINATION);
    put_jump(writer, BPF_JMP | BPF_JA, 0, TAKE_SOURCE);
}

/* RFC 791 section 3.1 */
static void choose_of_ipv4(struct writer *writer)
{
    place(writer, IPV4);
    keep_addresses(writer, 12, 16);
    load(writer, BPF_B, 9);
    jump_if_equal(writer, PROTOCOL_ICMP, TAKE_DESTINATION);
    load(writer, BPF_B, 12);
    jump_if_equal(writer, APPLE_BYTE, TAKE_DESTINATION);
    load(writer, BPF_B, 16);
    jump_if_equal(writer, APPLE_BYTE, TAKE_SOURCE);
    load(writer, BPF_B, 0);
    put(writer, BPF_ALU | BPF_AND | BPF_K, 15);
    put(writer, BPF_ALU | BPF_LSH | BPF_K, 2);
    put(writer, BPF_ALU | BPF_ADD | BPF_X, 0);
    put(writer, BPF_MISC | BPF_TAX, 0);
    choose_by_port(writer, 0);
}

/* RFC 8200 section 3. The last words of the addresses tell devices apart. */
static void choose_of_ipv6(struct writer *writer)
{
    place(writer, IPV6);
    keep_addresses(writer, 20, 36);
    load(writer, BPF_B, 6);
    jump_if_equal(writer, PROTOCOL_ICMPV6, TAKE_DESTINATION);
    load(writer, BPF_W, 8);
    for (size_t i = 0; i < APPLE_WORDS; i++)
        jump_if_equal(writer, apple_words[i], TAKE_DESTINATION);
    load(writer, BPF_W, 24);
    for (size_t i = 0; i < APPLE_WORDS; i++)
        jump_if_equal(writer, apple_words[i], TAKE_SOURCE);
    choose_by_port(writer, 40);
}

size_t fanout_program(struct sock_filter program[FANOUT_PROGRAM_MAX])
{
    struct writer writer = {.program = program};
    skip_tags(&writer);
    choose_of_ipv4(&writer);
    choose_of_ipv6(&writer);
    place(&writer, TAKE_DESTINATION);
    put(&writer, BPF_LD | BPF_W | BPF_MEM, DESTINATION);
    put_jump(&writer, BPF_JMP | BPF_JA, 0, HASH);
    place(&writer, TAKE_SOURCE);
    put(&writer, BPF_LD | BPF_W | BPF_MEM, SOURCE);
    place(&writer, HASH); /* neighbours are spread: Knuth's multiplicative hash */
    put(&writer, BPF_ALU | BPF_MUL | BPF_K, 0x9e3779b1);
    put(&writer, BPF_ALU | BPF_RSH | BPF_K, 16);
    put(&writer, BPF_RET | BPF_A, 0);
    resolve(&writer);
    return writer.count;
}

static bool set_program(int socket)
{
    struct sock_filter program[FANOUT_PROGRAM_MAX];
    struct sock_fprog whole = {.len = (unsigned short)fanout_program(program), .filter = program};
    return setsockopt(socket, SOL_PACKET, PACKET_FANOUT_DATA, &whole, sizeof whole) == 0;
}

const char *fanout_join(int socket, int leader, bool is_wrapped)
{
    uint32_t kind = is_wrapped ? PACKET_FANOUT_HASH : PACKET_FANOUT_CBPF;
    uint32_t asked = (kind | PACKET_FANOUT_FLAG_UNIQUEID) << 16;
    if (leader >= 0) { /* its group's number is in the lower half */
        socklen_t size = sizeof asked;
        if (getsockopt(leader, SOL_PACKET, PACKET_FANOUT, &asked, &size) != 0)
            return strerror(errno);
        asked = (asked & 0xffff) | kind << 16;
    }
    if (setsockopt(socket, SOL_PACKET, PACKET_FANOUT, &asked, sizeof asked) != 0)
        return strerror(errno);
    return leader >= 0 || is_wrapped || set_program(socket) ? NULL : strerror(errno);
}
