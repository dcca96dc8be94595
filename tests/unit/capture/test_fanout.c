/* capture/fanout: which ring a frame goes to. The program is run by a small machine of its own,
 * because libpcap's does not know the kernel's offsets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/reader.h"
#include "capture/fanout.h"

/* From the network header on; `type` is what the kernel says of the frame. */
struct datagram {
    uint16_t type;
    uint8_t bytes[80];
    size_t size;
};

static bool load(const struct datagram *datagram, uint16_t size, int64_t offset, uint32_t *value)
{
    size_t width = size == BPF_W ? 4 : size == BPF_H ? 2 : 1;
    offset -= (int64_t)SKF_NET_OFF;
    if (offset < 0 || (size_t)offset + width > datagram->size)
        return false;
    *value = 0;
    for (size_t i = 0; i < width; i++)
        *value = *value << 8 | datagram->bytes[(size_t)offset + i];
    return true;
}

/* What the kernel would do, as far as the program uses it; 0 where it reads beyond the end. */
static uint32_t run(const struct datagram *datagram)
{
    struct sock_filter program[FANOUT_PROGRAM_MAX];
    uint32_t a = 0, x = 0, memory[16] = {0};
    size_t count = fanout_program(program);
    for (size_t at = 0; at < count; at++) {
        const struct sock_filter *i = &program[at];
        switch (i->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            assert_int_equal((int32_t)i->k, SKF_AD_OFF + SKF_AD_PROTOCOL);
            a = datagram->type;
            break;
        case BPF_LD | BPF_W | BPF_IND:
        case BPF_LD | BPF_H | BPF_IND:
        case BPF_LD | BPF_B | BPF_IND:
            if (!load(datagram, BPF_SIZE(i->code), (int64_t)(int32_t)i->k + x, &a))
                return 0;
            break;
        case BPF_LDX | BPF_W | BPF_IMM: /* NOLINT(misc-redundant-expression): two names of 0 */
            x = i->k;
            break;
        case BPF_ST:
            memory[i->k] = a;
            break;
        case BPF_LD | BPF_W | BPF_MEM:
            a = memory[i->k];
            break;
        case BPF_LDX | BPF_W | BPF_MEM:
            x = memory[i->k];
            break;
        case BPF_JMP | BPF_JA:
            at += i->k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            at += a == i->k ? i->jt : i->jf;
            break;
        case BPF_JMP | BPF_JGT | BPF_X:
            at += a > x ? i->jt : i->jf;
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= i->k;
            break;
        case BPF_ALU | BPF_LSH | BPF_K:
            a <<= i->k;
            break;
        case BPF_ALU | BPF_RSH | BPF_K:
            a >>= i->k;
            break;
        case BPF_ALU | BPF_MUL | BPF_K:
            a *= i->k;
            break;
        case BPF_ALU | BPF_ADD | BPF_X:
            a += x;
            break;
        case BPF_MISC | BPF_TAX:
            x = a;
            break;
        case BPF_RET | BPF_K:
            return i->k;
        case BPF_RET | BPF_A:
            return a;
        default:
            fail_msg("instruction %zu: code %#x", at, i->code);
        }
    }
    fail_msg("the program does not return");
    return 0;
}

static void put(struct datagram *datagram, uint32_t value, size_t size)
{
    for (size_t i = size; i-- > 0;)
        datagram->bytes[datagram->size++] = (uint8_t)(value >> 8 * i);
}

static void begin(struct datagram *datagram, unsigned tags, uint16_t type)
{
    *datagram = (struct datagram){.type = tags ? 0x8100 : type};
    for (unsigned tag = 1; tag <= tags; tag++) {
        put(datagram, 100 + tag, 2);
        put(datagram, tag < tags ? 0x88a8 : type, 2);
    }
}

static void put_ports(struct datagram *datagram, uint16_t source, uint16_t destination)
{
    put(datagram, source, 2);
    put(datagram, destination, 2);
    put(datagram, 0, 4);
}

static uint32_t ipv4(unsigned tags, unsigned header_words, uint8_t protocol, uint32_t source,
                     uint32_t destination, uint16_t source_port, uint16_t destination_port)
{
    struct datagram datagram;
    begin(&datagram, tags, 0x0800);
    put(&datagram, (0x40u | header_words) << 24 | 60, 4);
    put(&datagram, 0, 4);
    put(&datagram, 64u << 24 | (uint32_t)protocol << 16, 4);
    put(&datagram, source, 4);
    put(&datagram, destination, 4);
    for (unsigned word = 5; word < header_words; word++)
        put(&datagram, 0x01010101, 4);
    put_ports(&datagram, source_port, destination_port);
    return run(&datagram);
}

static uint32_t ipv6(unsigned tags, uint8_t protocol, const uint32_t source[4],
                     const uint32_t destination[4], uint16_t source_port, uint16_t destination_port)
{
    struct datagram datagram;
    begin(&datagram, tags, 0x86dd);
    put(&datagram, 6u << 28, 4);
    put(&datagram, (uint32_t)protocol << 8 | 64, 4);
    for (size_t i = 0; i < 4; i++)
        put(&datagram, source[i], 4);
    for (size_t i = 0; i < 4; i++)
        put(&datagram, destination[i], 4);
    put_ports(&datagram, source_port, destination_port);
    return run(&datagram);
}

enum {
    DEVICE = 0x0a140011,
    OTHER = 0x0a140012,
    COURIER = 0x1139900a,
    RESOLVER = 0x0a140135,
    TCP = 6,
    UDP = 17,
    ICMP = 1,
    ICMPV6 = 58
};

static void both_directions_and_all_sessions_of_a_device_go_to_one_ring(void **state)
{
    (void)state;
    for (unsigned tags = 0; tags <= 2; tags++) {
        uint32_t up = ipv4(tags, 5, TCP, DEVICE, COURIER, 50000, 5223);
        assert_int_not_equal(up, 0);
        assert_int_equal(ipv4(tags, 5, TCP, COURIER, DEVICE, 5223, 50000), up);
        assert_int_equal(ipv4(tags, 5, TCP, DEVICE, COURIER + 77, 60123, 443), up);
        assert_int_equal(ipv4(0, 5, TCP, DEVICE, COURIER, 50000, 5223), up);
    }
}

static void its_questions_and_the_errors_about_it_do_too(void **state)
{
    (void)state;
    uint32_t up = ipv4(0, 5, TCP, DEVICE, COURIER, 50000, 5223);
    assert_int_equal(ipv4(0, 5, UDP, DEVICE, RESOLVER, 50999, 53), up);
    assert_int_equal(ipv4(0, 5, UDP, RESOLVER, DEVICE, 53, 50999), up);
    assert_int_equal(ipv4(0, 6, UDP, RESOLVER, DEVICE, 53, 50999), up); /* with options */
    assert_int_equal(ipv4(0, 5, ICMP, 0x0a140001, DEVICE, 0x0301, 0), up);
}

static void devices_are_spread(void **state)
{
    unsigned rings[4] = {0};
    (void)state;
    for (uint32_t i = 0; i < 400; i++)
        rings[ipv4(0, 5, TCP, DEVICE + i, COURIER, 50000, 5223) % 4]++;
    for (size_t i = 0; i < 4; i++)
        assert_in_range(rings[i], 60, 140);
}

static void ipv6_is_shared_alike(void **state)
{
    const uint32_t device[4] = {0x20010db8, 0x00200000, 0, 0x11};
    const uint32_t other[4] = {0x20010db8, 0x00200000, 0, 0x12};
    const uint32_t resolver[4] = {0x20010db8, 0x00200000, 0, 0x35};
    const uint32_t courier[4] = {0x26200149, 0x0a440001, 0, 0x10};
    (void)state;
    for (unsigned tags = 0; tags <= 2; tags++) {
        uint32_t up = ipv6(tags, TCP, device, courier, 50000, 5223);
        assert_int_not_equal(up, 0);
        assert_int_equal(ipv6(tags, TCP, courier, device, 5223, 50000), up);
        assert_int_equal(ipv6(tags, UDP, resolver, device, 53, 50001), up);
        assert_int_equal(ipv6(tags, ICMPV6, resolver, device, 0x0101, 0), up);
        assert_int_not_equal(ipv6(tags, TCP, other, courier, 50000, 5223), up);
    }
}

static void what_is_neither_goes_to_the_first_ring(void **state)
{
    struct datagram arp = {.type = 0x0806, .size = 28};
    struct datagram cut = {.type = 0x0800, .bytes = {0x45}, .size = 14};
    (void)state;
    assert_int_equal(run(&arp), 0);
    assert_int_equal(run(&cut), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions_and_all_sessions_of_a_device_go_to_one_ring),
        cmocka_unit_test(its_questions_and_the_errors_about_it_do_too),
        cmocka_unit_test(devices_are_spread),
        cmocka_unit_test(ipv6_is_shared_alike),
        cmocka_unit_test(what_is_neither_goes_to_the_first_ring),
    };
    return cmocka_run_group_tests_name("capture/fanout", tests, NULL, NULL);
}
