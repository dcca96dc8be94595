/* The kernel's filter over frames of every form: what must pass passes, untagged or tagged. */
#include "builder.h"

#include "capture/filter.h"
#include "capture/scope_filter.h"

enum form { UNTAGGED, TAGGED, PRIORITY_TAGGED, DOUBLE_TAGGED, SERVICE_TAGGED, FORM_COUNT };

static const struct {
    uint8_t bytes[8];
    uint8_t size;
} tags[FORM_COUNT] = {
    [UNTAGGED] = {{0}, 0},
    [TAGGED] = {{0x81, 0x00, 0x00, 0x05}, 4},
    [PRIORITY_TAGGED] = {{0x81, 0x00, 0xa0, 0x00}, 4},
    [DOUBLE_TAGGED] = {{0x81, 0x00, 0x00, 0x05, 0x81, 0x00, 0x00, 0x07}, 8},
    [SERVICE_TAGGED] = {{0x88, 0xa8, 0x00, 0x05, 0x81, 0x00, 0x00, 0x07}, 8},
};

/* What IP carries. */
struct carried {
    uint8_t protocol;
    uint8_t bytes[256];
    size_t size;
};

static struct carried tcp(unsigned source, unsigned destination, const void *payload, size_t size)
{
    struct carried out = {.protocol = 6, .size = 32 + size}; /* twelve bytes of options */
    uint8_t head[32] = {(uint8_t)(source >> 8), (uint8_t)source, (uint8_t)(destination >> 8),
                        (uint8_t)destination,   [12] = 0x80,     [13] = 0x18};
    memcpy(out.bytes, head, sizeof head);
    if (size)
        memcpy(out.bytes + 32, payload, size);
    return out;
}

static struct carried udp(unsigned source, unsigned destination, const void *payload, size_t size)
{
    struct carried out = {.protocol = 17, .size = 8 + size};
    uint8_t head[8] = {(uint8_t)(source >> 8), (uint8_t)source, (uint8_t)(destination >> 8),
                       (uint8_t)destination};
    memcpy(out.bytes, head, sizeof head);
    memcpy(out.bytes + 8, payload, size);
    return out;
}

static struct carried icmp(uint8_t protocol, uint8_t type)
{
    return (struct carried){.protocol = protocol, .bytes = {type}, .size = 36};
}

/* A question for the name, given in its labels' form ("\2ab\5apple"). */
static struct carried dns(const char *labels)
{
    uint8_t message[200] = {0, 1, 1, 0, 0, 1};
    size_t size = strlen(labels) + 1;
    memcpy(message + 12, labels, size);
    return udp(50000, 53, message, 12 + size + 4);
}

static struct frame frame_of(uint8_t *bytes, enum form form, bool is_ipv6, const char *source,
                             const char *destination, const struct carried *carried)
{
    struct address from, to;
    size_t at = 12;
    memset(bytes, 0, 400);
    memcpy(bytes + at, tags[form].bytes, tags[form].size);
    at += tags[form].size;
    bytes[at] = is_ipv6 ? 0x86 : 0x08;
    bytes[at + 1] = is_ipv6 ? 0xdd : 0x00;
    at += 2;
    assert_true(address_parse(source, &from) && address_parse(destination, &to));
    if (is_ipv6) {
        bytes[at] = 0x60;
        bytes[at + 6] = carried->protocol;
        memcpy(bytes + at + 8, from.byte, 16);
        memcpy(bytes + at + 24, to.byte, 16);
    } else {
        bytes[at] = 0x45;
        bytes[at + 9] = carried->protocol;
        memcpy(bytes + at + 12, from.byte + 12, 4);
        memcpy(bytes + at + 16, to.byte + 12, 4);
    }
    at += is_ipv6 ? 40 : 20;
    memcpy(bytes + at, carried->bytes, carried->size);
    uint32_t size = (uint32_t)(at + carried->size);
    return (struct frame){
        .link_type = 1, .captured_size = size, .original_size = size, .bytes = bytes};
}

static struct filter *filter_of(const struct scope_filter *scope)
{
    static char buffer[SCOPE_FILTER_SIZE];
    struct text text = text_over(buffer, sizeof buffer);
    struct filter *filter;
    struct fault fault;
    scope_filter_write(scope, true, &text);
    assert_false(text.cut);
    assert_true(filter_compile(&filter, buffer, &fault));
    return filter;
}

static void expect(const struct scope_filter *scope, bool passes, const struct carried *carried,
                   const char *v4[2], const char *v6[2])
{
    uint8_t bytes[400];
    struct filter *filter = filter_of(scope);
    for (int form = 0; form < FORM_COUNT; form++) {
        struct frame four = frame_of(bytes, (enum form)form, false, v4[0], v4[1], carried);
        assert_int_equal(filter_matches(filter, &four), passes);
        struct frame six = frame_of(bytes, (enum form)form, true, v6[0], v6[1], carried);
        assert_int_equal(filter_matches(filter, &six), passes);
    }
    filter_free(filter);
}

static const char *to_apple[][2] = {{"10.0.0.1", "17.1.2.3"}, {"fd00::1", "2620:149:a44::9"}};
static const char *from_apple[][2] = {{"17.1.2.3", "10.0.0.1"}, {"2403:300:a42::1", "fd00::1"}};
static const char *elsewhere[][2] = {{"10.0.0.1", "192.0.2.9"}, {"fd00::1", "2001:db8::9"}};
static const char *by_nat64[][2] = {{"10.0.0.1", "17.1.2.3"}, {"fd00::1", "64:ff9b::17.1.2.3"}};
static const struct scope_filter narrow = {.proxy_ports = {3128, 8080}, .proxy_port_count = 2};

static void whatever_goes_to_or_comes_from_apple_passes(void **state)
{
    (void)state;
    struct carried syn = tcp(50000, 443, NULL, 0), odd = udp(1, 2, "x", 1);
    expect(&narrow, true, &syn, to_apple[0], to_apple[1]);
    expect(&narrow, true, &syn, from_apple[0], from_apple[1]);
    expect(&narrow, true, &syn, by_nat64[0], by_nat64[1]);
    expect(&narrow, true, &odd, to_apple[0], to_apple[1]);
}

static void other_traffic_does_not_pass(void **state)
{
    (void)state;
    static const uint8_t data[] = {0x17, 3, 3, 1, 0, 1, 2, 3};
    struct carried none[] = {tcp(50000, 443, NULL, 0), tcp(443, 50000, data, sizeof data),
                             udp(50000, 443, data, sizeof data), icmp(1, 8), icmp(58, 128)};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        expect(&narrow, false, &none[i], elsewhere[0], elsewhere[1]);
}

static void push_ports_and_proxies_pass_anywhere(void **state)
{
    (void)state;
    static const unsigned ports[] = {5223, 2195, 2196, 2197, 3128, 8080};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        struct carried up = tcp(50000, ports[i], NULL, 0), down = tcp(ports[i], 50000, NULL, 0);
        expect(&narrow, true, &up, elsewhere[0], elsewhere[1]);
        expect(&narrow, true, &down, elsewhere[0], elsewhere[1]);
    }
}

static void a_client_hello_or_connect_passes_anywhere(void **state)
{
    (void)state;
    static const uint8_t hello[] = {0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc};
    static const uint8_t server_hello[] = {0x16, 3, 3, 0, 80, 2, 0, 0, 76};
    struct carried client = tcp(50000, 443, hello, sizeof hello);
    struct carried server = tcp(443, 50000, server_hello, sizeof server_hello);
    struct carried connect = tcp(50000, 800, "CONNECT 1-courier", 17);
    struct carried connection = tcp(50000, 800, "CONNECTION", 10);
    expect(&narrow, true, &client, elsewhere[0], elsewhere[1]);
    expect(&narrow, true, &connect, elsewhere[0], elsewhere[1]);
    expect(&narrow, false, &server, elsewhere[0], elsewhere[1]);
    expect(&narrow, false, &connection, elsewhere[0], elsewhere[1]);
}

static void errors_of_icmp_pass_and_echoes_do_not(void **state)
{
    (void)state;
    uint8_t bytes[400];
    struct filter *filter = filter_of(&narrow);
    struct carried v4[] = {icmp(1, 3), icmp(1, 11), icmp(1, 12)}, v6[] = {icmp(58, 1), icmp(58, 2)};
    for (int form = 0; form < FORM_COUNT; form++) {
        for (size_t i = 0; i < 3; i++) {
            struct frame frame =
                frame_of(bytes, (enum form)form, false, elsewhere[0][0], elsewhere[0][1], &v4[i]);
            assert_true(filter_matches(filter, &frame));
        }
        for (size_t i = 0; i < 2; i++) {
            struct frame frame =
                frame_of(bytes, (enum form)form, true, elsewhere[1][0], elsewhere[1][1], &v6[i]);
            assert_true(filter_matches(filter, &frame));
        }
    }
    filter_free(filter);
}

static void questions_for_push_names_pass_in_any_case(void **state)
{
    (void)state;
    static const char *const names[] = {
        "\4push\5apple\3com", "\00212\4push\5apple\3com", "\n36-courier\4PuSh\5aPPle\3com",
        "\3api\7sandbox\4push\5apple\3com", "\00236\022courier-push-apple\3com\6akadns\3net"};
    static const char *const others[] = {"\3www\5apple\3com", "\4push\7example\3com",
                                         "\6pusher\3com", "\1a\1b\1c\4push\5apple\3com"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct carried question = dns(names[i]);
        expect(&narrow, true, &question, elsewhere[0], elsewhere[1]);
    }
    /* push.example.com passes too: a filter sees one label, the program the whole name */
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct carried question = dns(others[i]);
        expect(&narrow, i == 1, &question, elsewhere[0], elsewhere[1]);
    }
    struct scope_filter all = narrow;
    all.any_dns = true;
    struct carried question = dns(others[0]);
    expect(&all, true, &question, elsewhere[0], elsewhere[1]);
}

static void a_users_filter_narrows_every_form(void **state)
{
    (void)state;
    struct scope_filter scope = narrow;
    scope.filter = "net 10.0.0.0/8 or net fd00::/8 and not port 443";
    struct carried wanted = tcp(50000, 5223, NULL, 0), unwanted = tcp(50000, 443, NULL, 0);
    expect(&scope, true, &wanted, to_apple[0], to_apple[1]);
    expect(&scope, false, &unwanted, to_apple[0], to_apple[1]);
}

static void what_is_added_passes_too(void **state)
{
    (void)state;
    struct scope_filter scope = narrow;
    scope.also = "host 192.0.2.9 or host 2001:db8::9";
    struct carried any = tcp(50000, 443, NULL, 0);
    expect(&scope, true, &any, elsewhere[0], elsewhere[1]);
    struct prefix nets[2];
    assert_true(prefix_parse("192.0.2.0/24", &nets[0]) && prefix_parse("2001:db8::/32", &nets[1]));
    struct scope_filter added = {.apple_nets = nets, .apple_net_count = 2};
    expect(&added, true, &any, elsewhere[0], elsewhere[1]);
}

static void tunnels_pass_where_they_are_to_be_opened(void **state)
{
    (void)state;
    static const uint8_t vxlan[] = {8, 0, 0, 0, 0, 0, 7, 0, 1, 2, 3};
    struct scope_filter scope = narrow;
    struct carried carriers[] = {udp(50000, 4789, vxlan, sizeof vxlan),
                                 {.protocol = 47, .size = 8}};
    for (size_t i = 0; i < sizeof carriers / sizeof *carriers; i++) {
        scope.decapsulate = false;
        expect(&scope, false, &carriers[i], elsewhere[0], elsewhere[1]);
        scope.decapsulate = true;
        expect(&scope, true, &carriers[i], elsewhere[0], elsewhere[1]);
        scope.filter = "net 10.0.0.0/8"; /* is asked of what is inside, later */
        expect(&scope, true, &carriers[i], elsewhere[0], elsewhere[1]);
        scope.filter = NULL;
    }
}

static void everything_that_could_be_looked_at_passes_when_wide(void **state)
{
    (void)state;
    struct scope_filter scope = {.wide = true};
    struct carried bare = tcp(50000, 443, NULL, 0), question = dns("\3www\5apple\3com");
    struct carried quic = udp(50000, 443, "x", 1);
    expect(&scope, true, &bare, elsewhere[0], elsewhere[1]);
    expect(&scope, true, &question, elsewhere[0], elsewhere[1]);
    expect(&scope, false, &quic, elsewhere[0], elsewhere[1]);
}

static void the_program_knows_which_sessions_pass_whole(void **state)
{
    (void)state;
    struct packet packet = {.kind = PACKET_TCP, .source_port = 50000, .destination_port = 443};
    assert_true(address_parse("10.0.0.1", &packet.source));
    assert_true(address_parse("192.0.2.9", &packet.destination));
    assert_false(scope_filter_follows(&narrow, &packet));
    packet.destination_port = 3128;
    assert_true(scope_filter_follows(&narrow, &packet));
    packet.destination_port = 443;
    assert_true(address_parse("17.1.2.3", &packet.destination));
    assert_true(scope_filter_follows(&narrow, &packet));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_goes_to_or_comes_from_apple_passes),
        cmocka_unit_test(other_traffic_does_not_pass),
        cmocka_unit_test(push_ports_and_proxies_pass_anywhere),
        cmocka_unit_test(a_client_hello_or_connect_passes_anywhere),
        cmocka_unit_test(errors_of_icmp_pass_and_echoes_do_not),
        cmocka_unit_test(questions_for_push_names_pass_in_any_case),
        cmocka_unit_test(a_users_filter_narrows_every_form),
        cmocka_unit_test(what_is_added_passes_too),
        cmocka_unit_test(tunnels_pass_where_they_are_to_be_opened),
        cmocka_unit_test(everything_that_could_be_looked_at_passes_when_wide),
        cmocka_unit_test(the_program_knows_which_sessions_pass_whole),
    };
    return cmocka_run_group_tests_name("capture/scope_filter", tests, NULL, NULL);
}
