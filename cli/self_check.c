/* What the first packets say of the mirror.
 *
 * See self_check.h. Deliberately does not repeat what findings say at length (capture-one-sided and
 * the like): here it is said early, while somebody still stands at the switch. */
#include "self_check.h"

#include <stdio.h>

#include "base/count.h"
#include "base/text.h"
#include "dissect/checksum.h"
#include "model/apple.h"

enum { ETHERNET_MTU_MAX = 9216, CHECKSUMS_MAX = 2000, PERCENT = 100 };

static void note_vlan(struct self_check *check, uint16_t vlan)
{
    check->tagged++;
    for (unsigned i = 0; i < check->vlan_count; i++)
        if (check->vlans[i] == vlan)
            return;
    if (check->vlan_count < SELF_CHECK_VLANS)
        check->vlans[check->vlan_count++] = vlan;
}

void self_check_take(struct self_check *check, const struct packet *packet)
{
    if (packet->kind != PACKET_TCP)
        return;
    bool to_apple = apple_owns(&packet->destination), from_apple = apple_owns(&packet->source);
    check->packets++;
    check->to_apple += to_apple;
    check->from_apple += from_apple;
    if (packet->vlan)
        note_vlan(check, packet->vlan);
    check->merged += packet->payload_size > ETHERNET_MTU_MAX;
    enum packet_checksum checksum =
        check->checksums < CHECKSUMS_MAX ? dissect_tcp_checksum_as_is(packet) : CHECKSUM_LEFT_OUT;
    if (checksum != CHECKSUM_LEFT_OUT) {
        bool is_wrong = checksum == CHECKSUM_WRONG;
        check->checksums++;
        check->checksums_wrong += is_wrong;
        check->checksums_wrong_up += is_wrong && to_apple;
    }
}

/* ---- lines ---- */

static void tell_interface(const struct speaker *speaker, const struct live_statistics *interface,
                           bool is_decapsulating)
{
    if (interface->is_down)
        speaker_say(speaker, "%s: trouble: %s; waiting for it to come back", interface->interface,
                    interface->trouble);
    if (!interface->in_kernel)
        speaker_say(speaker,
                    "%s: the filter is too long for the kernel: every packet is copied; ask for "
                    "fewer prefixes",
                    interface->interface);
    speaker_say(speaker, "%s: %s received, %s of interest; time stamps of the %s",
                interface->interface, COUNTED(interface->received, "packet"),
                DIGITS(interface->matched), interface->time_stamps);
    if (interface->received > PERCENT && !interface->matched)
        speaker_say(
            speaker, "%s: nothing of interest in it: is this the mirror of the devices' network?%s",
            interface->interface,
            is_decapsulating ? ""
                             : " If the switch wraps mirrored frames (ERSPAN, VXLAN ...), add "
                               "--decap");
    if (!interface->received && !interface->matched)
        speaker_say(speaker,
                    "%s: no traffic at all: check the mirror session on the switch and the cable",
                    interface->interface);
}

static void tell_directions(const struct speaker *speaker, const struct self_check *check)
{
    enum { ENOUGH = 20, LOPSIDED = 50 };
    uint64_t more = check->to_apple, less = check->from_apple;
    if (more + less < ENOUGH)
        return;
    bool up = more >= less;
    if (!up) {
        more = check->from_apple;
        less = check->to_apple;
    }
    if (less * LOPSIDED < more)
        speaker_say(speaker,
                    "directions: only packets %s Apple are mirrored; mirror both directions "
                    "(\"both\", not \"%s\")",
                    up ? "to" : "from", up ? "rx" : "tx");
    else
        speaker_say(speaker, "directions: both (%s to Apple, %s from Apple)",
                    COUNTED(check->to_apple, "packet"), DIGITS(check->from_apple));
}

static void tell_vlans(const struct speaker *speaker, const struct self_check *check)
{
    char list[SELF_CHECK_VLANS * 6 + 8];
    struct text text = text_over(list, sizeof list);
    if (!check->tagged)
        return;
    for (unsigned i = 0; i < check->vlan_count; i++)
        text_format(&text, "%s%u", i ? ", " : "", check->vlans[i]);
    if (check->vlan_count == SELF_CHECK_VLANS)
        text_add(&text, " ...");
    speaker_say(speaker, "VLAN tags: on %s of %s (VLAN %s)", DIGITS(check->tagged),
                COUNTED(check->packets, "packet"), list);
}

static void tell_copies(const struct speaker *speaker, const struct capture_quality *quality)
{
    uint64_t all = quality->session_packets + quality->duplicates;
    if (quality->duplicates * 10 > all)
        speaker_say(speaker,
                    "duplicates: %s of %s seen twice; mirror each packet once (one direction of "
                    "all ports, or both of the uplink)",
                    DIGITS(quality->duplicates), COUNTED(all, "packet is|packets are"));
}

static void tell_checksums(const struct speaker *speaker, const struct self_check *check)
{
    if (check->checksums_wrong * 20 <= check->checksums)
        return;
    if (check->checksums_wrong == check->checksums_wrong_up)
        speaker_say(speaker,
                    "checksums: %s of %s towards Apple wrong: this host sends them itself and its "
                    "adapter fills them in; harmless",
                    DIGITS(check->checksums_wrong), COUNTED(check->checksums, "is|are"));
    else
        speaker_say(speaker,
                    "checksums: %s of %s wrong: the mirror or the adapter changes packets; look "
                    "at its offload settings (ethtool -k)",
                    DIGITS(check->checksums_wrong), COUNTED(check->checksums, "is|are"));
}

void self_check_tell(const struct self_check *check, const struct capture_quality *quality,
                     const struct live_statistics *interfaces, size_t interface_count,
                     bool is_decapsulating, const struct speaker *speaker)
{
    for (size_t i = 0; i < interface_count; i++)
        tell_interface(speaker, &interfaces[i], is_decapsulating);
    tell_directions(speaker, check);
    tell_vlans(speaker, check);
    tell_copies(speaker, quality);
    tell_checksums(speaker, check);
    if (check->merged)
        speaker_say(speaker,
                    "merged segments: %s larger than any frame: the adapter merges them (GRO, "
                    "LRO); read whole, but delays are less exact (ethtool -K IF gro off lro off)",
                    COUNTED(check->merged, "packet"));
}
