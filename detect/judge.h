/* What a rule may ask of the engine and tell it.
 *
 * judge_raise merges: the same code about the same client and server port (flow scope: and server;
 * site scope: the same server and port, whoever the client is) is one finding whose count grows
 * and whose time range widens; the first evidence stays, and a higher confidence replaces a lower
 * one with its evidence.
 *
 * The facts below include the event at hand: a session that just closed is already counted. */
#ifndef APNSCOPE_DETECT_JUDGE_H
#define APNSCOPE_DETECT_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "detect/detector.h"
#include "detect/timeline.h"
#include "model/finding.h"

#define ON(event)            (1u << (event))       /* for detector.events */
#define AGAINST(requirement) (1u << (requirement)) /* for detector.requirements */

/* The ways to APNs, counted apart. */
enum way {
    WAY_NONE, /* not a device's or a provider's way to APNs */
    WAY_COURIER_5223,
    WAY_COURIER_443,
    WAY_COURIER_PROXY,
    WAY_PROVIDER_443,
    WAY_PROVIDER_2197,
    WAY_PROVIDER_PROXY,
    WAY_COUNT
};

enum way way_of(const struct flow_record *flow);
static inline bool way_is_provider(enum way way)
{
    return way >= WAY_PROVIDER_443 && way < WAY_COUNT;
}
/* Its ClientHello offers protocols in ALPN, and none of a device's: a browser, curl, a port test.
 * Refusing the courier's certificate, under Apple's own root, is normal for them. */
bool offers_other_protocols(const struct flow_record *flow);
/* The session was judged and APNs did not come up by it. Neither this nor flow_works: not judged,
 * as is TLS that another program than a device's broke off with a courier. */
bool flow_fails(const struct flow_record *flow);
/* Too little of it was captured to tell that it did not work. */
bool flow_may_have_worked(const struct flow_record *flow);
/* A push host's name as a ClientHello, a CONNECT (port allowed) or DNS may carry it. */
bool is_push_host(const char *name);
/* init.push.apple.com and its like: configuration, partly on a CDN outside Apple's ranges. */
bool is_bag_host(const char *name);
bool is_provider_host(const char *name);
/* Hops between sender and capture point: initial TTLs are 32, 64, 128 or 255 (wire.md section 5).
 * -1 for a TTL that is not known. */
int16_t hops_of_ttl(int16_t ttl);

/* A finding of the running rule about event->flow (or the DNS event's client), with addresses,
 * port, times, flow number, code and severity filled in, confidence LIKELY, blocker unknown, and
 * a display filter for the flow. The rule writes the sentences and the frames, then raises it.
 * Summaries are written without a full stop: the engine ends them with when and how often. */
struct finding judge_draft(const struct judge *judge, const struct event *event);
/* The same about the capture itself, at its end: certain, over its whole time. */
struct finding judge_draft_of_capture(const struct judge *judge, const struct event *event);
void judge_raise(struct judge *judge, const struct finding *finding);

/* At the end of the capture, where the event names nobody: the finding is about this device. */
void judge_name_device(const struct judge *judge, struct finding *finding);
/* Names the MAC address of the flow's reset, which is told where Apple's packets come from another.
 */
void finding_name_mac(struct finding *finding, const struct flow_record *flow);

/* How the fields of Wireshark's filters about that address begin: "ip" or "ipv6". */
const char *filter_family(const struct address *ip);
/* Shows both courier ports of the finding's client: its sessions there were weighed together. */
void finding_show_couriers(struct finding *finding);

/* True when the event adds no more than a count to what is kept of the running rule (device scope)
 * about this device and the flow's server port, or when no more findings fit; the count is then
 * done, and the rule need not write sentences that nobody would read. */
bool judge_only_counts(struct judge *judge, const struct event *event, enum confidence confidence);

/* The running rule's finding about this device (device scope) and server port as it is kept, for
 * revision in the light of later events; NULL: none. Valid until the next judge_raise. */
struct finding *judge_kept(struct judge *judge, uint16_t server_port);
/* Takes a kept finding back: what followed explained it innocently. */
void judge_withdraw(struct judge *judge, struct finding *finding);
/* The same with all that the running rule keeps of this device and is not certain of. */
void judge_withdraw_doubtful(struct judge *judge);
/* In the place of the one that is kept of this device and port, or as a new one. */
void judge_renew(struct judge *judge, const struct finding *finding);
/* Another rule stands by a finding about this device and port. */
bool judge_has_finding(const struct judge *judge, const char *code, uint16_t server_port);

/* "N frames" of evidence; ignores number 0 and what does not fit. */
void finding_add_frame(struct finding *finding, uint64_t number, int64_t time_ns,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Sets a sentence (cut at its size). */
void finding_say(char *sentence, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "17.57.144.10:5223", "[2620:149:a44::1]:5223". */
enum { ENDPOINT_TEXT_SIZE = ADDRESS_TEXT_SIZE + 10 };
const char *endpoint_text(const struct address *ip, uint16_t port, char text[ENDPOINT_TEXT_SIZE]);

/* Facts about the rest of the capture, as far as it was read. */

/* Median hop distance of Apple's servers from the capture point, from sessions that answered;
 * -1 while fewer than one is known. */
int16_t judge_apple_hops(const struct judge *judge);
/* Hops and round trip to the farthest server in the network of that address (/24, /64), by sessions
 * that work straight; false: none is known. */
bool judge_network_distance(const struct judge *judge, const struct address *ip, int16_t *hops,
                            int32_t *rtt_us);
/* Everyone's sessions that a box on the way answered, as each alone shows (PATH_TRANSPARENT_PROXY).
 */
uint32_t judge_sessions_answered_on_the_way(const struct judge *judge);
/* Apple's built-in ranges and those the user added. */
bool judge_is_apple(const struct judge *judge, const struct address *address);

/* Sessions by way: of this device, and of everyone. */
struct way_counts {
    uint32_t worked;
    uint32_t failed;
};
struct way_counts judge_device_way(const struct judge *judge, enum way way);
/* A server accepted a connection of this device's by that way, whatever became of it. */
bool judge_device_reached(const struct judge *judge, enum way way);
struct way_counts judge_site_way(const struct judge *judge, enum way way);
/* ClientHellos of everyone on that way, small ones or those of two segments and more: `worked` were
 * answered, `failed` were cut or left waiting. */
struct way_counts judge_site_hellos(const struct judge *judge, enum way way, bool is_large);
/* This device has a courier session that works and is still open. */
bool judge_session_is_open(const struct judge *judge);
/* When the newest session of this device that works was established, on any way of a device's or
 * of a provider's, in whole seconds since the epoch; 0: none. */
uint32_t judge_last_success_s(const struct judge *judge, bool is_provider);
/* Likewise, or of the newest that may have worked for all that the capture shows. */
uint32_t judge_last_possible_success_s(const struct judge *judge, bool is_provider);
/* The same of its newest device's session straight to an address of Apple's, without a proxy. */
uint32_t judge_last_straight_success_s(const struct judge *judge);
/* When the newest failure of this device on that way ended, likewise; 0: none. */
uint32_t judge_last_failure_s(const struct judge *judge, enum way way);
/* Good DNS answers for push names that this device got (counted once it has sessions). */
uint32_t judge_device_good_answers(const struct judge *judge);
/* Everyone's sessions to one server and port. */
struct way_counts judge_server(const struct judge *judge, const struct address *ip, uint16_t port);
/* The longest silence that a courier session of anyone survived, of those that have closed, or the
 * longest of those that the server broke; 0: none of a minute or more was seen. */
uint32_t judge_longest_silence_s(const struct judge *judge, bool only_if_server_broke_it);
/* The same of this device's. */
uint32_t judge_device_silence_s(const struct judge *judge, bool only_if_server_broke_it);
/* The longest interval between heartbeats, 30 minutes unless the user knows better. */
uint32_t judge_keepalive_s(const struct judge *judge);

/* Data segments of one side, and those of them that were lost, sent again and acknowledged soon. */
struct side_losses {
    uint32_t segments;
    uint32_t losses;
};
struct losses {
    struct side_losses up, down;
};
/* Of this device's working sessions. */
struct losses judge_device_losses(const struct judge *judge);

/* TCP itself came to nothing: silence, a refusal or an ICMP error answered the SYN. */
bool flow_is_unreached(const struct flow_record *flow);

/* Apple's addresses as a firewall's list would name them. */
struct network {
    struct prefix prefix;
    struct address client; /* of one attempt that got no session */
    uint32_t worked;
    uint32_t failed;
    uint32_t unreached;    /* of them, by TCP itself */
    uint32_t servers;      /* addresses that were not reached */
    uint32_t fail_first_s; /* when the first of them began */
    uint32_t gave_up_s;    /* when the first of them was over */
    uint32_t fail_last_s;  /* when the last one began */
    bool several_clients;  /* not reached by more than one */
    struct proof fail;     /* the SYN of the first of them */
    struct proof success;  /* of one session that works; frame 0: it was not captured */
};
enum { NETWORKS_MAX = 256 };
/* Courier sessions straight to Apple on this port, by network; returns how many networks. */
uint32_t judge_networks(const struct judge *judge, uint16_t port,
                        struct network networks[NETWORKS_MAX]);

/* A session straight to Apple came up by that way between the two moments. False: none is known. */
bool judge_worked_between(const struct judge *judge, enum way way, uint32_t from_s, uint32_t to_s);

/* What the addresses of one MAC address reach on one port, by IP version. */
struct family_pair {
    uint8_t mac[6];
    uint16_t port;
    uint32_t lane;
    bool has_mac;       /* false: of all clients of a capture without MAC addresses */
    uint8_t v4_clients; /* addresses, as they took turns: many behind a router */
    uint8_t v6_clients;
    struct address newest_client[2]; /* IPv4, IPv6 */
    uint32_t v4_worked;
    uint32_t v4_failed; /* here and below: not reached */
    uint32_t v6_worked;
    uint32_t v6_failed;
    uint32_t v6_first_s; /* when the first of them began, and the last */
    uint32_t v6_last_s;
    struct timeline v4_times; /* when its sessions over IPv4 came up */
};
/* Of this device's MAC address; NULL: nothing is known. */
const struct family_pair *judge_family_pair(const struct judge *judge, uint16_t port);
/* The device is an IPv6 address whose MAC address gets through by IPv4 on this port, and never did
 * by IPv6. */
bool judge_only_ipv4_works(const struct judge *judge, uint16_t port);
/* The device is an address of one machine (by its MAC address), which gets through on a courier's
 * port by its addresses of the other IP version. */
bool judge_machine_works_by_other_family(const struct judge *judge);

/* Sessions of which both directions, and of which only one, were captured. */
struct side_counts {
    uint32_t both;
    uint32_t up_only;
    uint32_t down_only;
};
struct side_counts judge_sides(const struct judge *judge);

#endif
